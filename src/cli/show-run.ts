import type { EnvironmentProblem } from '../checkpoint/problem.js';
import { RunControl } from '../execute/run-control.js';
import type { Result } from '../model/result.js';
import type { RunEvent } from '../model/run-event.js';
import { EXIT, exitCodeOf } from './exit-code.js';
import type { RunResult } from './run-plan.js';
import { stopOnSignals } from './signals.js';
import { panelWidth, printError, printLine, printProblem, wantsColor } from './streams.js';

/** How a run is to be shown. */
export interface ShowOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
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

/** Lets a run take place, showing it as it goes on and stopping it on signals; prints its report; returns the exit code. */
export async function showRun(
  options: ShowOptions,
  start: (ports: RunPorts) => Promise<Result<RunResult, EnvironmentProblem>>,
): Promise<number> {
  const control = new RunControl();
  const view = await openView(options);
  const signals = stopOnSignals(control, (message) => printError(message));
  const done = await start({ control, onEvent: view.handle });
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
    tty: stream.isTTY === true,
    now: () => performance.now(),
  });
  return { handle: (event) => view.handle(event), close: () => view.close() };
}
