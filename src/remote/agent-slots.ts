/** The agents of a worker, which all runs share: work waits, in order, for one that is idle. */
export class AgentSlots {
  readonly #idle: number[];
  #waiting: ((slot: number) => void)[] = [];

  constructor(agents: number) {
    this.#idle = Array.from({ length: agents }, (_, slot) => slot);
  }

  /** Calls `start` with an agent of its own, now or later; the returned function takes the wish back, and is false where it was fulfilled. */
  take(start: (slot: number) => void): () => boolean {
    const slot = this.#idle.shift();
    if (slot !== undefined) {
      start(slot);
      return () => false;
    }
    this.#waiting.push(start);
    return () => {
      const before = this.#waiting.length;
      this.#waiting = this.#waiting.filter((other) => other !== start);
      return this.#waiting.length < before;
    };
  }

  giveBack(slot: number): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#idle.push(slot);
    else next(slot);
  }
}
