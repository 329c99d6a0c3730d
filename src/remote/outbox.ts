interface Kept<Item> {
  readonly serial: number;
  readonly item: Item;
  sentAt: number;
}

/** Numbers what is sent from 1, and keeps it until it is acknowledged. */
export class Outbox<Item> {
  readonly #kept: Kept<Item>[] = [];
  #last = 0;

  /** What was not acknowledged yet. */
  get size(): number {
    return this.#kept.length;
  }

  /** Keeps an item that is sent now; its serial. */
  add(item: Item, now: number): number {
    this.#last += 1;
    this.#kept.push({ serial: this.#last, item, sentAt: now });
    return this.#last;
  }

  /** Everything up to this serial came. */
  acknowledge(serial: number): void {
    while (this.#kept[0] !== undefined && this.#kept[0].serial <= serial) this.#kept.shift();
  }

  /** What was last sent before that time, to be sent again now. */
  overdue(sentBefore: number, now: number): readonly { readonly serial: number; readonly item: Item }[] {
    const late = this.#kept.filter(({ sentAt }) => sentAt <= sentBefore);
    for (const kept of late) kept.sentAt = now;
    return late;
  }
}
