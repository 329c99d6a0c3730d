import type { JsonValue } from '../model/json.js';
import { err, ok, type Result } from '../model/result.js';
import { inexactMessage, isExact } from './exact-number.js';
import { jsonMistake } from './json-mistake.js';
import { type DataProblem, placeIn } from './place.js';
import { markLength } from './text.js';

/**
 * The most lists and objects within each other. Functions that descend into values, such as `JSON.stringify` and `canonicalJson`,
 * overflow the main thread's stack from about 1,900 on.
 */
export const MAX_JSON_DEPTH = 500;

/** The most levels of a result, which may wrap a value from outside. */
export const MAX_RESULT_DEPTH = MAX_JSON_DEPTH + 10;
/** The most levels of a record, which wraps a result. */
export const MAX_RECORD_DEPTH = MAX_RESULT_DEPTH + 10;

const TOO_DEEP = `the JSON is nested more than ${MAX_JSON_DEPTH} levels deep`;

/** How a text of JSON is read. */
export interface JsonOptions {
  /** Levels that are allowed. */
  readonly maxDepth?: number;
  /** The text before and after this part of a larger one, so that a mistake is described in its context. */
  readonly before?: string;
  readonly after?: string;
  /** The text of the bytes, where it is known. */
  readonly text?: string | undefined;
}

/**
 * Parses JSON from outside with the engine's own parser. Refuses numbers that a double would change (`exact-number.ts`) and what is
 * nested too deep. Of equal keys, the last one counts; `__proto__` is a key like any other. A byte order mark is passed over.
 */
export function parseJson(text: string, options: JsonOptions = {}): Result<JsonValue, DataProblem> {
  const bytes = Buffer.from(text);
  return parse(bytes, markLength(bytes), bytes.length, options);
}

/** The same for the UTF-8 bytes from `start` up to `end`, which hold no byte order mark. */
export function parseJsonBytes(
  bytes: Buffer,
  start: number,
  end: number,
  options: JsonOptions = {},
): Result<JsonValue, DataProblem> {
  return parse(bytes, start, end, options);
}

function parse(bytes: Buffer, start: number, end: number, options: JsonOptions): Result<JsonValue, DataProblem> {
  const found = scan(bytes, start, end, options.maxDepth ?? MAX_JSON_DEPTH);
  const text = options.text ?? bytes.toString('utf8', start, end);
  const placeOf = (at: number) => {
    const before = bytes.toString('utf8', start, at);
    return placeIn(before, before.length);
  };
  // Before parsing: a million levels take a gigabyte.
  if (found?.kind === 'depth') return err({ ...placeOf(found.at), message: TOO_DEEP });
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch {
    // The engine's messages differ between versions, seldom say where, and quote the text.
    const { before = '', after = '' } = options;
    const { offset, message } = jsonMistake(before + text + after);
    return err({ ...placeIn(text, Math.max(0, offset - before.length)), message: `not JSON: ${message}` });
  }
  if (found === undefined) return ok(value);
  return err({ ...placeOf(found.at), message: inexactMessage(bytes.toString('latin1', found.at, found.end)) });
}

/** Whether a JSON text has more levels than `most`. */
export function isTooDeep(text: string, most: number): boolean {
  // Each level takes at least two characters: most texts are too short.
  if (text.length <= 2 * most) return false;
  const bytes = Buffer.from(text);
  return scan(bytes, 0, bytes.length, most, false)?.kind === 'depth';
}

/** Why a value is refused that `isTooDeep`. */
export function tooDeepMessage(): string {
  return TOO_DEEP;
}

type Finding =
  | { readonly kind: 'depth'; readonly at: number }
  /** A number from `at` up to `end` that would change. */
  | { readonly kind: 'number'; readonly at: number; readonly end: number };

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;

/**
 * One pass over a text, JSON or not: the first level that is too deep, else the first number that would change. All data goes through it:
 * it reads bytes, which takes a third of the time of a string's characters, and looks at most numbers by their length only.
 */
function scan(bytes: Buffer, start: number, end: number, maxDepth: number, numbers = true): Finding | undefined {
  let depth = 0;
  let inexact: Finding | undefined;
  for (let at = start; at < end; at++) {
    const code = bytes[at] ?? 0;
    if (code === QUOTE) {
      at = textEnd(bytes, at, end);
    } else if (code <= NINE) {
      if (code < ZERO || !numbers) continue;
      const begin = at;
      let point = -1;
      let exponent = false;
      // Up to the character behind the number.
      for (at += 1; at < end; at++) {
        const next = bytes[at] ?? 0;
        if (next >= ZERO && next <= NINE) continue;
        if (next === POINT && point === -1) point = at;
        else if ((next | 0x20) === 0x65) exponent = true;
        else if (!exponent || (next !== PLUS && next !== MINUS)) break;
      }
      const digits = (point === -1 ? at : point) - begin;
      // At most 15 digits before the point, and 17 in all: no such number changes.
      if ((exponent || digits > 15 || at - begin > 18) && inexact === undefined) {
        const first = begin > start && bytes[begin - 1] === MINUS ? begin - 1 : begin;
        if (!isExact(bytes.toString('latin1', first, at))) inexact = { kind: 'number', at: first, end: at };
      }
      at -= 1;
    } else if ((code | 0x20) === 0x7b) {
      depth += 1;
      if (depth > maxDepth) return { kind: 'depth', at };
    } else if ((code | 0x20) === 0x7d) {
      depth -= 1;
    }
  }
  return inexact;
}

/** The offset of the quote that ends the text which a quote at `begin` opens; `end` where none does. */
function textEnd(bytes: Buffer, begin: number, end: number): number {
  // Most texts are short: to call `indexOf` takes longer than to look at 60 bytes.
  const near = Math.min(end, begin + 60);
  let at = begin + 1;
  for (; at < near; at++) {
    const code = bytes[at];
    if (code === QUOTE) return at;
    if (code === BACKSLASH) at += 1;
  }
  while (at < end) {
    const quote = bytes.indexOf(QUOTE, at);
    if (quote === -1 || quote >= end) return end;
    let backslashes = 0;
    while (quote - 1 - backslashes >= at && bytes[quote - 1 - backslashes] === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return quote;
    at = quote + 1;
  }
  return end;
}
