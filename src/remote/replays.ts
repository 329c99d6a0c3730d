/** Serials that are remembered; those before them are taken for seen. */
const REMEMBERED = 65_536;

/** What is to be done with a job by its number. */
export type JobSeen =
  | 'new'
  /** It was taken before, and its sender, who did not hear of that, sent it again. */
  | 'sent-again'
  /** Somebody else sent it a second time. */
  | 'replayed';

/**
 * Knows the jobs that were taken from one sender, who numbers them and counts how often it sent each: a number that comes
 * again without a higher count is a copy. Remembered by the receiver, so that nothing in Redis is trusted.
 */
export class Replays {
  readonly #deliveries = new Map<number, number>();
  #forgotten = 0;

  see(serial: number, delivery: number): JobSeen {
    const before = this.#deliveries.get(serial);
    if (before !== undefined && delivery <= before) return 'replayed';
    if (before === undefined && serial <= this.#forgotten) return 'replayed';
    this.#deliveries.set(serial, delivery);
    if (this.#deliveries.size > REMEMBERED) this.#forget();
    return before === undefined ? 'new' : 'sent-again';
  }

  #forget(): void {
    const [oldest] = this.#deliveries.keys();
    if (oldest === undefined) return;
    this.#deliveries.delete(oldest);
    this.#forgotten = Math.max(this.#forgotten, oldest);
  }
}
