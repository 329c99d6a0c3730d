/** Subtasks in a row, by index. */
export interface IndexRange {
  readonly first: number;
  readonly count: number;
}

/**
 * The subtasks of a task that wait for an agent, as ranges of their indexes: a million that are ready at once are one range.
 */
export class TaskQueue {
  /** In the order in which they are to start, from the head on: a resumed run may have a range for every other subtask. */
  #ranges: IndexRange[] = [];
  #head = 0;
  #waiting = 0;

  /** Subtasks that wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Adds a range behind all others; one that continues the last is made one with it. */
  add(first: number, count: number): void {
    if (count === 0) return;
    this.#waiting += count;
    const last = this.#head < this.#ranges.length ? this.#ranges.at(-1) : undefined;
    if (last !== undefined && last.first + last.count === first)
      this.#ranges[this.#ranges.length - 1] = { first: last.first, count: last.count + count };
    else this.#ranges.push({ first, count });
  }

  /** Puts a range before all others: it was at its turn already. */
  putBack(first: number, count: number): void {
    if (count === 0) return;
    this.#waiting += count;
    if (this.#head > 0) this.#ranges[--this.#head] = { first, count };
    else this.#ranges.unshift({ first, count });
  }

  /** Takes up to `most` subtasks in a row. */
  take(most: number): IndexRange | undefined {
    const head = this.#ranges[this.#head];
    if (head === undefined) return undefined;
    const count = Math.min(most, head.count);
    if (count < head.count) this.#ranges[this.#head] = { first: head.first + count, count: head.count - count };
    else if (++this.#head >= Math.max(1024, this.#ranges.length / 2)) {
      this.#ranges = this.#ranges.slice(this.#head);
      this.#head = 0;
    }
    this.#waiting -= count;
    return { first: head.first, count };
  }
}
