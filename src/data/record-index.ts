import type { JsonValue } from '../model/json.js';
import { err, ok, type Result } from '../model/result.js';
import { PieceDecoder } from './charset.js';
import { MAX_JSON_DEPTH, parseJson } from './json.js';
import type { DataProblem } from './place.js';
import type { RecordLayout } from './record-format.js';
import { RecordReader } from './record-reader.js';
import { decodeUtf8 } from './text.js';

/** The records of a file, each made when it is asked for; undefined from `length` on. */
export interface RecordList {
  readonly length: number;
  readonly at: (i: number) => JsonValue | undefined;
}

/** A JSON list of at most this many bytes is parsed whole, and its items are kept as values. */
const PARSED_BYTES = 4 * 1024 ** 2;

/**
 * The records in the bytes of a file (less than 4 GiB). Each is read once, so that a broken one is known before any work is done. Of a
 * JSON list that is not large the values are kept, of all else the bytes and where each record is in them.
 * @param parsedBytes the largest JSON list, in bytes, that is kept as values: quicker, for more memory.
 */
export function indexRecords(given: Buffer, layout: RecordLayout, parsedBytes = PARSED_BYTES): Result<RecordList, DataProblem> {
  const { bytes, problem: undecoded } = toUtf8(given, layout.encoding);
  const parsed =
    layout.format === 'json' && undecoded === undefined && bytes.length <= parsedBytes ? parsedList(bytes) : undefined;
  if (parsed !== undefined) return ok(parsed);
  const reader = new RecordReader(layout);
  const places = new Places();
  for (;;) {
    const step = reader.next(bytes, undecoded === undefined);
    if (step === 'record') {
      const problem = reader.check(bytes);
      if (problem !== undefined) return err(problem);
      places.add(reader.start, reader.end);
    } else if (step === 'end') {
      return ok({
        length: places.length,
        at: (i) => (i < places.length ? reader.valueAt(bytes, places.startOf(i), places.endOf(i)) : undefined),
      });
    } else if (step !== 'more') return err(step);
    else if (undecoded !== undefined) return err(undecoded);
    else throw new Error('Internal error: the reader asked for more than the whole file');
  }
}

/** The values of a JSON list; undefined where it is none or broken: its elements tell where. */
function parsedList(bytes: Buffer): readonly JsonValue[] | undefined {
  const text = decodeUtf8(bytes);
  // The list itself is no level of its elements.
  const value = text.ok ? parseJson(text.value, { maxDepth: MAX_JSON_DEPTH + 1 }) : text;
  return value.ok && Array.isArray(value.value) ? value.value : undefined;
}

/** The bytes as UTF-8, up to a problem. */
function toUtf8(bytes: Buffer, encoding: string): { readonly bytes: Buffer; readonly problem: DataProblem | undefined } {
  if (encoding === 'utf-8') return { bytes, problem: undefined };
  const decoder = new PieceDecoder(encoding);
  const parts: Buffer[] = [];
  for (let at = 0; (at === 0 || at < bytes.length) && decoder.problem === undefined; at += DECODED_BYTES) {
    const piece = bytes.subarray(at, at + DECODED_BYTES);
    parts.push(Buffer.from(decoder.decode(piece, at + DECODED_BYTES >= bytes.length)));
  }
  return { bytes: Buffer.concat(parts), problem: decoder.problem };
}

/** A text of a gigabyte does not fit into a string. */
const DECODED_BYTES = 16 * 1024 ** 2;

/** Where each record begins and ends. */
class Places {
  length = 0;
  #offsets = new Uint32Array(2048);

  add(start: number, end: number): void {
    if (2 * this.length === this.#offsets.length) {
      const larger = new Uint32Array(2 * this.#offsets.length);
      larger.set(this.#offsets);
      this.#offsets = larger;
    }
    this.#offsets[2 * this.length] = start;
    this.#offsets[2 * this.length + 1] = end;
    this.length += 1;
  }

  startOf(i: number): number {
    return this.#offsets[2 * i] ?? 0;
  }

  endOf(i: number): number {
    return this.#offsets[2 * i + 1] ?? 0;
  }
}
