/** What a slow start comes to after an outcome: a number of agents to try, or the one that it settles on. */
export interface SlowStartStep {
  readonly agents: number;
  /** More agents brought no more throughput: the number is one to remember. */
  readonly settled: boolean;
  /** The throughput grew nearly as much as the number did: nothing holds the present number up. */
  readonly grew: boolean;
  readonly reason: string;
}

/** More agents must bring at least this share of the throughput that they would if nothing held them up. */
const WORTH = 0.08;
/** With less than this share of it, more outcomes are waited for: a few of them tell large gains from small ones, and not small ones from none. */
const CLEAR = 0.3;
/** With this share of it nothing held them up, by all that could be seen. */
const FREE = 0.7;
/** From so many times the agents on, a change of throughput says something of their number. */
const TELLING = 1.5;
/** Outcomes that make a throughput, at least, and milliseconds. */
const LEAST_OUTCOMES = 16;
const LEAST_MS = 25;
/** Where a gain is not clear: for each agent, but no longer than this. */
const DOUBTFUL_ROUNDS = 16;
const DOUBTFUL_MS = 150;

/** What a number of agents came to: subtasks a second. */
interface Level {
  readonly agents: number;
  readonly throughput: number;
}

/** Whether throughput grew by at least this share of what the agents did. */
function hasGrown(before: Level, now: Level, share: number): boolean {
  return now.throughput >= before.throughput * (1 + (share * (now.agents - before.agents)) / before.agents);
}

/**
 * Goes from a few agents to many by doubling them for as long as throughput grows with them. Durations cannot tell whether
 * more agents help: work that queues behind a disk looks just like work that waits for somebody else.
 *
 *   measuring (skip a round of outcomes, count another) --grew--> doubled, measuring --target--> done
 *                                                         \--did not grow--> back at the last number that paid, done
 */
export class SlowStart {
  readonly #target: number;
  readonly #why: string;
  #before: Level | undefined;
  /** Outcomes and time from which on the present number counts; `at` is open while the first round passes. */
  #level: { readonly from: number; at: number | undefined };
  #done = false;

  /**
   * @param finished outcomes so far.
   * @param why there are to be more agents, as the first step tells it.
   */
  constructor(target: number, finished: number, why?: string) {
    this.#target = target;
    this.#why = why === undefined ? '' : `${why}: `;
    this.#level = { from: finished, at: undefined };
  }

  get done(): boolean {
    return this.#done;
  }

  /** Whether a number of agents was measured, so that the next is held against it. */
  get measured(): boolean {
    return this.#before !== undefined;
  }

  /** The number of agents was changed by others: measuring begins anew. */
  restart(finished: number): void {
    this.#level = { from: finished, at: undefined };
  }

  /** Takes the state after an outcome: milliseconds, outcomes so far, agents now. */
  next(now: number, finished: number, agents: number): SlowStartStep | undefined {
    if (this.#done) return undefined;
    if (agents >= this.#target && this.#before === undefined) {
      this.#done = true;
      return undefined;
    }
    const skipped = this.#level.from + agents;
    if (finished < skipped) return undefined;
    this.#level.at ??= now;
    const counted = finished - skipped;
    const ms = now - this.#level.at;
    if (counted < Math.max(agents, LEAST_OUTCOMES) || ms <= 0) return undefined;
    const throughput = (1000 * counted) / ms;
    const isLong = ms >= DOUBTFUL_MS || counted >= DOUBTFUL_ROUNDS * agents;
    if (!isLong && (ms < LEAST_MS || !this.#isClear(agents, throughput))) return undefined;
    return this.#judge(agents, throughput, finished);
  }

  #isClear(agents: number, throughput: number): boolean {
    return this.#before === undefined || hasGrown(this.#before, { agents, throughput }, CLEAR);
  }

  #judge(agents: number, throughput: number, finished: number): SlowStartStep | undefined {
    const before = this.#before;
    // The last step to the target may be a small one, whose gain is lost in chance.
    const isTelling = before !== undefined && agents >= TELLING * before.agents;
    if (isTelling && !hasGrown(before, { agents, throughput }, WORTH)) {
      this.#done = true;
      return { agents: before.agents, settled: true, grew: false, reason: `${agents} agents brought no more throughput` };
    }
    if (agents >= this.#target) {
      this.#done = true;
      return undefined;
    }
    this.#before = { agents, throughput };
    this.#level = { from: finished, at: undefined };
    const next = Math.min(this.#target, 2 * agents);
    return {
      agents: next,
      settled: false,
      grew: before !== undefined && hasGrown(before, { agents, throughput }, FREE),
      reason: before === undefined ? `${this.#why}trying twice as many` : 'throughput grew with the agents',
    };
  }
}
