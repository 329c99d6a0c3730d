import type { JsonValue } from '../model/json.js';
import type { Result } from '../model/result.js';
import type { DataProblem } from './place.js';
import { markLength } from './text.js';

/*
 * Records are found in a window: all bytes of a file, or as many as hold the next record. A format says where a record ends
 * and what it means, and neither depends on where the window ends:
 *
 *     window ── next() ─▶ 'record' ─▶ value() or check()
 *        ▲         ├───▶ 'header' ─▶ readHeader(), next()
 *        │         ├───▶ 'more': the window ends within a record
 *        │         │        └─▶ drop() up to `place`, append, next()
 *        └─────────┤
 *                  └───▶ 'end', or a problem
 */

/** The result of a search for the next record. */
export type Step = 'record' | 'header' | 'more' | 'end' | DataProblem;

/** A format of records, over UTF-8 bytes in windows. */
export abstract class RecordKind {
  /** The offset in the window where the search continues; bytes before it are done with. */
  place = 0;
  /** The bytes in the window of the record found last. */
  start = 0;
  end = 0;
  /** The line on which that record begins, from 1. */
  line = 1;
  /** The line at the reader's place. */
  nextLine = 1;
  #begun = false;

  /** Finds the next record. `last`: the file ends with the window. */
  next(bytes: Buffer, last: boolean): Step {
    if (!this.#begun) {
      if (bytes.length < 3 && !last) return 'more';
      this.place = markLength(bytes);
      this.#begun = true;
    }
    return this.find(bytes, last);
  }

  /** The same, behind a byte order mark. After 'more', it is asked for the same record again, in a larger window. */
  protected abstract find(bytes: Buffer, last: boolean): Step;

  /** The window loses its first bytes, none of them behind the reader's place. */
  drop(_bytes: Buffer, count: number): void {
    this.place -= count;
  }

  /** The column in which the record found last begins, from 1. */
  columnOf(_bytes: Buffer): number {
    return 1;
  }

  /** Takes the record found last as the header. */
  readHeader(_bytes: Buffer): DataProblem | undefined {
    return undefined;
  }

  /** Why the record found last has no value; undefined where it has one. */
  abstract check(bytes: Buffer): DataProblem | undefined;

  /** The value of the record found last. */
  abstract value(bytes: Buffer): Result<JsonValue, DataProblem>;

  /** The value of a record that was found and checked before. */
  abstract valueAt(bytes: Buffer, start: number, end: number): JsonValue;
}
