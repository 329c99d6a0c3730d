import { PriorityQueue } from '../graph/priority-queue.js';
import type { Retry, TaskState } from './task-state.js';

/** A subtask at the head of a line. */
export interface Turn {
  readonly state: TaskState;
  /** Set where the subtask was tried before. */
  readonly retry: Retry | undefined;
  /** It has waited longest while others were served, and goes before everything else. */
  readonly overdue: boolean;
}

/** After this many starts that pass over the subtask that has waited longest, that one is next. */
export const MOST_PASSED_OVER = 8;

/**
 * The line for one pool; subtasks without a pool have a line too.
 *
 * Only the head of a line may start. If it does not fit into the pool, what is free stays reserved for it: it starts at the latest
 * when everything that was running at that moment has ended, however heavy it is. Other lines go on. A subtask holds one
 * pool at most and no weight is above its pool's size, so that no two heads can wait for each other.
 *
 * The head is the first retry, else the subtask with the longest path behind it, else the first in plan order. That
 * could pass a subtask over for as long as others arrive. So the line counts the starts since the subtask that has waited longest
 * was served: after MOST_PASSED_OVER of them that subtask is the head. At most one start in MOST_PASSED_OVER + 1 departs
 * from the order of priorities.
 */
export class PoolLine {
  readonly #retries: Retry[] = [];
  readonly #byPriority = new PriorityQueue<TaskState>();
  /** Tasks with waiting subtasks, the one that was served least recently first. */
  readonly #byAge = new Set<TaskState>();
  /** Those tasks, counted by weight. */
  readonly #weights = new Map<number, number>();
  readonly #ages: boolean;
  #passedOver = 0;

  /** @param ages whether waiting time counts; without a pool nothing is reserved, and only priority does. */
  constructor(ages: boolean) {
    this.#ages = ages;
  }

  /** Call it whenever something was added to the task's queue. */
  add(state: TaskState): void {
    if (state.queue.waiting === 0) return;
    if (this.#ages && !this.#byAge.has(state)) {
      this.#byAge.add(state);
      this.#countWeight(state, 1);
    }
    if (state.queued) return;
    state.queued = true;
    this.#byPriority.push(state, state.work.priority, state.position);
  }

  addRetry(retry: Retry): void {
    this.#retries.push(retry);
  }

  /** Adds a retry that had its turn already, before all others. */
  putBack(retry: Retry): void {
    this.#retries.unshift(retry);
  }

  /** The only subtask of the line that may start. */
  get head(): Turn | undefined {
    const overdue = this.#passedOver < MOST_PASSED_OVER ? undefined : this.#oldest;
    if (overdue !== undefined) return { state: overdue, retry: undefined, overdue: true };
    const [retry] = this.#retries;
    if (retry !== undefined) return { state: retry.state, retry, overdue: false };
    const state = this.#first();
    return state && { state, retry: undefined, overdue: false };
  }

  /** The head starts. Its subtask must have left the task's queue. */
  started({ state, retry }: Turn): void {
    if (retry !== undefined) this.#retries.shift();
    if (!this.#ages) return;
    const served = retry === undefined && this.#oldest === state;
    this.#passedOver = served || this.#oldest === undefined ? 0 : this.#passedOver + 1;
    if (retry !== undefined) return;
    this.#byAge.delete(state);
    if (state.queue.waiting > 0) this.#byAge.add(state);
    else this.#countWeight(state, -1);
  }

  /** Whether a subtask waits that holds more of the pool than one of this task. */
  hasHeavier(state: TaskState): boolean {
    const own = weightOf(state);
    for (const [weight, tasks] of this.#weights) if (weight > own && tasks > 0) return true;
    return false;
  }

  #countWeight(state: TaskState, by: 1 | -1): void {
    const weight = weightOf(state);
    this.#weights.set(weight, (this.#weights.get(weight) ?? 0) + by);
  }

  #first(): TaskState | undefined {
    for (let state = this.#byPriority.peek(); state !== undefined; state = this.#byPriority.peek()) {
      if (state.queue.waiting > 0) return state;
      state.queued = false;
      this.#byPriority.pop();
    }
    return undefined;
  }

  /** The task whose next subtask has waited longest. */
  get #oldest(): TaskState | undefined {
    const [oldest] = this.#byAge;
    return oldest;
  }
}

/** How much of its pool a subtask of the task holds. */
export function weightOf({ work: { task } }: TaskState): number {
  return task.pool?.weight ?? 0;
}
