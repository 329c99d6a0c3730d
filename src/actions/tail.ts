/**
 * Keeps the end of a stream in bounded memory. The end, because that is where a command says
 * why it failed. At most twice `limit` bytes are held.
 */
export class Tail {
  /** Bytes that are kept. */
  readonly limit: number;
  #chunks: Buffer[] = [];
  #held = 0;
  #total = 0;
  #uncounted = false;

  /** @param limit bytes that are kept. */
  constructor(limit: number) {
    this.limit = limit;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    this.#total += chunk.length;
    if (this.#held > 2 * this.limit) this.#trim();
  }

  /** Counts bytes that went by unseen. What was kept before them is no longer the end. */
  skip(bytes: number): void {
    if (bytes === 0) return;
    this.#chunks = [];
    this.#held = 0;
    this.#total += bytes;
  }

  /** From now on the count of what was cut is a lower bound: more went by than anybody saw. */
  lose(): void {
    this.#uncounted = true;
  }

  /** Bytes that went by and were not kept, at least. */
  get dropped(): number {
    return this.#total - Math.min(this.#held, this.limit);
  }

  /** What was kept, or the last `most` bytes of it, as text; a first line says how much was cut, if any was. */
  text(most: number = this.limit): string {
    this.#trim();
    const all = Buffer.concat(this.#chunks);
    const kept = all.subarray(Math.max(0, all.length - most));
    const cut = this.#total - kept.length;
    if (cut === 0) return kept.toString('utf8');
    return `[${this.#uncounted ? 'at least ' : ''}${cut} bytes cut: the last ${amount(most)} are kept]\n${kept.toString('utf8')}`;
  }

  #trim(): void {
    if (this.#held <= this.limit) return;
    const all = Buffer.concat(this.#chunks);
    // A copy, so that the large buffer is not kept alive by a view of its end.
    const kept = Buffer.from(all.subarray(all.length - this.limit));
    this.#chunks = [kept];
    this.#held = kept.length;
  }
}

/** An amount of bytes for people. */
export function amount(bytes: number): string {
  return bytes % 1024 === 0 ? `${bytes / 1024} KiB` : `${bytes} bytes`;
}
