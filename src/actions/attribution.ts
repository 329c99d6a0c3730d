import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * Whose code it is that runs, of all who share a thread. A call that is over when it returns is told by a variable. What goes on
 * later is followed through promises and timers by Node's asynchronous context: as soon as that is on, each of them, and each
 * handle that Node makes, costs more, so it is on only while there is somebody to follow.
 */
export class Attribution<Owner extends object> {
  readonly #context = new AsyncLocalStorage<Owner>();
  readonly #followed = new Set<Owner>();
  #calling: Owner | undefined;
  #lastCalled: Owner | undefined;
  #unfollowed: Owner | undefined;
  #callsGoOn = false;

  /** Whose code runs now; undefined where it is nobody's, or left behind by a call. */
  get owner(): Owner | undefined {
    return this.#calling ?? this.#context.getStore() ?? this.#unfollowed;
  }

  /** Who was called last: what calls left behind is this one's, or that of one before it. */
  get lastCalled(): Owner | undefined {
    return this.#lastCalled;
  }

  /** Runs what may go on after it returned, until `release`. */
  follow<Value>(owner: Owner, work: () => Value): Value {
    this.#followed.add(owner);
    return this.#context.run(owner, work);
  }

  /** Runs what is over when it returns. Until `release` all the same: after the first that was not, calls are followed. */
  call<Value>(owner: Owner, work: () => Value): Value {
    if (this.#callsGoOn) return this.follow(owner, work);
    if (this.#followed.size === 0) this.#context.disable();
    this.#calling = owner;
    this.#lastCalled = owner;
    try {
      return work();
    } finally {
      this.#calling = undefined;
    }
  }

  /**
   * What was called goes on after all. It cannot be followed any more: what is nobody's is taken to be its, until `release`. It is
   * the only one, since calls are followed from now on.
   */
  goesOn(owner: Owner): void {
    if (this.#callsGoOn) return;
    this.#callsGoOn = true;
    this.#unfollowed = owner;
  }

  /** The owner is over. */
  release(owner: Owner): void {
    this.#followed.delete(owner);
    if (this.#unfollowed === owner) this.#unfollowed = undefined;
  }
}
