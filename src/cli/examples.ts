import type { Command } from 'commander';

/** What each verb's help ends with: a few lines to copy, each with what it does. */
const EXAMPLES: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  waveplan: [
    ['waveplan init', 'a plan that fits this folder'],
    ['waveplan plan plan.yaml', 'what a run would do; writes nothing'],
    ['waveplan run plan.yaml', 'shows that, asks, backs up, runs, reports'],
    ['waveplan report --format html', "the last run's report as a page with charts"],
    ['waveplan restore', 'the files as they were before the last run'],
  ],
  init: [
    ['waveplan init', 'offers plans that run here, and writes plan.yaml'],
    ['waveplan init --plan count -n', 'prints the plan of that name, and writes nothing'],
  ],
  validate: [['waveplan validate plans/*.yaml', 'every mistake of every plan at once']],
  plan: [
    ['waveplan plan plan.yaml', 'tasks, waves, agents and time'],
    ['waveplan plan plan.yaml --what-if', 'with what other numbers of agents would take'],
    ['waveplan plan plan.yaml --json | jq .decision', 'as data'],
  ],
  run: [
    ['waveplan run plan.yaml', 'shows the plan, asks, runs; the question takes why, waves, agents 8, help'],
    ['waveplan run plan.yaml --yes --agents 8', 'asks nothing, with eight agents'],
    ['waveplan run plan.yaml --param root=photos', 'with a parameter'],
    ['waveplan run plan.yaml --executor bullmq --redis redis://10.0.0.1', 'on the machines where workers are'],
    ['waveplan run plan.yaml --yes --html report.html --junit junit.xml', 'in CI'],
  ],
  watch: [
    ['waveplan watch plan.yaml', 'runs it, and what is affected of it at every save'],
    ['waveplan watch plan.yaml --yes', 'the same without a terminal, in plain lines'],
  ],
  resume: [
    ['waveplan resume', 'the last run goes on where it was stopped'],
    ['waveplan resume --resume-failed', 'what failed runs again, too'],
    ['waveplan resume --dry-run', 'what would run; writes nothing'],
  ],
  status: [
    ['waveplan status', 'how far the last run is, task by task'],
    ['waveplan status --json | jq .state', 'as data'],
  ],
  list: [['waveplan list', 'every run that is kept: its id, how it ended, its plan']],
  explain: [
    ['waveplan explain build', 'why build would run again in the last run, or why not'],
    ['waveplan explain build --resume-failed', 'the same, if what failed were to run again'],
  ],
  report: [
    ['waveplan report', "the last run's, on the screen"],
    ['waveplan report --format html -o report.html', 'as a page with charts'],
    ['waveplan report --format trace -o trace.json', 'for ui.perfetto.dev'],
  ],
  graph: [
    ['waveplan graph plan.yaml', 'Mermaid, for a README'],
    ['waveplan graph plan.yaml --format svg --run -o graph.svg', "a picture with the last run's durations"],
  ],
  prompts: [['waveplan prompts plan.yaml', 'what each subtask would be asked, with every value in place']],
  restore: [
    ['waveplan restore --dry-run', 'what would change'],
    ['waveplan restore', 'asks, and brings the files back'],
  ],
  scale: [['waveplan scale --subtasks 50000 --avg 5s --type api_calls --rate 1000/min', 'how many agents pay off']],
  bench: [
    ['waveplan bench', 'about 10 s; what plan and run decide by from then on'],
    ['waveplan bench --compare before/ after/', 'what changed beyond the noise'],
  ],
  worker: [
    ['waveplan worker --redis redis://10.0.0.1:6379 --root ~/repo', 'serves runs of the plans in that checkout'],
    ['waveplan worker --root ~/repo --agents 64', 'with 64 agents, Redis as WAVEPLAN_REDIS says'],
  ],
  schema: [['waveplan schema > plan.schema.json', 'for an editor']],
  completion: [
    ['source <(waveplan completion bash)', 'in ~/.bashrc'],
    ['source <(waveplan completion zsh)', 'in ~/.zshrc, after compinit'],
    ['waveplan completion fish > ~/.config/fish/completions/waveplan.fish', 'once'],
  ],
};

/** Adds the examples to a verb's help, if there are any. */
export function teachByExample(command: Command): Command {
  const examples = Object.hasOwn(EXAMPLES, command.name()) ? (EXAMPLES[command.name()] ?? []) : [];
  if (examples.length === 0) return command;
  const widest = Math.max(...examples.map(([line]) => line.length));
  const lines = examples.map(([line, what]) =>
    widest > 44 ? `  ${line}\n      ${what}` : `  ${line.padEnd(widest + 3)}${what}`,
  );
  return command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
}
