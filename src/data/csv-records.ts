import type { JsonValue } from '../model/json.js';
import { err, ok, type Result } from '../model/result.js';
import { type DataProblem, moved, placeIn } from './place.js';
import { RecordKind, type Step } from './record-kind.js';

const QUOTE = 0x22;
const NEWLINE = 0x0a;
const RETURN = 0x0d;

/**
 * CSV as RFC 4180 has it: fields in quotes may hold delimiters, line breaks, and quotes written twice; no other field holds a quote.
 * LF, CRLF and CR end a record; an empty line is none. Values are texts. Under a header, a record is an object with a field for
 * each of its names, else a list.
 */
export class CsvRecords extends RecordKind {
  readonly #delimiter: Buffer;
  /** 1 for each byte at which a field without quotes may end. */
  readonly #stops = new Uint8Array(256);
  readonly #header: boolean;
  #names: readonly string[] | undefined;
  /** Where the fields of the record found last are: pairs of begin and end, an end below 0 where quotes are written twice. */
  #fields = new Int32Array(64);
  #count = 0;

  constructor(delimiter: string, header: boolean) {
    super();
    this.#delimiter = Buffer.from(delimiter);
    this.#header = header;
    for (const byte of [this.#delimiter[0] ?? 0, QUOTE, NEWLINE, RETURN]) this.#stops[byte] = 1;
  }

  protected find(bytes: Buffer, last: boolean): Step {
    if (!this.#skipEmptyLines(bytes, last)) return 'more';
    if (this.place >= bytes.length) {
      if (!last) return 'more';
      return this.#header && this.#names === undefined ? { line: 1, message: 'the file has no header' } : 'end';
    }
    return this.#scan(bytes, bytes.length, last);
  }

  /** False where the window ends between CR and what may be its LF. */
  #skipEmptyLines(bytes: Buffer, last: boolean): boolean {
    for (;;) {
      const byte = bytes[this.place];
      if (byte !== NEWLINE && byte !== RETURN) return true;
      const after = afterBreak(bytes, this.place, last);
      if (after === undefined) return false;
      this.place = after;
      this.nextLine += 1;
    }
  }

  /** Reads one record from the place on, and its fields. `to`: where the window ends. */
  #scan(bytes: Buffer, to: number, last: boolean): Step {
    const start = this.place;
    const stops = this.#stops;
    const delimiter = this.#delimiter;
    const [first] = delimiter;
    let line = this.nextLine;
    let at = start;
    this.#count = 0;
    for (;;) {
      const begin = at;
      if (at < to && bytes[at] === QUOTE) {
        let doubled = false;
        for (at += 1; ; at += 2) {
          for (; at < to; at++) {
            const byte = bytes[at];
            if (byte === QUOTE) break;
            if (byte === NEWLINE || (byte === RETURN && bytes[at + 1] !== NEWLINE)) line += 1;
          }
          if (at >= to) return last ? this.#problem(bytes, begin, 'the quote that begins here is not closed') : 'more';
          if (at + 1 >= to && !last) return 'more';
          if (at + 1 >= to || bytes[at + 1] !== QUOTE) break;
          doubled = true;
        }
        this.#add(begin + 1, doubled ? -at : at);
        at += 1;
      } else {
        for (;;) {
          while (at < to && stops[bytes[at] ?? 0] === 0) at += 1;
          // A character may begin as a delimiter of several bytes does.
          if (at < to && bytes[at] === first && !isAt(bytes, at, delimiter)) at += 1;
          else break;
        }
        this.#add(begin, at);
      }
      if (at >= to) {
        if (!last) return 'more';
        break;
      }
      const byte = bytes[at];
      if (byte === first && isAt(bytes, at, delimiter)) at += delimiter.length;
      else if (byte === NEWLINE || byte === RETURN) break;
      else if (!last && at + delimiter.length > to) return 'more';
      else if (bytes[begin] === QUOTE) return this.#problem(bytes, at, 'something follows the closing quote of a field');
      else
        return this.#problem(bytes, at, 'a quote in a field that is not quoted: write the field in quotes, and this one twice');
    }
    const after = at >= to ? at : afterBreak(bytes, at, last);
    if (after === undefined) return 'more';
    this.start = start;
    this.end = at;
    this.line = this.nextLine;
    this.place = after;
    this.nextLine = line + 1;
    return this.#header && this.#names === undefined ? 'header' : 'record';
  }

  #add(begin: number, end: number): void {
    if (2 * this.#count === this.#fields.length) {
      const larger = new Int32Array(2 * this.#fields.length);
      larger.set(this.#fields);
      this.#fields = larger;
    }
    this.#fields[2 * this.#count] = begin;
    this.#fields[2 * this.#count + 1] = end;
    this.#count += 1;
  }

  /** A problem in the record at the reader's place. */
  #problem(bytes: Buffer, at: number, message: string): DataProblem {
    const text = bytes.toString('utf8', this.place, at);
    return moved({ ...placeIn(text, text.length), message }, this.nextLine, 1);
  }

  override readHeader(bytes: Buffer): DataProblem | undefined {
    const names = this.#texts(bytes);
    const { line } = this;
    const empty = names.indexOf('');
    if (empty !== -1) return { line, message: `column ${empty + 1} of the header has no name` };
    const seen = new Set<string>();
    for (const name of names) {
      if (seen.has(name)) return { line, message: `the header names '${name.slice(0, 60)}' twice` };
      seen.add(name);
    }
    this.#names = names;
    return undefined;
  }

  check(_bytes: Buffer): DataProblem | undefined {
    const count = this.#count;
    const wanted = this.#names?.length ?? count;
    if (count === wanted) return undefined;
    return { line: this.line, message: `${count} ${count === 1 ? 'field' : 'fields'}, where the header has ${wanted}` };
  }

  value(bytes: Buffer): Result<JsonValue, DataProblem> {
    const problem = this.check(bytes);
    return problem === undefined ? ok(this.#record(bytes)) : err(problem);
  }

  valueAt(bytes: Buffer, start: number, end: number): JsonValue {
    this.place = start;
    this.#scan(bytes, end, true);
    return this.#record(bytes);
  }

  #record(bytes: Buffer): JsonValue {
    const texts = this.#texts(bytes);
    const names = this.#names;
    if (names === undefined) return texts;
    const record: Record<string, string> = {};
    for (let i = 0; i < names.length; i++) {
      const name = names[i] ?? '';
      const value = texts[i] ?? '';
      if (name === '__proto__') Object.defineProperty(record, name, { ...OWN, value });
      else record[name] = value;
    }
    return record;
  }

  /** The fields of the record found last. */
  #texts(bytes: Buffer): readonly string[] {
    const { start, end } = this;
    const whole = bytes.toString('utf8', start, end);
    // One text, of which the fields are parts, where every character is a byte.
    const ascii = whole.length === end - start;
    const texts: string[] = [];
    for (let i = 0; i < this.#count; i++) {
      const begin = this.#fields[2 * i] ?? 0;
      const stop = this.#fields[2 * i + 1] ?? 0;
      const to = Math.abs(stop);
      const text = ascii ? whole.slice(begin - start, to - start) : bytes.toString('utf8', begin, to);
      texts.push(stop < 0 ? text.replaceAll('""', '"') : text);
    }
    return texts;
  }
}

const OWN = { writable: true, enumerable: true, configurable: true } as const;

function isAt(bytes: Buffer, at: number, part: Buffer): boolean {
  for (let i = 0; i < part.length; i++) if (bytes[at + i] !== part[i]) return false;
  return true;
}

/** The offset behind a line break; undefined where the window ends between CR and what may be its LF. */
function afterBreak(bytes: Buffer, at: number, last: boolean): number | undefined {
  if (bytes[at] === NEWLINE) return at + 1;
  if (at + 1 >= bytes.length && !last) return undefined;
  return bytes[at + 1] === NEWLINE ? at + 2 : at + 1;
}
