/** A binary heap: the entry with the highest priority first, of equal ones the one of the lowest order. */
export class PriorityQueue<Entry> {
  readonly #heap: { readonly entry: Entry; readonly priority: number; readonly order: number }[] = [];
  #pushed = 0;

  /** @param order that in which entries came, unless the caller has one of its own. */
  push(entry: Entry, priority: number, order: number = this.#pushed++): void {
    const heap = this.#heap;
    let at = heap.push({ entry, priority, order }) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#before(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  peek(): Entry | undefined {
    return this.#heap[0]?.entry;
  }

  pop(): Entry | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined) return undefined;
    if (heap.length > 0) {
      heap[0] = last;
      this.#sink();
    }
    return top.entry;
  }

  #sink(): void {
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      const right = left + 1;
      let best = at;
      if (left < this.#heap.length && this.#before(left, best)) best = left;
      if (right < this.#heap.length && this.#before(right, best)) best = right;
      if (best === at) return;
      this.#swap(at, best);
      at = best;
    }
  }

  #before(a: number, b: number): boolean {
    const one = this.#heap[a];
    const other = this.#heap[b];
    if (one === undefined || other === undefined) return false;
    return one.priority > other.priority || (one.priority === other.priority && one.order < other.order);
  }

  #swap(a: number, b: number): void {
    const one = this.#heap[a];
    const other = this.#heap[b];
    if (one === undefined || other === undefined) return;
    this.#heap[a] = other;
    this.#heap[b] = one;
  }
}
