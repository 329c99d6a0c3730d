import { displayText } from '../data/text.js';

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

  /** @param limit bytes that are kept. */
  constructor(limit: number) {
    this.limit = limit;
  }

  /** Keeps a copy of the chunk's end. */
  push(chunk: Buffer): void {
    this.#total += chunk.length;
    if (chunk.length >= this.limit) {
      this.#chunks = [Buffer.from(chunk.subarray(chunk.length - this.limit))];
      this.#held = this.limit;
      return;
    }
    this.#chunks.push(Buffer.from(chunk));
    this.#held += chunk.length;
    if (this.#held > 2 * this.limit) this.#trim();
  }

  /** Bytes that were pushed. */
  get total(): number {
    return this.#total;
  }

  /** Bytes that were pushed and are not kept. */
  get dropped(): number {
    return this.#total - Math.min(this.#held, this.limit);
  }

  /** What was kept. */
  bytes(): Buffer {
    this.#trim();
    return this.#chunks.length === 1 && this.#chunks[0] !== undefined ? this.#chunks[0] : Buffer.concat(this.#chunks);
  }

  /** What was kept, or the last `most` bytes of it, as text; a first line says how much was cut, if any was. */
  text(most: number = this.limit): string {
    const all = this.bytes();
    const kept = all.subarray(Math.max(0, all.length - most));
    const cut = this.#total - kept.length;
    if (cut === 0) return displayText(kept);
    return `[${cut} bytes cut: the last ${amount(most)} are kept]\n${displayText(kept)}`;
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
