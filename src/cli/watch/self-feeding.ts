/** Rounds in a row that the same file may set off by being changed while the round before ran. */
const MOST_ROUNDS = 3;

/** Finds out that a plan feeds itself: its runs change files that are inputs of it, which sets off the next run. */
export class SelfFeeding {
  readonly #rounds = new Map<string, number>();

  /**
   * A round is to begin because of these files; `own` are those that changed while the round before ran. The files that have
   * now done that for three rounds in a row, where there are any.
   */
  next(files: Iterable<string>, own: (file: string) => boolean): readonly string[] {
    const now = new Map<string, number>();
    for (const file of files) if (own(file)) now.set(file, (this.#rounds.get(file) ?? 0) + 1);
    this.#rounds.clear();
    for (const [file, rounds] of now) this.#rounds.set(file, rounds);
    return [...now].flatMap(([file, rounds]) => (rounds >= MOST_ROUNDS ? [file] : []));
  }

  reset(): void {
    this.#rounds.clear();
  }
}
