/** Why an attempt is to end before it is done. */
export type StopCause = 'timeout' | 'cancelled';

/** A request to cancel that another thread can make at any moment, also while this one is computing. */
export interface CancelFlag {
  readonly cancelled: boolean;
}

/**
 * Tells one attempt to end: because its time is up, or because the run is stopped. The `AbortSignal` is made when somebody
 * first asks for it: most functions never do, and making one costs more than they take.
 */
export class StopSource {
  readonly #flag: CancelFlag | undefined;
  #cause: StopCause | undefined;
  #controller: AbortController | undefined;
  #listeners: (() => void)[] | undefined;

  /** @param flag set by the coordinator; the message that says the same may come after the work has ended. */
  constructor(flag?: CancelFlag) {
    this.#flag = flag;
  }

  /** What it was stopped for first; undefined while it was not. */
  get cause(): StopCause | undefined {
    return this.#cause ?? (this.#flag?.cancelled === true ? 'cancelled' : undefined);
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.cause !== undefined) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  stop(cause: StopCause): void {
    if (this.#cause !== undefined) return;
    this.#cause = cause;
    this.#controller?.abort();
    for (const listener of this.#listeners ?? []) listener();
  }

  /** Calls `listener` when it is stopped; at once where it was. */
  onStop(listener: () => void): void {
    if (this.cause !== undefined) {
      listener();
      return;
    }
    this.#listeners ??= [];
    this.#listeners.push(listener);
  }
}
