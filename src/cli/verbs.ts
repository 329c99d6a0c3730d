import type { Command } from 'commander';

/** Makes a verb's command; some look at the program around them. */
type MakeVerb = (program: Command) => Command;

/** Every verb, in the order of the help; loaded when it is needed, since start-up counts. */
const VERBS: Readonly<Record<string, () => Promise<MakeVerb>>> = {
  init: async () => (await import('./init.js')).initCommand,
  validate: async () => (await import('./validate.js')).validateCommand,
  plan: async () => (await import('./plan.js')).planCommand,
  run: async () => (await import('./run.js')).runCommand,
  watch: async () => (await import('./watch.js')).watchCommand,
  resume: async () => (await import('./resume.js')).resumeCommand,
  status: async () => (await import('./status.js')).statusCommand,
  list: async () => (await import('./list.js')).listCommand,
  explain: async () => (await import('./explain.js')).explainCommand,
  report: async () => (await import('./report.js')).reportCommand,
  graph: async () => (await import('./graph.js')).graphCommand,
  prompts: async () => (await import('./prompts.js')).promptsCommand,
  restore: async () => (await import('./restore.js')).restoreCommand,
  scale: async () => (await import('./scale.js')).scaleCommand,
  bench: async () => (await import('./bench.js')).benchCommand,
  worker: async () => (await import('./worker.js')).workerCommand,
  schema: async () => (await import('./schema.js')).schemaCommand,
  completion: async () => {
    const { completionCommand } = await import('./completion.js');
    return (program) => completionCommand(() => program);
  },
};

/** Verbs that look at all the others. */
const NEED_ALL: readonly string[] = ['completion'];

/** Makes the verb that the arguments name; all of them where they name none, for the help and its suggestions. */
export async function verbsFor(program: Command, word: string | undefined): Promise<readonly Command[]> {
  const load = word !== undefined && Object.hasOwn(VERBS, word) && !NEED_ALL.includes(word) ? VERBS[word] : undefined;
  const makers = load === undefined ? await Promise.all(Object.values(VERBS).map((each) => each())) : [await load()];
  return makers.map((make) => make(program));
}
