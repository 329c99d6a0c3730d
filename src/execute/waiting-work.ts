import { PriorityQueue } from '../graph/priority-queue.js';
import type { DispatcherPorts } from './dispatcher-ports.js';
import type { Retry, TaskState } from './task-state.js';

/** What holds work back that could start. */
type WaitingPorts = Pick<DispatcherPorts, 'clock' | 'pacer' | 'pools' | 'records'>;

/**
 * What waits for an agent, and what of it may start next: tasks that have subtasks waiting, subtasks that are to be tried
 * again, and what the pace of the run, the plan's pools and the disk let through of both.
 *
 *   a task:   queued ──its turn──▶ next ──its pool is full──▶ kept ──a share is given back, or time──▶ queued
 *   a retry:  waits for its time ──▶ due ──its pool has room──▶ next
 */
export class WaitingWork {
  readonly #ports: WaitingPorts;
  readonly #onTime: () => void;
  readonly #ready = new PriorityQueue<TaskState>();
  /** Those that may be tried again now. */
  readonly #retries: Retry[] = [];
  /** Cancels the wait of those whose time has not come. */
  readonly #retryTimers = new Set<() => void>();
  /** Tasks whose pools have no room. */
  readonly #kept = new Set<TaskState>();
  #poolTimer: (() => void) | undefined;
  #paceTimer: (() => void) | undefined;
  #catchingUp = false;
  #stopped = false;

  /** @param onTime told when something may start that could not before, by nothing but time. */
  constructor(ports: WaitingPorts, onTime: () => void) {
    this.#ports = ports;
    this.#onTime = onTime;
  }

  /** To be told whenever something was added to a task's queue. */
  enqueue(state: TaskState): void {
    if (state.queued || state.queue.waiting === 0) return;
    state.queued = true;
    this.#ready.push(state, state.work.priority, state.position);
  }

  /** The task with the highest priority that has something waiting, and whose pool has room. */
  nextTask(): TaskState | undefined {
    for (let state = this.#ready.peek(); state !== undefined; state = this.#ready.peek()) {
      if (state.queue.waiting > 0 && this.mayStart(state)) return state;
      state.queued = false;
      this.#ready.pop();
      // It comes back when its pool has room.
      if (state.queue.waiting > 0) this.#kept.add(state);
    }
    return undefined;
  }

  get hasRetries(): boolean {
    return this.#retries.length > 0;
  }

  /** Takes the first retry whose pool has room. */
  nextRetry(): Retry | undefined {
    const at = this.#retries.findIndex(({ state }) => this.mayStart(state));
    return at < 0 ? undefined : this.#retries.splice(at, 1)[0];
  }

  retry(retry: Retry): void {
    this.#retries.push(retry);
  }

  retryAfter(delayMs: number, retry: Retry): void {
    const cancel = this.#ports.clock.after(delayMs, () => {
      this.#retryTimers.delete(cancel);
      this.#retries.push(retry);
      this.#onTime();
    });
    this.#retryTimers.add(cancel);
  }

  /** Puts a retry before all others: it was at its turn already. */
  putBack(retry: Retry): void {
    this.#retries.unshift(retry);
  }

  /** Whether nothing may start before its time; then that is waited for. */
  mustWaitForPace(): boolean {
    const waitMs = this.#ports.pacer?.waitMs() ?? 0;
    if (waitMs === 0) return false;
    this.#paceTimer ??= this.#ports.clock.after(waitMs, () => {
      this.#paceTimer = undefined;
      this.#onTime();
    });
    return true;
  }

  /** Whether what ended must be written before anything may start; then that is waited for. */
  mustWaitForRecords(): boolean {
    const { records } = this.#ports;
    if (records?.behind !== true) return false;
    if (this.#catchingUp) return true;
    this.#catchingUp = true;
    void records.caughtUp().then(() => {
      this.#catchingUp = false;
      if (!this.#stopped) this.#onTime();
    });
    return true;
  }

  /** Whether the task's subtasks start one by one, because their starts are spaced. */
  isPaced({ work: { task } }: TaskState): boolean {
    const { pacer, pools } = this.#ports;
    return pacer !== undefined || (task.pool !== undefined && pools?.isPaced(task.pool) === true);
  }

  /** Something of the task starts: it holds its share of its pool until `ended`. */
  started({ work: { task } }: TaskState): void {
    const { pacer, pools } = this.#ports;
    pacer?.started();
    if (task.pool !== undefined) pools?.take(task.pool);
  }

  /** What had started ended. */
  ended({ work: { task } }: TaskState): void {
    if (task.pool === undefined) return;
    this.#ports.pools?.giveBack(task.pool);
    this.#comeBack();
  }

  /** Nothing is waited for any more. */
  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#retryTimers) cancel();
    this.#paceTimer?.();
    this.#poolTimer?.();
  }

  /**
   * Whether the pool of the task has room. Where it has later, at a known time, that is waited for; a share that is given back asks
   * again by itself.
   */
  mayStart({ work: { task } }: TaskState): boolean {
    const { pools, clock } = this.#ports;
    if (pools === undefined || task.pool === undefined) return true;
    const admission = pools.admission(task.pool);
    if (admission.kind === 'later' && this.#poolTimer === undefined) {
      this.#poolTimer = clock.after(admission.ms, () => {
        this.#poolTimer = undefined;
        this.#comeBack();
        this.#onTime();
      });
    }
    return admission.kind === 'yes';
  }

  /** Tasks that their pools kept are looked at again. */
  #comeBack(): void {
    for (const state of this.#kept) this.enqueue(state);
    this.#kept.clear();
  }
}
