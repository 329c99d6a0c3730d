/**
 * Puts what one sender numbered from 1 in order again, and drops what came before: envelopes are sent again until they are
 * acknowledged, and those that a Redis lost leave a gap until then.
 */
export class Inbox<Item> {
  #taken = 0;
  readonly #early = new Map<number, Item>();

  /** All up to this serial were taken. */
  get taken(): number {
    return this.#taken;
  }

  /** The items that are at their turn with this one, in order; none where it came before, or a gap is before it. */
  take(serial: number, item: Item): readonly Item[] {
    if (serial <= this.#taken) return [];
    this.#early.set(serial, item);
    const ready: Item[] = [];
    for (let next = this.#early.get(this.#taken + 1); next !== undefined; next = this.#early.get(this.#taken + 1)) {
      this.#taken += 1;
      this.#early.delete(this.#taken);
      ready.push(next);
    }
    return ready;
  }
}
