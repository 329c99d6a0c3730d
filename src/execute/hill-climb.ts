/** A change of the number of agents, and why. */
export interface AgentsChange {
  readonly agents: number;
  readonly reason: string;
  /** More agents brought no more throughput: the number is one to remember. */
  readonly settled?: boolean;
}

/** By how much a number of agents grows in one step until a step up does not pay: what brings a little each time brings more in the end. */
const FIRST_STEP = 2;
/** By how much it grows or shrinks after that, and what a change of throughput must exceed to count. */
const STEP = 1.25;
const NOISE = 0.05;
/** Windows of rest after a step that did not pay; doubled each time, so that a settled number is left alone. */
const FIRST_REST = 4;
const LONGEST_REST = 64;

/**
 * Looks for the number of agents with the most throughput, one window of time after another: a hill climb with
 * hysteresis.
 *
 *   resting --rest over--> trying --throughput rose more than 5%--> trying (further, same way)
 *      ^                     |  \--fewer agents, same throughput--> resting (at the lower number)
 *      \-----else, back------/
 */
export class HillClimb {
  readonly #most: number;
  #agents: number;
  #way: 'up' | 'down' = 'up';
  #stride = FIRST_STEP;
  /** What the number before the present step achieved, while one is tried. */
  #before: { readonly agents: number; readonly throughput: number } | undefined;
  #rest = 0;
  #nextRest = FIRST_REST;

  constructor(agents: number, most: number) {
    this.#agents = agents;
    this.#most = most;
  }

  /** Takes the throughput of the window that ended (subtasks a second) and says what to change, if anything. */
  next(throughput: number): AgentsChange | undefined {
    if (this.#before !== undefined) return this.#judge(this.#before, throughput);
    if (this.#rest > 0) {
      this.#rest -= 1;
      return undefined;
    }
    return this.#step(throughput, 'looking for more throughput');
  }

  /** The number could not be changed as asked: it stays at `agents`. */
  refused(agents: number): void {
    this.#agents = agents;
    this.#before = undefined;
    this.#settle();
  }

  #judge(before: { readonly agents: number; readonly throughput: number }, throughput: number): AgentsChange | undefined {
    this.#before = undefined;
    const gain = before.throughput === 0 ? 0 : throughput / before.throughput - 1;
    if (gain > NOISE) {
      this.#nextRest = FIRST_REST;
      return this.#step(throughput, `throughput rose ${percent(gain)}`);
    }
    if (this.#way === 'down' && gain >= -NOISE) {
      this.#settle();
      return undefined;
    }
    this.#agents = before.agents;
    const settled = this.#way === 'up';
    if (settled) this.#stride = STEP;
    this.#settle();
    const reason = gain < -NOISE ? `throughput fell ${percent(-gain)}` : 'throughput did not rise';
    return { agents: before.agents, reason, ...(settled && { settled }) };
  }

  #step(throughput: number, reason: string): AgentsChange | undefined {
    const up = Math.min(this.#most, Math.max(this.#agents + 1, Math.round(this.#agents * this.#stride)));
    const down = Math.max(1, Math.min(this.#agents - 1, Math.round(this.#agents / STEP)));
    const agents = this.#way === 'up' ? up : down;
    if (agents === this.#agents) {
      this.#settle();
      return undefined;
    }
    this.#before = { agents: this.#agents, throughput };
    this.#agents = agents;
    return { agents, reason };
  }

  #settle(): void {
    this.#way = this.#way === 'up' ? 'down' : 'up';
    this.#rest = this.#nextRest;
    this.#nextRest = Math.min(LONGEST_REST, this.#nextRest * 2);
  }
}

function percent(share: number): string {
  return `${Math.round(share * 100)}%`;
}
