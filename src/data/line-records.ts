import { isAscii } from 'node:buffer';
import type { JsonValue } from '../model/json.js';
import { err, ok, type Result } from '../model/result.js';
import { parseJsonBytes } from './json.js';
import { type DataProblem, moved } from './place.js';
import { RecordKind, type Step } from './record-kind.js';

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const BLOCK_BYTES = 64 * 1024;
const NONE = Number.POSITIVE_INFINITY;

/** A record for each line that is not blank. LF, CRLF and CR end a line. */
export class LineRecords extends RecordKind {
  // The next ones in the window from the place on: most files have no CR at all, which is found out once for each window.
  #newline = -1;
  #return = -1;

  protected find(bytes: Buffer, last: boolean): Step {
    for (;;) {
      const start = this.place;
      if (this.#newline < start) this.#newline = offsetOf(bytes, NEWLINE, start);
      if (this.#return < start) this.#return = offsetOf(bytes, RETURN, start);
      const stop = Math.min(this.#newline, this.#return, bytes.length);
      const crlf = stop === this.#return && this.#newline === stop + 1;
      if (!last && (stop === bytes.length || (stop === this.#return && stop + 1 === bytes.length))) {
        this.#newline = -1;
        this.#return = -1;
        return 'more';
      }
      if (start >= bytes.length) return 'end';
      this.line = this.nextLine;
      this.nextLine += 1;
      this.place = Math.min(bytes.length, stop + (crlf ? 2 : 1));
      if (isBlank(bytes, start, stop)) continue;
      this.start = start;
      this.end = stop;
      return 'record';
    }
  }

  override drop(bytes: Buffer, count: number): void {
    super.drop(bytes, count);
    this.#newline = -1;
    this.#return = -1;
  }

  check(_bytes: Buffer): DataProblem | undefined {
    return undefined;
  }

  value(bytes: Buffer): Result<JsonValue, DataProblem> {
    return ok(bytes.toString('utf8', this.start, this.end));
  }

  valueAt(bytes: Buffer, start: number, end: number): JsonValue {
    return bytes.toString('utf8', start, end);
  }
}

/** JSON lines: a value on each line that is not blank. */
export class JsonLineRecords extends LineRecords {
  // To decode a block of ASCII and take its lines as parts is quicker than to decode each line.
  #block = { begin: 0, end: 0, text: '' };

  override drop(bytes: Buffer, count: number): void {
    super.drop(bytes, count);
    this.#block = { begin: 0, end: 0, text: '' };
  }

  /** The text of the record found last, where it is ASCII and so is what follows. */
  #ascii(bytes: Buffer): string | undefined {
    const { start, end } = this;
    if (end > this.#block.end || start < this.#block.begin) {
      const to = Math.max(end, Math.min(bytes.length, start + BLOCK_BYTES));
      const text = isAscii(bytes.subarray(start, to)) ? bytes.toString('latin1', start, to) : '';
      this.#block = { begin: start, end: to, text };
    }
    const { begin, text } = this.#block;
    return text === '' ? undefined : text.slice(start - begin, end - begin);
  }

  override check(bytes: Buffer): DataProblem | undefined {
    const value = this.value(bytes);
    return value.ok ? undefined : value.error;
  }

  override value(bytes: Buffer): Result<JsonValue, DataProblem> {
    const value = parseJsonBytes(bytes, this.start, this.end, { text: this.#ascii(bytes) });
    return value.ok ? value : err(moved(value.error, this.line, 1));
  }

  override valueAt(bytes: Buffer, start: number, end: number): JsonValue {
    return JSON.parse(bytes.toString('utf8', start, end)) as JsonValue;
  }
}

function offsetOf(bytes: Buffer, byte: number, from: number): number {
  const at = bytes.indexOf(byte, from);
  return at === -1 ? NONE : at;
}

function isBlank(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte !== 0x20 && byte !== 0x09) return false;
  }
  return true;
}
