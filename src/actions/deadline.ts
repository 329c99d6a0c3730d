/** A timer that fires later than this was delayed: another module had the thread, or the process was paused. Milliseconds. */
const DELAYED_MS = 250;

/**
 * Calls `due` when `ms` have passed in which this thread could take events. Before that it lets the event loop take what
 * has arrived, so that work that has already ended is not blamed for a timer that came first; and the time that the thread
 * was blocked or the process paused is added once more, because nothing could end meanwhile.
 * The returned function cancels it.
 */
export function afterRunning(ms: number, due: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  let cancelled = false;
  const wait = (waitMs: number) => {
    const dueAt = performance.now() + waitMs;
    timer = setTimeout(() => {
      const delayMs = performance.now() - dueAt;
      if (delayMs > DELAYED_MS) wait(Math.min(ms, delayMs));
      else setImmediate(() => cancelled || due());
    }, waitMs);
  };
  wait(ms);
  return () => {
    cancelled = true;
    clearTimeout(timer);
  };
}

/** The moment at which an attempt's time is up, for code that has the thread then, so that no timer can fire. */
export class Deadline {
  /** By `performance.now()`. */
  readonly #dueAt: number;
  #passedRunning = false;

  constructor(timeoutMs: number) {
    this.#dueAt = performance.now() + timeoutMs;
  }

  /** The attempt's own code had the thread in this time. */
  used(from: number, to: number): void {
    if (from <= this.#dueAt && to >= this.#dueAt) this.#passedRunning = true;
  }

  /** Whether the attempt's own code had the thread when its time was up. */
  get passedRunning(): boolean {
    return this.#passedRunning;
  }
}
