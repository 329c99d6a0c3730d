/** Rounds in a row that the same file may set off by being changed while the round before ran. */
const MOST_ROUNDS = 3;

/** Finds out that a plan feeds itself: its runs change files that are inputs of it, which sets off the next run. */
export class SelfFeeding {
  #round = 0;
  /** How many rounds in a row changed a file, up to the round before this one, and up to this one. */
  #before = new Map<string, number>();
  #now = new Map<string, number>();

  /**
   * Another round is to begin because of these files; `own` are those that changed while round number `round` ran, which may be
   * asked about several times. The files that changed during three rounds in a row, where there are any.
   */
  next(files: Iterable<string>, own: (file: string) => boolean, round = this.#round + 1): readonly string[] {
    if (round !== this.#round) {
      this.#before = round === this.#round + 1 ? this.#now : new Map();
      this.#now = new Map();
      this.#round = round;
    }
    for (const file of files) if (own(file)) this.#now.set(file, (this.#before.get(file) ?? 0) + 1);
    return [...this.#now].flatMap(([file, rounds]) => (rounds >= MOST_ROUNDS ? [file] : []));
  }

  /** The round is over: files that changed after its work was done, while it was recorded, were changed by others. */
  ended(isWork: (file: string) => boolean): void {
    for (const file of this.#now.keys()) if (!isWork(file)) this.#now.delete(file);
  }

  reset(): void {
    this.#before.clear();
    this.#now.clear();
  }
}
