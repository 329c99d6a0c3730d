import type { Clock } from '../model/clock.js';

/** A start that comes late by no more than this, as timers do, is made up for by the next ones. */
export const CATCH_UP_MS = 20;

/**
 * Keeps starts at or below a rate by an even distance between them: a burst at the start of each minute would trip an API's
 * own limiter. What timers make late is made up for, so that the rate is used; rates of more than a start in that time are
 * taken 2% lower, so that no window of a second or more holds more than its share (and one) all the same.
 */
export class Pacer {
  readonly #intervalMs: number;
  readonly #clock: Clock;
  #next = Number.NEGATIVE_INFINITY;

  constructor(perMinute: number, clock: Clock) {
    const intervalMs = 60_000 / perMinute;
    this.#intervalMs = intervalMs >= CATCH_UP_MS ? intervalMs : intervalMs / (1 - CATCH_UP_MS / 1000);
    this.#clock = clock;
  }

  /** Milliseconds until the next start may be made; 0 is now. */
  waitMs(): number {
    return Math.max(0, this.#next - this.#clock.now());
  }

  /** Tells that a start was made. */
  started(): void {
    const now = this.#clock.now();
    // Later than a timer is: nobody wanted to start, and starts are not saved up.
    this.#next = (now - this.#next <= CATCH_UP_MS ? this.#next : now) + this.#intervalMs;
  }
}
