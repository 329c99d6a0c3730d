import { displayText } from '../data/text.js';

/** Texts by their names. One that stands in a file's bytes is made when it is asked for: of ten thousand, few may be. */
export class LateTexts {
  readonly #texts = new Map<string, string | number>();
  #bytes: Buffer = Buffer.alloc(0);

  /** The bytes that positions are of. */
  from(bytes: Buffer): void {
    this.#bytes = bytes;
  }

  get size(): number {
    return this.#texts.size;
  }

  get(name: string): string | undefined {
    const text = this.#texts.get(name);
    return typeof text === 'number' ? this.#at(text) : text;
  }

  set(name: string, text: string): void {
    this.#texts.set(name, text);
  }

  /** The text is what stands from this position on, up to the end of the line. */
  setAt(name: string, position: number): void {
    this.#texts.set(name, position);
  }

  delete(name: string): boolean {
    return this.#texts.delete(name);
  }

  clear(): void {
    this.#texts.clear();
  }

  *[Symbol.iterator](): Generator<readonly [name: string, text: string], void, undefined> {
    for (const [name, text] of this.#texts) yield [name, typeof text === 'number' ? this.#at(text) : text];
  }

  #at(position: number): string {
    return displayText(this.#bytes, position, this.#bytes.indexOf(NEW_LINE, position));
  }
}

const NEW_LINE = 10;
