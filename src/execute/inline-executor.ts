import type { ActionOutcome, SubtaskRequest } from '../actions/action.js';
import { perform, unreadable } from '../actions/perform.js';
import { leftoversEnded } from '../actions/process-group.js';
import { captureConsole, catchStrays, SubtaskLog } from '../actions/subtask-log.js';
import { type TimeLine, timeOn } from '../model/clock.js';
import type { Executor, ReadResults } from './executor.js';

/**
 * Runs subtasks in the coordinator's own thread, with no pool: for work so small that starting threads would cost more
 * than they save. A module here can take the coordinator down with it, so only modules that are known to end come here.
 */
export class InlineExecutor implements Executor {
  readonly #timeLine: TimeLine;
  readonly #onStray: (message: string) => void;
  readonly #cancels = new Map<number, AbortController>();
  #consoleCaptured = false;

  /** @param onStray told of errors that no subtask owns any more. */
  constructor(timeLine: TimeLine, onStray: (message: string) => void) {
    this.#timeLine = timeLine;
    this.#onStray = onStray;
  }

  async open(): Promise<void> {}

  async execute(request: SubtaskRequest, _agent: number, readResults: ReadResults): Promise<ActionOutcome> {
    if (request.action.kind === 'module' && !this.#consoleCaptured) {
      this.#consoleCaptured = true;
      captureConsole('pass');
      catchStrays(this.#onStray);
    }
    const cancel = new AbortController();
    this.#cancels.set(request.id, cancel);
    const outcome = await perform(request, cancel.signal, new SubtaskLog(request.subtask), {
      results: async (task) => {
        const results = readResults(task);
        if (results === undefined) throw unreadable(task);
        return results;
      },
      groupStarted: () => {},
      now: () => timeOn(this.#timeLine),
    });
    this.#cancels.delete(request.id);
    return outcome;
  }

  cancel(id: number): void {
    this.#cancels.get(id)?.abort();
  }

  async close(): Promise<void> {
    await leftoversEnded();
  }
}
