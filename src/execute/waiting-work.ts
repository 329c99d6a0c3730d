import type { DispatcherPorts } from './dispatcher-ports.js';
import { PoolLine, type Turn, weightOf } from './pool-line.js';
import type { Retry, TaskState } from './task-state.js';

/** What holds work back that could start. */
type WaitingPorts = Pick<DispatcherPorts, 'clock' | 'pacer' | 'pools' | 'records'>;

/** A pool's line, and the timer that runs while the pool's rate holds its head back. */
interface Place {
  readonly line: PoolLine;
  timer: (() => void) | undefined;
}

/**
 * What waits for an agent, and what of it may start next: tasks that have subtasks waiting, and subtasks that are to be tried
 * again. Each pool has a line of its own, see `PoolLine`; the pace of the run and the disk hold all of them back.
 */
export class WaitingWork {
  readonly #ports: WaitingPorts;
  readonly #onTime: () => void;
  /** By pool; undefined: without one. */
  readonly #places = new Map<string | undefined, Place>();
  /** Cancels the wait of those whose time has not come. */
  readonly #retryTimers = new Set<() => void>();
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
    this.#placeOf(state).line.add(state);
  }

  /**
   * What may start now, of the heads that fit into their pools: one that is overdue, else a retry, else the one with the
   * highest priority. `started` must follow when it does start.
   */
  next(): Turn | undefined {
    let best: Turn | undefined;
    for (const place of this.#places.values()) {
      const { head } = place.line;
      if (head === undefined || (best !== undefined && !isBefore(head, best))) continue;
      if (this.#fits(head.state, place)) best = head;
    }
    return best;
  }

  retry(retry: Retry): void {
    this.#placeOf(retry.state).line.addRetry(retry);
  }

  retryAfter(delayMs: number, retry: Retry): void {
    const cancel = this.#ports.clock.after(delayMs, () => {
      this.#retryTimers.delete(cancel);
      this.retry(retry);
      this.#onTime();
    });
    this.#retryTimers.add(cancel);
  }

  /** Puts a retry before all others: it was at its turn already. */
  putBack(retry: Retry): void {
    this.#placeOf(retry.state).line.putBack(retry);
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

  /**
   * Whether the task's subtasks start one by one and not in chunks: their starts are spaced, or a heavier subtask waits in
   * the pool, whose turn would come only after the chunk.
   */
  goesOneByOne(state: TaskState): boolean {
    const { pacer, pools } = this.#ports;
    const { pool } = state.work.task;
    if (pacer !== undefined) return true;
    return pool !== undefined && (pools?.isPaced(pool) === true || this.#placeOf(state).line.hasHeavier(state));
  }

  /** Whether the pool of the task is reserved for a heavier subtask, so that the rest of a chunk should not hold it any longer. */
  mustMakeWay(state: TaskState): boolean {
    if (state.work.task.pool === undefined) return false;
    const place = this.#placeOf(state);
    const { head } = place.line;
    return head !== undefined && weightOf(head.state) > weightOf(state) && !this.#fits(head.state, place);
  }

  /** What was next starts: it holds its share of its pool until `ended`. */
  started(turn: Turn): void {
    const { pacer, pools } = this.#ports;
    const { pool } = turn.state.work.task;
    pacer?.started();
    if (pool !== undefined) pools?.take(pool);
    this.#placeOf(turn.state).line.started(turn);
  }

  /** What had started ended. */
  ended({ work: { task } }: TaskState): void {
    if (task.pool !== undefined) this.#ports.pools?.giveBack(task.pool);
  }

  /** Nothing is waited for any more. */
  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#retryTimers) cancel();
    this.#paceTimer?.();
    for (const { timer } of this.#places.values()) timer?.();
  }

  /** Whether another agent could start something of the task that is with an agent now: nothing waits before it, and its pool has room. */
  mayTakeOver(state: TaskState): boolean {
    const place = this.#placeOf(state);
    return place.line.head === undefined && this.#fits(state, place);
  }

  /** Whether the pool of the task has room. Where it has later, at a known time, that is waited for. */
  #fits({ work: { task } }: TaskState, place: Place): boolean {
    const { pools, clock } = this.#ports;
    if (pools === undefined || task.pool === undefined) return true;
    const admission = pools.admission(task.pool);
    if (admission.kind === 'later') {
      place.timer ??= clock.after(admission.ms, () => {
        place.timer = undefined;
        this.#onTime();
      });
    }
    return admission.kind === 'yes';
  }

  #placeOf({ work: { task } }: TaskState): Place {
    const pool = task.pool?.pool;
    const known = this.#places.get(pool);
    if (known !== undefined) return known;
    const place = { line: new PoolLine(pool !== undefined), timer: undefined };
    this.#places.set(pool, place);
    return place;
  }
}

function isBefore(one: Turn, other: Turn): boolean {
  const by = rank(one) - rank(other);
  if (by !== 0) return by < 0;
  const [a, b] = [one.state, other.state];
  return a.work.priority > b.work.priority || (a.work.priority === b.work.priority && a.position < b.position);
}

function rank({ overdue, retry }: Turn): number {
  return overdue ? 0 : retry !== undefined ? 1 : 2;
}
