import type { JsonValue } from '../model/json.js';
import { err, type Result } from '../model/result.js';
import { parseJsonBytes } from './json.js';
import { type DataProblem, moved } from './place.js';
import { RecordKind, type Step } from './record-kind.js';

/** The meaning of a byte outside strings. */
const ORDINARY = 0;
const QUOTE = 1;
const BREAK = 2;
const OPENING = 3;
const CLOSING = 4;
const COMMA = 5;

const MEANING = new Uint8Array(256);
for (const [characters, meaning] of [
  ['"', QUOTE],
  ['\n\r', BREAK],
  ['[{', OPENING],
  [']}', CLOSING],
  [',', COMMA],
] as const) {
  for (const character of characters) MEANING[character.charCodeAt(0)] = meaning;
}

const CODE = { quote: 0x22, backslash: 0x5c, newline: 0x0a, return: 0x0d, comma: 0x2c, open: 0x5b, close: 0x5d } as const;

/** The elements of a JSON list, found by its brackets, commas and quotes; what is in them is read with the engine's parser. */
export class ListRecords extends RecordKind {
  #state: 'before' | 'first' | 'element' | 'after' = 'before';
  /** Where the current line begins in the window, and how many of its characters the window has lost. */
  #lineStart = 0;
  #lostCharacters = 0;
  /** The same, at the record found last. */
  #recordLine = { start: 0, lost: 0 };

  protected find(bytes: Buffer, last: boolean): Step {
    for (;;) {
      this.#skipSpace(bytes, last);
      const { place: at } = this;
      const byte = bytes[at];
      if (!last && (at >= bytes.length || byte === CODE.return)) return 'more';
      switch (this.#state) {
        case 'before':
          if (byte !== CODE.open) return this.#problem(bytes, 'the file must hold a JSON list: it does not begin with [');
          this.place += 1;
          this.#state = 'first';
          break;
        case 'first':
          if (byte === CODE.close) {
            this.place += 1;
            this.#state = 'after';
            break;
          }
          this.#state = 'element';
          break;
        case 'element':
          return this.#findElement(bytes, last);
        case 'after':
          return at >= bytes.length ? 'end' : this.#problem(bytes, 'something follows the list');
      }
    }
  }

  /** Stops at a CR of which it is not known yet whether LF follows: of CRLF, the LF ends the line. */
  #skipSpace(bytes: Buffer, last: boolean): void {
    for (; ; this.place++) {
      const byte = bytes[this.place];
      if (byte === CODE.newline) this.#lineEnds(this.place);
      else if (byte === CODE.return) {
        if (this.place + 1 >= bytes.length && !last) return;
        if (bytes[this.place + 1] !== CODE.newline) this.#lineEnds(this.place);
      } else if (byte !== 0x20 && byte !== 0x09) return;
    }
  }

  #lineEnds(at: number): void {
    this.nextLine += 1;
    this.#startLine(at + 1);
  }

  #startLine(at: number): void {
    this.#lineStart = at;
    this.#lostCharacters = 0;
  }

  #findElement(bytes: Buffer, last: boolean): Step {
    const { length } = bytes;
    const start = this.place;
    let depth = 0;
    let breaks = 0;
    let lineStart = -1;
    let at = start;
    scan: for (; at < length; at++) {
      const byte = bytes[at] ?? 0;
      const meaning = MEANING[byte] ?? ORDINARY;
      if (meaning === ORDINARY) continue;
      switch (meaning) {
        case QUOTE:
          for (at += 1; at < length && bytes[at] !== CODE.quote; at++) if (bytes[at] === CODE.backslash) at += 1;
          break;
        case BREAK:
          if (byte === CODE.return && bytes[at + 1] === CODE.newline) break;
          breaks += 1;
          lineStart = at + 1;
          break;
        case OPENING:
          depth += 1;
          break;
        case CLOSING:
          if (depth === 0) break scan;
          depth -= 1;
          break;
        case COMMA:
          if (depth === 0) break scan;
          break;
      }
    }
    if (at >= length) return last ? this.#problem(bytes, 'the list is not closed: the file ends within this item') : 'more';
    if (bytes[at] !== CODE.comma && bytes[at] !== CODE.close) {
      this.nextLine += breaks;
      if (lineStart !== -1) this.#startLine(lineStart);
      this.place = at;
      return this.#problem(bytes, 'the list is closed by } and not by ]');
    }
    this.start = start;
    this.end = at;
    this.line = this.nextLine;
    this.#recordLine = { start: this.#lineStart, lost: this.#lostCharacters };
    this.place = at + 1;
    this.nextLine += breaks;
    if (lineStart !== -1) this.#startLine(lineStart);
    if (bytes[at] !== CODE.comma) this.#state = 'after';
    return 'record';
  }

  override drop(bytes: Buffer, count: number): void {
    super.drop(bytes, count);
    const begin = Math.max(0, this.#lineStart);
    if (begin < count) this.#lostCharacters += bytes.toString('utf8', begin, count).length;
    this.#lineStart -= count;
  }

  override columnOf(bytes: Buffer): number {
    const { start, lost } = this.#recordLine;
    return lost + bytes.toString('utf8', Math.max(0, start), this.start).length + 1;
  }

  /** A problem at the reader's place. */
  #problem(bytes: Buffer, message: string): DataProblem {
    const column = this.#lostCharacters + bytes.toString('utf8', Math.max(0, this.#lineStart), this.place).length + 1;
    return { line: this.nextLine, column, message };
  }

  check(bytes: Buffer): DataProblem | undefined {
    const value = this.value(bytes);
    return value.ok ? undefined : value.error;
  }

  value(bytes: Buffer): Result<JsonValue, DataProblem> {
    const after = bytes[this.end] === CODE.comma ? ',' : ']';
    const value = parseJsonBytes(bytes, this.start, this.end, { before: '[0,', after });
    return value.ok ? value : err(moved(value.error, this.line, this.columnOf(bytes)));
  }

  valueAt(bytes: Buffer, start: number, end: number): JsonValue {
    return JSON.parse(bytes.toString('utf8', start, end)) as JsonValue;
  }
}
