import type { JsonValue } from '../model/json.js';
import { err, ok, type Result } from '../model/result.js';
import type { ItemFormat } from '../plan/item-format.js';
import { type ByteRange, behindMark, type ParseItem, type RecordProblem } from './byte-range.js';
import { csvRecords } from './csv-records.js';
import type { ItemList } from './item-list.js';

/** A JSON list of at most so many bytes is parsed as one, and its items are kept as values. */
const PARSED_BYTES = 4 * 1024 ** 2;

/**
 * The items in the bytes of a file (UTF-8, less than 4 GiB). Every item is read once, so that a broken line is known
 * before any work is done. Of a JSON list that is not large the items stay, of all else the bytes and where each item lies in
 * them. Blank lines hold no item.
 * @param parsedBytes the largest JSON list, in bytes, that is parsed as one and kept as values: quicker, for more memory.
 */
export function itemsInBytes(bytes: Buffer, format: ItemFormat, parsedBytes = PARSED_BYTES): Result<ItemList, RecordProblem> {
  switch (format) {
    case 'lines':
      return indexed(bytes, lineRanges(bytes), ok, 'any');
    case 'jsonl':
      return indexed(bytes, lineRanges(bytes), parseJson);
    case 'json': {
      const parsed = bytes.length <= parsedBytes ? parsedList(bytes) : undefined;
      if (parsed !== undefined) return ok(parsed);
      const elements = elementRanges(bytes);
      return elements.ok ? indexed(bytes, elements.value, parseJson) : elements;
    }
    case 'csv':
    case 'tsv': {
      const table = csvRecords(bytes, format === 'csv' ? ',' : '\t');
      return table.ok ? indexed(bytes, table.value.ranges, table.value.parse) : table;
    }
  }
}

/** @param valid whether any text is an item; with 'some', each is read to find out. */
function indexed(
  bytes: Buffer,
  ranges: Iterable<ByteRange>,
  parse: ParseItem,
  valid: 'any' | 'some' = 'some',
): Result<ItemList, RecordProblem> {
  let places = new Uint32Array(2048);
  let length = 0;
  for (const { start, end, line } of ranges) {
    const item = valid === 'any' ? undefined : parse(bytes.toString('utf8', start, end));
    if (item?.ok === false) return err({ line: line + item.error.line - 1, message: item.error.message });
    if (2 * length === places.length) {
      const larger = new Uint32Array(2 * places.length);
      larger.set(places);
      places = larger;
    }
    places[2 * length] = start;
    places[2 * length + 1] = end;
    length += 1;
  }
  return ok({
    length,
    at: (i) => {
      const start = i < length ? places[2 * i] : undefined;
      if (start === undefined) return undefined;
      const item = parse(bytes.toString('utf8', start, places[2 * i + 1]));
      if (!item.ok) throw new Error(`Internal error: item ${i} was read before, but ${item.error.message}`);
      return item.value;
    },
  });
}

function parseJson(text: string): Result<JsonValue, RecordProblem> {
  try {
    return ok(JSON.parse(text) as JsonValue);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const position = Number(/ at position (\d+)/.exec(reason)?.[1] ?? 0);
    // The rest of the reason quotes the text, at length.
    const what = reason.replace(/,? (?:"|\.\.\.).*$/s, '').replace(/ in JSON at position.*$/s, '');
    return err({ line: text.slice(0, position).split('\n').length, message: `this is not JSON: ${what}` });
  }
}

/** The items of a JSON list; undefined where it is none, or broken: only a search by its elements finds where. */
function parsedList(bytes: Buffer): readonly JsonValue[] | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8', behindMark(bytes)));
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const NEWLINE = 0x0a;

function* lineRanges(bytes: Buffer): Generator<ByteRange> {
  let line = 1;
  let start = behindMark(bytes);
  while (start < bytes.length) {
    const found = bytes.indexOf(NEWLINE, start);
    const next = found === -1 ? bytes.length : found;
    const end = bytes[next - 1] === 0x0d ? next - 1 : next;
    if (!isBlank(bytes, start, end)) yield { start, end, line };
    start = next + 1;
    line += 1;
  }
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d || byte === NEWLINE;
}

function isBlank(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (!isSpace(bytes[at])) return false;
  return true;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPENING: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const CLOSING: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/** Where a text ends whose first quote stands at `start`: its last quote; behind the bytes where there is none. */
function textEnd(bytes: Buffer, start: number): number {
  for (let at = bytes.indexOf(QUOTE, start + 1); at !== -1; at = bytes.indexOf(QUOTE, at + 1)) {
    let backslashes = 0;
    while (bytes[at - 1 - backslashes] === BACKSLASH) backslashes += 1;
    // An even number of them are escaped themselves.
    if (backslashes % 2 === 0) return at;
  }
  return bytes.length;
}

/** The elements of a JSON list, found by its brackets, commas and quotes, without reading what is in them. */
function elementRanges(bytes: Buffer): Result<readonly ByteRange[], RecordProblem> {
  const ranges: ByteRange[] = [];
  let line = 1;
  let at = behindMark(bytes);
  const skipSpace = (): void => {
    for (; isSpace(bytes[at]); at++) if (bytes[at] === NEWLINE) line += 1;
  };
  skipSpace();
  if (bytes[at] !== 0x5b) return err({ line, message: 'the file must hold a JSON list: it does not begin with [' });
  at += 1;
  skipSpace();
  if (bytes[at] === 0x5d) at += 1;
  else {
    let more = true;
    while (more) {
      skipSpace();
      const start = at;
      const begun = line;
      let depth = 0;
      for (; at < bytes.length; at++) {
        const byte = bytes[at] ?? 0;
        if (byte === QUOTE) at = textEnd(bytes, at);
        else if (byte === NEWLINE) line += 1;
        else if (OPENING.has(byte)) depth += 1;
        else if (depth === 0 && (byte === COMMA || CLOSING.has(byte))) break;
        else if (CLOSING.has(byte)) depth -= 1;
      }
      if (at >= bytes.length) return err({ line: begun, message: 'the list is not closed: the file ends within this item' });
      ranges.push({ start, end: at, line: begun });
      more = bytes[at] === COMMA;
      if (!more && bytes[at] !== 0x5d) return err({ line, message: 'the list is closed by } and not by ]' });
      at += 1;
    }
  }
  skipSpace();
  if (at < bytes.length) return err({ line, message: 'something follows the list' });
  return ok(ranges);
}
