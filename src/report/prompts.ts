import type { Action } from '../actions/action.js';
import { answerCriteria, type PromptInput, successCriterion } from '../actions/builtin/agent-prompt.js';
import { shellText } from '../actions/launch-script.js';
import { RUN_VARIABLE } from '../actions/leftovers.js';
import { type PromptParts, promptText } from '../actions/prompt-text.js';
import type { ResultsStore } from '../execute/results-store.js';
import { subtaskId } from '../model/ids.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import { unreachable } from '../model/result.js';
import type { BuiltInAction } from '../plan/built-in.js';
import type { TaskDefinition } from '../plan/valid-plan.js';
import { type Evaluator, Preparer, type RunSurroundings, type Subtask } from '../worker/prepare.js';

/** A prompt that an agent can be handed, for one subtask. */
export interface Prompt {
  readonly task: string;
  /** `rename[3]`. */
  readonly subtask: string;
  readonly wave: number;
  /** Values are missing that only a run will know. */
  readonly template: boolean;
  readonly prompt: string;
}

/** What all prompts of a plan share. */
export interface PromptContext {
  /** The job in words. */
  readonly partOf: string;
  readonly surroundings: RunSurroundings;
  readonly evaluator: Evaluator;
  readonly results: ResultsStore;
  /** The file that a subtask's checkpoint goes to. */
  readonly checkpointFile: (wave: number, subtask: string) => string;
}

/** Makes the prompts of one task whose inputs are all known. */
export class TaskPrompts {
  readonly #task: TaskDefinition;
  readonly #wave: number;
  readonly #context: PromptContext;
  readonly #preparer: Preparer;

  constructor(task: TaskDefinition, wave: number, context: PromptContext) {
    this.#task = task;
    this.#wave = wave;
    this.#context = context;
    const tasks = context.results.scope(task.reads);
    this.#preparer = new Preparer(task, { ...context.surroundings, tasks }, context.evaluator);
  }

  /** The prompt of a subtask, without the run's secrets; `undefined` where its `if` leaves it out. */
  of(subtask: Subtask): Prompt | undefined {
    const [task, wave, context] = [this.#task, this.#wave, this.#context];
    const prepared = this.#preparer.prepare(subtask, 0, 1);
    if (!prepared.ok) return this.#masked(templatePrompt(task, wave, context, prepared.error.message));
    if (prepared.value.kind === 'left-out') return undefined;
    const { action, cwd, env } = prepared.value.request;
    const { [RUN_VARIABLE]: _run, ...variables } = env();
    const own = fromAction(action, variables);
    const success = this.#preparer.criteria(subtask);
    const name = subtaskId(task.id, subtask.index);
    return this.#masked(finished(name, { task, wave, context, folder: cwd, own, item: subtask.item, success }));
  }

  #masked(prompt: Prompt): Prompt {
    return { ...prompt, prompt: this.#preparer.mask.text(prompt.prompt) };
  }
}

/** The prompt of a task of which something is not known yet, as far as it goes. @param open what is missing, as a sentence. */
export function templatePrompt(task: TaskDefinition, wave: number, context: PromptContext, open: string): Prompt {
  const own = fromWork(task);
  const name = task.foreach === undefined ? task.id : `${task.id}[N]`;
  const folder = context.surroundings.folder;
  return finished(name, { task, wave, context, folder, own, item: undefined, success: task.success, open });
}

/** What a subtask's own work puts into its prompt. */
type Own = Pick<PromptParts, 'objective' | 'inputs' | 'tools' | 'criteria' | 'schema'> & { readonly whole?: string };

function finished(
  name: string,
  of: {
    readonly task: TaskDefinition;
    readonly wave: number;
    readonly context: PromptContext;
    readonly folder: string;
    readonly own: Own;
    readonly item: JsonValue | undefined;
    readonly success: readonly string[];
    readonly open?: string;
  },
): Prompt {
  const { task, wave, context, folder, own, item, success, open } = of;
  const shared = { task: task.id, subtask: name, wave, template: open !== undefined };
  // The plan's own words, which nothing is added to.
  if (own.whole !== undefined) return { ...shared, prompt: own.whole };
  // Of a template, the N is to be replaced.
  const file = context.checkpointFile(wave, name.replace('[N]', '-N'));
  const { whole: _, ...parts } = own;
  const prompt = promptText({
    ...parts,
    subtask: name,
    partOf: context.partOf,
    folder,
    inputs: { ...own.inputs, ...(own.inputs['item'] === undefined && { item }) },
    criteria: [...own.criteria, ...success.map(successCriterion)],
    checkpoint: `write ${file}, a JSON object with wave (${wave}), task_id ("${name}"), status ("success" or "failure"), results (what the subtask comes to), timestamp (ISO 8601) and agent_id.`,
    ...(open !== undefined && { open }),
  });
  return { ...shared, prompt };
}

function fromAction(action: Action, env: Readonly<Record<string, string>>): Own {
  switch (action.kind) {
    case 'command':
      return command(action.argv, env);
    case 'module':
      return moduleCall(action.file, action.exportName, action.input);
    case 'builtin':
      return builtIn(action.name, action.input);
    default:
      return unreachable(action);
  }
}

/** The same for a task whose expressions have no values: they stand as they are written. */
function fromWork({ work, with: input, env }: TaskDefinition): Own {
  switch (work.kind) {
    case 'shell':
      return command(['sh', '-e', '-c', work.command], env);
    case 'argv':
      return command(work.argv, env);
    case 'module':
      return moduleCall(work.file, work.exportName, input ?? null);
    case 'builtin':
      return builtIn(work.action, input ?? {});
    default:
      return unreachable(work);
  }
}

function command(argv: readonly string[], env: Readonly<Record<string, string>>): Own {
  const shell = shellText(argv);
  return {
    objective:
      shell !== undefined
        ? `run the shell script under inputs once, as it stands, with ${shell.stops ? 'sh -e' : 'sh'} and the environment variables under inputs`
        : 'run the program with the arguments under inputs once, without a shell, with the environment variables under inputs',
    inputs: {
      ...(shell === undefined ? { argv } : { script: shell.text }),
      ...(Object.keys(env).length > 0 && { environment: env }),
    },
    tools: ['Bash'],
    criteria: ['The command ended with exit code 0; its exit code, standard output and standard error are the results'],
  };
}

function moduleCall(file: string, exportName: string, input: JsonValue): Own {
  const name = exportName === 'default' ? 'the default export' : `the export '${exportName}'`;
  return {
    objective: `do for the input below what ${name} of ${file} does: read that function first, then run it or do its work by hand`,
    inputs: { input },
    tools: ['Read', 'Bash (node)', 'Edit'],
    criteria: ['The work of that function is done for this input, and what it returns is the results, as JSON'],
  };
}

/** What each built-in action is in an agent's words: the order, the tools for it, and when it is done. */
const BUILT_IN: Readonly<
  Record<Exclude<BuiltInAction, 'agent/prompt'>, readonly [objective: string, tools: readonly string[], done: string]>
> = {
  'files/glob': [
    'list the files that match the patterns, below cwd, without links, .git and .waveplan',
    ['Glob'],
    'results is {"files": the paths, sorted, "count": how many}',
  ],
  'files/read': ['read the file as text', ['Read'], 'results is {"path", "text", "bytes"}'],
  'files/write': [
    'write the file, whole or not at all; overwrite nothing unless the input says so',
    ['Write'],
    'results is {"path", "bytes", "changed"}',
  ],
  'files/move': [
    'move or rename what the input names; overwrite nothing unless the input says so',
    ['Bash (mv, mkdir)'],
    'results is {"files": the new paths, "count", "skipped"}',
  ],
  'files/copy': [
    'copy what the input names; overwrite nothing unless the input says so',
    ['Bash (cp, mkdir)'],
    'results is {"files": the new paths, "count", "skipped"}',
  ],
  'files/remove': [
    'remove what the input names, and nothing else',
    ['Bash (rm)'],
    'results is {"files": what was removed, "count", "skipped"}',
  ],
  'files/hash': [
    'take the digests of the files (sha256 unless the input says otherwise)',
    ['Bash (sha256sum)'],
    'results is {"files": [{"path", "hash", "bytes"}], "count", "hash"}',
  ],
  'data/read': ['read the records of the file', ['Read'], 'results is {"items": the records, "count", "end", "value"}'],
  'http/request': [
    'send this one HTTP request; on 429, 5xx and broken connections again after the Retry-After that the answer asks for, with the same idempotency key',
    ['Bash (curl)'],
    'the status is as expected (200 to 299 unless the input says otherwise), and results is {"status", "headers", "body", "bytes", "url", "tries", "savedTo"}',
  ],
};

function builtIn(action: BuiltInAction, input: JsonValue): Own {
  if (action === 'agent/prompt') return agentPrompt(input as unknown as PromptInput);
  const [objective, tools, done] = BUILT_IN[action];
  return { objective, inputs: { input }, tools, criteria: [done] };
}

function agentPrompt(input: PromptInput): Own {
  return {
    objective: input.objective ?? '',
    inputs: { input: input.input },
    tools: input.tools ?? [],
    criteria: [...(input.criteria ?? []), ...answerCriteria(input)],
    schema: input.schema as JsonObject | undefined,
    ...(input.prompt !== undefined && { whole: input.prompt }),
  };
}
