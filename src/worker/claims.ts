/** Above any count, so that an addition to it claims nothing. */
const RECLAIMED = 1 << 30;

/**
 * Which subtasks of a chunk were begun. The runner claims them one by one; the coordinator may take back, at any moment and
 * without asking, all that were not claimed yet, and cancel the one that runs. In shared memory, because a thread in a long
 * computation answers no message.
 */
export class Claims {
  readonly buffer: SharedArrayBuffer;
  readonly #next: Int32Array;
  readonly #cancelled: Int32Array;
  readonly #startedAt: Float64Array;
  readonly #count: number;
  #reclaimed: number | undefined;

  constructor(count: number, buffer = new SharedArrayBuffer(16)) {
    this.buffer = buffer;
    this.#count = count;
    this.#next = new Int32Array(buffer, 0, 1);
    this.#cancelled = new Int32Array(buffer, 4, 1);
    this.#startedAt = new Float64Array(buffer, 8, 1);
  }

  /** The next position to run, in the runner; undefined when there is none or the rest was taken back. */
  claim(now: number): number | undefined {
    const position = Atomics.add(this.#next, 0, 1);
    if (position >= this.#count) return undefined;
    this.#startedAt[0] = now;
    return position;
  }

  /** Takes back what was not claimed: the first such position; `count` where there is none. */
  reclaim(): number {
    this.#reclaimed ??= Math.min(this.#count, Atomics.exchange(this.#next, 0, RECLAIMED));
    return this.#reclaimed;
  }

  /** Takes back what was not claimed; what still runs is cancelled, whatever it returns. */
  cancel(): void {
    this.reclaim();
    Atomics.store(this.#cancelled, 0, 1);
  }

  get cancelled(): boolean {
    return Atomics.load(this.#cancelled, 0) === 1;
  }

  /** How many were claimed so far. */
  get claimed(): number {
    return this.#reclaimed ?? Math.min(this.#count, Atomics.load(this.#next, 0));
  }

  /** When the last claimed one began, in milliseconds on the run's time line; 0 before the first. */
  get startedAt(): number {
    return this.#startedAt[0] ?? 0;
  }
}
