import { Command, Option } from 'commander';
import { RunControl } from '../execute/run-control.js';
import type { RunEvent } from '../model/run-event.js';
import { maskOfSecrets } from '../plan/secrets.js';
import type { CompiledPlan } from './compile-plan.js';
import { confirm } from './confirm.js';
import { EXIT, exitCodeOf } from './exit-code.js';
import {
  addPlanOptions,
  addSelectionOptions,
  loadFromOptions,
  type PlanOptions,
  type PreparedPlan,
  prepareFromOptions,
  type SelectionOptions,
} from './plan-options.js';
import { runPlan } from './run-plan.js';
import { stopOnSignals } from './signals.js';
import { panelWidth, printError, printLine, printProblem, wantsColor } from './streams.js';

interface RunOptions extends PlanOptions, SelectionOptions {
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly checkpointFiles?: string;
}

/** `waveplan run PLAN`: shows the analysis, asks, runs, reports. */
export function runCommand(): Command {
  const command = new Command('run')
    .description('show the analysis, ask, back up, run in waves, and report')
    .argument('<plan>', 'plan file')
    .option('-y, --yes', 'answer every question with yes')
    .option('-n, --dry-run', 'show the analysis and stop; writes nothing')
    .option('-q, --quiet', 'print nothing but errors')
    .addOption(new Option('--json', 'print events, one JSON object a line, instead of text').conflicts('quiet'))
    .option('--checkpoint-files <dir>', 'also write each checkpoint as a file of its own');
  return addSelectionOptions(addPlanOptions(command)).action(async (file: string, options: RunOptions) => {
    process.exitCode = await run(file, options);
  });
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
  const prepared = await prepareFromOptions(loaded, options, showsText(options) ? printLine : () => {});
  const { compiled } = prepared;
  if (showsText(options)) await printAnalysis(compiled);
  else if (options.dryRun === true && options.json === true) printLine(JSON.stringify(compiled.analysis));
  if (options.dryRun === true) return EXIT.done;
  if (ask && !(await confirm(process.stdin, process.stdout))) {
    printError('Not confirmed: nothing was done.');
    return EXIT.refused;
  }
  return execute(prepared, options, ask ? 'prompt' : 'flag');
}

function showsText({ json, quiet }: RunOptions): boolean {
  return json !== true && quiet !== true;
}

async function execute(
  { compiled, newCalibration }: PreparedPlan,
  options: RunOptions,
  confirmed: 'prompt' | 'flag',
): Promise<number> {
  const control = new RunControl();
  const view = await openView(options);
  const signals = stopOnSignals(control, (message) => printError(message));
  const done = await runPlan(compiled, {
    confirmed,
    planShown: showsText(options),
    cwd: options.cwd,
    stateDir: options.stateDir,
    checkpointFiles: options.checkpointFiles,
    control,
    newCalibration,
    onEvent: view.handle,
  });
  view.close();
  signals.close();
  if (!done.ok) {
    printProblem(done.error);
    return EXIT.environment;
  }
  const { summary, end, folder } = done.value;
  if (showsText(options)) {
    const { renderReport } = await import('../report/run-panel.js');
    printLine(renderReport(summary, { color: wantsColor(process.stdout), width: panelWidth(process.stdout) }));
    printLine(`Records and reports: ${folder}`);
  }
  if (end.status !== 'done') printError(`waveplan: ${end.reason}`);
  return exitCodeOf(end.status, signals.received());
}

async function openView(
  options: RunOptions,
): Promise<{ readonly handle: (event: RunEvent) => void; readonly close: () => void }> {
  if (options.json === true) {
    const { eventToLine } = await import('../report/event-json.js');
    return { handle: (event) => process.stdout.write(eventToLine(event)), close: () => {} };
  }
  if (options.quiet === true) return { handle: () => {}, close: () => {} };
  const { createLiveView } = await import('../report/live-view.js');
  const stream = process.stdout;
  const view = await createLiveView({
    stream,
    color: wantsColor(stream),
    tty: stream.isTTY === true,
    now: () => performance.now(),
  });
  return { handle: (event) => view.handle(event), close: () => view.close() };
}

async function printAnalysis(compiled: CompiledPlan): Promise<void> {
  const { renderAnalysis } = await import('../report/analysis-panel.js');
  printLine(renderAnalysis(compiled.analysis, { color: wantsColor(process.stdout), width: panelWidth(process.stdout) }));
}
