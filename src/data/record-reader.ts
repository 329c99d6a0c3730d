import { isUtf8 } from 'node:buffer';
import type { JsonValue } from '../model/json.js';
import { type Result, unreachable } from '../model/result.js';
import { CsvRecords } from './csv-records.js';
import { JsonLineRecords, LineRecords } from './line-records.js';
import { ListRecords } from './list-records.js';
import { type DataProblem, moved } from './place.js';
import type { RecordLayout } from './record-format.js';
import type { RecordKind, Step } from './record-kind.js';
import { characterStart, invalidUtf8 } from './text.js';

/** A record is at most this long. A longer one is a mistake, such as a quote that is never closed. */
export const MAX_RECORD_BYTES = 64 * 1024 * 1024;

/** Finds the records of a file, in order, each of them UTF-8. `record-kind.ts` draws how it is used. */
export class RecordReader {
  readonly #kind: RecordKind;
  /** Up to here, the window is known to be UTF-8. */
  #validTo = 0;
  /** Up to here, the window was looked at. */
  #lookedTo = 0;

  constructor(layout: RecordLayout) {
    this.#kind = kindOf(layout);
  }

  /** The offset in the window where the search continues; bytes before it are done with. */
  get place(): number {
    return this.#kind.place;
  }

  /** The bytes in the window of the record found last. */
  get start(): number {
    return this.#kind.start;
  }

  get end(): number {
    return this.#kind.end;
  }

  /** Finds the next record. `last`: the file ends with the window. */
  next(bytes: Buffer, last: boolean): Exclude<Step, 'header'> {
    if (this.#lookedTo !== bytes.length) this.#lookAt(bytes, last);
    const kind = this.#kind;
    for (;;) {
      const step = kind.next(bytes, last);
      if (step === 'more') {
        return bytes.length - kind.place > MAX_RECORD_BYTES ? tooLong(kind.nextLine) : step;
      }
      if (step !== 'record' && step !== 'header') return step;
      if (kind.end - kind.start > MAX_RECORD_BYTES) return tooLong(kind.line);
      if (kind.end > this.#validTo) {
        const record = bytes.subarray(kind.start, kind.end);
        if (!isUtf8(record)) return moved(invalidUtf8(record), kind.line, kind.columnOf(bytes));
      }
      if (step === 'record') return step;
      const problem = kind.readHeader(bytes);
      if (problem !== undefined) return problem;
    }
  }

  /** The window loses its first bytes, none of them behind `place`. */
  drop(bytes: Buffer, count: number): void {
    this.#kind.drop(bytes, count);
    this.#validTo = Math.max(0, this.#validTo - count);
    this.#lookedTo -= count;
  }

  /** Why the record found last has no value; undefined where it has one. */
  check(bytes: Buffer): DataProblem | undefined {
    return this.#kind.check(bytes);
  }

  /** The value of the record found last. */
  value(bytes: Buffer): Result<JsonValue, DataProblem> {
    return this.#kind.value(bytes);
  }

  /** The value of a record that was found and checked before; to be called when all were found. */
  valueAt(bytes: Buffer, start: number, end: number): JsonValue {
    return this.#kind.valueAt(bytes, start, end);
  }

  /** One look at all that is new is much quicker than one at each record. */
  #lookAt(bytes: Buffer, last: boolean): void {
    const whole = last ? bytes.length : characterStart(bytes, bytes.length - 1);
    if (isUtf8(bytes.subarray(this.#validTo, whole))) this.#validTo = whole;
    this.#lookedTo = bytes.length;
  }
}

function tooLong(line: number): DataProblem {
  return { line, message: `the record that begins here is longer than ${MAX_RECORD_BYTES / 1024 ** 2} MiB` };
}

function kindOf({ format, delimiter, header }: RecordLayout): RecordKind {
  switch (format) {
    case 'lines':
      return new LineRecords();
    case 'jsonl':
      return new JsonLineRecords();
    case 'json':
      return new ListRecords();
    case 'csv':
    case 'tsv':
      return new CsvRecords(delimiter, header);
    default:
      return unreachable(format);
  }
}
