import type { EnvironmentProblem } from '../checkpoint/problem.js';
import { RunControl } from '../execute/run-control.js';
import type { Result } from '../model/result.js';
import type { RunEvent } from '../model/run-event.js';
import { counted } from '../report/figures.js';
import type { PanelOptions } from '../report/panel.js';
import { EXIT, exitCodeOf } from './exit-code.js';
import type { RunResult } from './finish-run.js';
import { type OutputOptions, tellGitHub, writeOutputs } from './run-outputs.js';
import { stopOnSignals } from './signals.js';
import { isInCI, panelWidth, printError, printLine, printProblem, wantsColor } from './streams.js';

/** How a run is to be shown. */
export interface ShowOptions extends OutputOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** What a run that is shown is given. */
export interface RunPorts {
  readonly control: RunControl;
  readonly onEvent: (event: RunEvent) => void;
}

/** Whether anything but events and errors is printed. */
export function showsText({ json, quiet }: ShowOptions): boolean {
  return json !== true && quiet !== true;
}

/** How panels are drawn on standard output. */
export function panelView(): PanelOptions {
  return { color: wantsColor(process.stdout), width: panelWidth(process.stdout) };
}

/**
 * Lets a run take place, showing it as it goes on and stopping it on signals; prints and writes its reports; returns the
 * exit code.
 */
export async function showRun(
  planFile: string,
  options: ShowOptions,
  start: (ports: RunPorts) => Promise<Result<RunResult, EnvironmentProblem>>,
): Promise<number> {
  const control = new RunControl();
  const view = await openView(options);
  const signals = stopOnSignals(control, (message) => printError(message));
  let upToDate = 0;
  const onEvent = (event: RunEvent) => {
    if (event.type === 'subtasks-up-to-date') upToDate += event.count;
    if (event.type === 'subtask-finished' && event.resumed === 'up-to-date') upToDate += 1;
    view.handle(event);
  };
  const done = await start({ control, onEvent });
  view.close();
  signals.close();
  if (!done.ok) {
    printProblem(done.error);
    const signal = signals.received();
    return signal === undefined ? EXIT.environment : exitCodeOf('stopped', signal);
  }
  const { summary, end, folder } = done.value;
  if (showsText(options)) {
    const { renderReport } = await import('../report/run-panel.js');
    printLine(renderReport(summary, panelView()));
    if (upToDate > 0) printLine(`Up to date, and not run: ${counted(upToDate, 'subtask')} (run --force runs everything)`);
    printLine(`Records and reports: ${folder}`);
  }
  const written = await writeOutputs(folder, options, showsText(options) ? printLine : () => {});
  if (showsText(options)) {
    const { readFailureLogs } = await import('./run-record.js');
    const { renderFailures } = await import('../report/failure-text.js');
    const failures = renderFailures({ summary, logs: await readFailureLogs(folder, summary), runDir: folder }, panelView());
    // The last thing on the screen: whoever comes back to a terminal looks there.
    if (failures !== '') printLine(`\n${failures.trimEnd()}`);
  }
  await tellGitHub(summary, planFile, !showsText(options));
  if (end.status !== 'done') printError(`waveplan: ${end.reason}`);
  const code = exitCodeOf(end.status, signals.received());
  return code === EXIT.done && !written ? EXIT.environment : code;
}

async function openView(
  options: ShowOptions,
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
    // A service that runs jobs keeps what is printed: redrawn lines would fill its pages.
    tty: stream.isTTY === true && !isInCI() && process.env['TERM'] !== 'dumb',
    verbose: options.verbose === true,
    now: () => performance.now(),
  });
  return { handle: (event) => view.handle(event), close: () => view.close() };
}
