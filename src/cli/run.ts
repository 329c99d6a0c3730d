import { Command } from 'commander';
import { maskOfSecrets } from '../plan/secrets.js';
import type { CompiledPlan } from './compile-plan.js';
import { addExecutionOptions, askedOf, type ExecutionOptions, lockWaitOf } from './execution-options.js';
import { EXIT } from './exit-code.js';
import {
  addPlanOptions,
  addSelectionOptions,
  type LoadedPlan,
  loadFromOptions,
  type PlanOptions,
  type PreparedPlan,
  prepareFromOptions,
  type SelectionOptions,
} from './plan-options.js';
import { addRemoteOptions, type RemoteOptions, withRemote } from './remote.js';
import type { RemoteRun } from './remote-run.js';
import { runPlan } from './run-plan.js';
import { panelView, showRun, showsText } from './show-run.js';
import { printError, printJson, printLine, printNote, printProblem } from './streams.js';

interface RunOptions extends PlanOptions, SelectionOptions, ExecutionOptions, RemoteOptions {
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  readonly force?: boolean;
}

/** `waveplan run PLAN`: shows the analysis, asks, runs, reports. */
export function runCommand(): Command {
  const command = new Command('run')
    .description('show the analysis, ask, back up, run in waves, and report')
    .argument('<plan>', 'plan file')
    .option('-y, --yes', 'answer every question with yes')
    .option('-f, --force', 'also run what is up to date')
    .option('-n, --dry-run', 'show the analysis and stop; writes nothing');
  return addSelectionOptions(addPlanOptions(addRemoteOptions(addExecutionOptions(command)))).action(
    async (file: string, options: RunOptions) => {
      process.exitCode = await run(file, options);
    },
  );
}

async function run(file: string, options: RunOptions): Promise<number> {
  const loaded = loadFromOptions(file, options);
  if (loaded === undefined) return EXIT.refused;
  const ask = options.yes !== true && options.dryRun !== true;
  if (ask && !(process.stdin.isTTY && process.stdout.isTTY)) {
    printError('waveplan: there is no terminal to ask for confirmation: answer with --yes, or look first with --dry-run');
    return EXIT.refused;
  }
  // Asked before the user is: an answer of yes that ends in this would be a waste.
  const secrets = maskOfSecrets(options.dryRun === true ? [] : loaded.plan.secrets, process.env);
  if (!secrets.ok) {
    printProblem(secrets.error);
    return EXIT.environment;
  }
  const say = showsText(options) ? printNote : () => {};
  return withRemote(options, say, (remote) => prepareAndRun(loaded, options, { ask, remote, say }));
}

async function prepareAndRun(
  loaded: LoadedPlan,
  options: RunOptions,
  { ask, remote, say }: { readonly ask: boolean; readonly remote: RemoteRun | undefined; readonly say: (text: string) => void },
): Promise<number> {
  const prepared = await prepareFromOptions(loaded, options, say, remote?.fleet);
  const { compiled } = prepared;
  if (showsText(options)) await printAnalysis(compiled);
  else if (options.dryRun === true && options.json === true) printJson(compiled.analysis);
  if (options.dryRun === true) return EXIT.done;
  if (!ask) return execute(prepared, options, remote, 'flag');
  const { talkAbout } = await import('./conversation.js');
  const confirmed = await talkAbout(compiled, { input: process.stdin, output: process.stdout, panel: panelView });
  if (confirmed === undefined) {
    printError('Not confirmed: nothing was done.');
    return EXIT.refused;
  }
  return execute({ ...prepared, compiled: confirmed }, options, remote, 'prompt');
}

function execute(
  { compiled, newCalibration }: PreparedPlan,
  options: RunOptions,
  remote: RemoteRun | undefined,
  confirmed: 'prompt' | 'flag',
): Promise<number> {
  return showRun(compiled.plan.file, options, (ports) =>
    runPlan(compiled, {
      ...ports,
      confirmed,
      planShown: showsText(options),
      cwd: options.cwd,
      stateDir: options.stateDir,
      checkpointFiles: options.checkpointFiles,
      newCalibration,
      keepGoing: options.keepGoing,
      failFast: options.failFast,
      force: options.force,
      asked: askedOf(options),
      remote,
      lockWait: lockWaitOf(options),
    }),
  );
}

async function printAnalysis(compiled: CompiledPlan): Promise<void> {
  const { renderAnalysis } = await import('../report/analysis-panel.js');
  printLine(renderAnalysis(compiled.analysis, panelView()));
}
