import type { Clock } from '../model/clock.js';

/**
 * Keeps starts at or below a rate by an even distance between them, so that no window of any length
 * holds more than its share (and one): a burst at the start of each minute would trip an API's own limiter.
 */
export class Pacer {
  readonly #intervalMs: number;
  readonly #clock: Clock;
  #next = Number.NEGATIVE_INFINITY;

  constructor(perMinute: number, clock: Clock) {
    this.#intervalMs = 60_000 / perMinute;
    this.#clock = clock;
  }

  /** Milliseconds until the next start may be made; 0 is now. */
  waitMs(): number {
    return Math.max(0, this.#next - this.#clock.now());
  }

  /** Tells that a start was made. */
  started(): void {
    this.#next = Math.max(this.#next, this.#clock.now()) + this.#intervalMs;
  }
}
