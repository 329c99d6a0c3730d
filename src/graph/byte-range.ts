import type { JsonValue } from '../model/json.js';
import type { Result } from '../model/result.js';

/** What is wrong with a file of items, and on which line, from 1. */
export interface RecordProblem {
  readonly line: number;
  readonly message: string;
}

/** One item's bytes in the file: from `start` up to `end`; `line` is where it begins. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
  readonly line: number;
}

/** How an item's text becomes the item; the problem's line counts from the item's first. */
export type ParseItem = (text: string) => Result<JsonValue, RecordProblem>;

/** Where a text begins behind a byte order mark. */
export function behindMark(bytes: Buffer): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}
