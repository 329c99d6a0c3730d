import { EventLog } from '../checkpoint/event-log.js';
import type { Journal } from '../checkpoint/journal.js';
import type { EnvironmentProblem } from '../checkpoint/problem.js';
import { OutcomeTally } from '../checkpoint/read-journal.js';
import { isEarlier } from '../checkpoint/run-parts.js';
import type { UpToDate } from '../checkpoint/up-to-date.js';
import { verifyWave } from '../checkpoint/verify-wave.js';
import type { WaveTally } from '../execute/wave-check.js';
import { parseCheckpoints } from '../model/checkpoint.js';
import { taskOfSubtask } from '../model/ids.js';
import { NO_MASK } from '../model/mask.js';
import { maskEvent } from '../model/mask-event.js';
import type { Result } from '../model/result.js';
import type { RunEvent } from '../model/run-event.js';
import { createSummary } from '../report/summary.js';
import type { CompiledPlan } from './compile-plan.js';
import { Lessons } from './lessons.js';
import type { RunPlace } from './run-place.js';
import { SubtaskLogs } from './subtask-logs.js';

/** What is not of the run's records. */
interface SinkPorts {
  readonly onEvent: ((event: RunEvent) => void) | undefined;
  /** Where later runs look what need not run again. */
  readonly upToDate: UpToDate | undefined;
  readonly keepSkips: boolean;
}

/** Where a run's events go: to its records, to what is learned and reported of it, and to whoever watches. */
export class RunSinks {
  readonly journal: Journal;
  readonly summary = createSummary();
  readonly lessons: Lessons;
  readonly eventLog: EventLog;
  readonly #logs: SubtaskLogs;
  readonly #place: RunPlace;
  readonly #ports: SinkPorts;
  /** In a run that was resumed: the subtasks that this part of it told of, in whose files there may be others. */
  readonly #seen: OutcomeTally | undefined;
  #skipped = 0;
  #hasDropped = false;
  /** What did not run, and has no record, by name; kept in a session alone, whose rounds tell of it again. */
  readonly skips = new Map<string, Extract<RunEvent, { type: 'subtask-skipped' }>>();

  constructor(journal: Journal, compiled: CompiledPlan, place: RunPlace, ports: SinkPorts) {
    this.journal = journal;
    this.lessons = new Lessons(compiled);
    this.eventLog = new EventLog(place.runDir);
    this.#logs = new SubtaskLogs(place.runDir);
    this.#place = place;
    this.#ports = ports;
    this.#seen = place.soFar === undefined ? undefined : new OutcomeTally();
  }

  /** Subtasks that did not run because they are up to date. */
  get skipped(): number {
    return this.#skipped;
  }

  /** Whether the disk is so far behind that no more should start. */
  get behind(): boolean {
    return this.journal.behind || this.#logs.behind;
  }

  /** Resolves when the disk has caught up. */
  async caughtUp(): Promise<void> {
    await this.journal.caughtUp();
    await this.#logs.caughtUp();
  }

  /** The one way to everything that is told or stored. */
  emit(raw: RunEvent): void {
    const event = this.record(raw);
    this.summary.add(event);
    this.eventLog.record(event);
    this.lessons.add(event);
    this.tell(event);
  }

  /** Tells the watcher alone: for what happens when the records are complete. It must be masked. */
  tell(event: RunEvent): void {
    this.#ports.onEvent?.(event);
  }

  /** Takes down what later runs and reports need of subtasks that ended, and leaves the rest to the caller: the event, masked. */
  record(raw: RunEvent): RunEvent {
    const { mask } = this.#place;
    const event = mask === NO_MASK ? raw : maskEvent(raw, mask);
    this.#record(event);
    if (this.#ports.keepSkips) this.#noteSkip(event);
    return event;
  }

  #record(event: RunEvent): void {
    const { upToDate } = this.#ports;
    if (event.type === 'records-dropped') this.#hasDropped = true;
    if (event.type === 'subtasks-finished' || event.type === 'subtasks-up-to-date') {
      this.journal.append(event.wave, event.lines, event.count);
      if (this.#seen !== undefined) for (const { task_id } of parseCheckpoints(event.lines)) this.#seen.add(task_id, true);
      if (event.type === 'subtasks-up-to-date') this.#skipped += event.count;
      else if (upToDate?.knows(event.task) === true)
        for (const checkpoint of parseCheckpoints(event.lines)) upToDate.ended(checkpoint);
    }
    if (event.type === 'subtask-cancelled') {
      this.journal.record(event.checkpoint);
      if (event.log !== undefined) this.#logs.save(event.checkpoint.task_id, event.log);
    }
    if (event.type === 'subtask-finished' || event.type === 'finally-finished') {
      const { checkpoint } = event;
      this.#seen?.add(checkpoint.task_id, checkpoint.status === 'success');
      if ('resumed' in event && event.resumed === 'as-is') this.journal.recordAgain(checkpoint);
      else this.journal.record(checkpoint);
      if ('resumed' in event && event.resumed === 'up-to-date') this.#skipped += 1;
      else if (event.type === 'subtask-finished') upToDate?.ended(checkpoint);
      if (event.log !== undefined) this.#logs.save(checkpoint.task_id, event.log);
    }
  }

  #noteSkip(event: RunEvent): void {
    if (event.type === 'subtask-skipped') this.skips.set(event.subtask, event);
    if (this.skips.size === 0) return;
    if (event.type === 'subtask-finished') this.skips.delete(event.checkpoint.task_id);
    if (event.type === 'subtasks-finished' || event.type === 'subtasks-up-to-date')
      for (const { task_id } of parseCheckpoints(event.lines)) this.skips.delete(task_id);
    // A task that was skipped as a whole and has subtasks now.
    if ('task' in event && event.type !== 'subtask-skipped') this.skips.delete(event.task);
  }

  /** Makes sure that a wave's checkpoints are on the disk, and counts them as they are there. */
  verifyWave(wave: number): Promise<WaveTally> {
    const seen = this.#seen;
    const { runDir, soFar } = this.#place;
    if (seen === undefined || soFar === undefined) return verifyWave(this.journal, runDir, wave);
    return verifyWave(this.journal, runDir, wave, ({ task_id: id, key }, place) => {
      if (!seen.has(id)) return false;
      // A subtask that the plan had once may have had the name that another has now.
      return !this.#hasDropped || !isEarlier(soFar, place) || soFar.index.isCurrent(taskOfSubtask(id), key, place);
    });
  }

  /** Resolves when all checkpoints and logs are written, and what is up to date; the error is why checkpoints could not be. */
  async settle(): Promise<Result<void, EnvironmentProblem>> {
    this.#ports.upToDate?.close();
    const closed = await this.journal.close();
    await this.#logs.settled();
    return closed;
  }
}
