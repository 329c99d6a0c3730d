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
  #unfollowed: Owner | undefined;

  /** Whose code runs now; undefined where it is nobody's, or that of somebody who is over. */
  get owner(): Owner | undefined {
    return this.#calling ?? this.#context.getStore() ?? this.#unfollowed;
  }

  /** Runs what may go on after it returned, until `release`. */
  follow<Value>(owner: Owner, work: () => Value): Value {
    this.#followed.add(owner);
    return this.#context.run(owner, work);
  }

  /** Runs what is over when it returns. */
  call<Value>(owner: Owner, work: () => Value): Value {
    this.rest();
    this.#calling = owner;
    try {
      return work();
    } finally {
      this.#calling = undefined;
    }
  }

  /** What was called goes on after all: what is nobody else's is taken to be its, until `release`. */
  goesOn(owner: Owner): void {
    this.#unfollowed = owner;
  }

  /** Ends the effort of following where there is nobody to follow. To end and begin it takes a microsecond: not after each owner. */
  rest(): void {
    if (this.#followed.size === 0) this.#context.disable();
  }

  /** The owner is over. */
  release(owner: Owner): void {
    this.#followed.delete(owner);
    if (this.#unfollowed === owner) this.#unfollowed = undefined;
  }
}
