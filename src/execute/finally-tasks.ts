import type { RunEvent } from '../model/run-event.js';
import { Dispatcher } from './dispatcher.js';
import { DONE, type RunWavesOptions, type RunWavesPorts, type WavesEnd } from './ports.js';
import { RunControl } from './run-control.js';
import type { RunState } from './run-state.js';

/**
 * Runs the `finally` tasks one after the other on one agent, also in a run that was stopped; only a further request
 * to abort ends them.
 */
export async function finallyTasks(options: RunWavesOptions, ports: RunWavesPorts, state: RunState): Promise<WavesEnd> {
  const { executor, layout, control, emit } = ports;
  const { finally: tasks, waves, graph } = options;
  if (tasks.length === 0) return DONE;
  const readable = new Set(graph.indexOf.keys());
  const own = new RunControl();
  const unlisten = control.listen(() => {
    if (control.state === 'aborting') own.abort({ status: 'stopped', reason: 'stopped' });
  });
  const tell = (event: RunEvent) => {
    if (event.type === 'subtask-finished') emit({ ...event, type: 'finally-finished' });
    if (event.type === 'subtask-retried') emit(event);
  };
  await executor.open(layout(1, tasks));
  let failed = 0;
  for (const task of tasks) {
    const skip = state.skipByCondition(task);
    if (!skip.ok) {
      tell(state.failedBeforeStart(task, waves.length + 1, skip.error));
      failed += 1;
    }
    if (!skip.ok || skip.value !== undefined) continue;
    const dispatcher = new Dispatcher(1, { ...state.dispatcherPorts(), control: own, emit: tell, pacer: undefined });
    dispatcher.add({
      task,
      wave: waves.length + 1,
      count: 1,
      itemAt: undefined,
      occurrences: new Map(),
      readable,
      scope: state.results.scope(task.reads),
      keepResults: false,
      priority: 0,
    });
    const { complete } = await dispatcher.run();
    if (!complete || dispatcher.tallies.some((tally) => tally.failed > 0)) failed += 1;
  }
  unlisten();
  return failed === 0 ? DONE : { status: 'failed', reason: `${failed} of the finally tasks failed` };
}
