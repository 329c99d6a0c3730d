import type { FileHandle } from 'node:fs/promises';
import { decodeAs, PieceDecoder } from '../../data/charset.js';
import { FileError, openRegular, readRegular } from '../../data/files.js';
import { parseJson } from '../../data/json.js';
import { atPlace, type DataProblem } from '../../data/place.js';
import { layoutOf, type RecordLayout, type RecordOptions, withHint } from '../../data/record-format.js';
import { RecordStream } from '../../data/record-stream.js';
import { displayText } from '../../data/text.js';
import type { Failure } from '../../model/failure.js';
import { isJsonObject, type JsonValue } from '../../model/json.js';
import { err, ok, type Result } from '../../model/result.js';
import { inputFailure } from './failures.js';
import { resolvePath, shown } from './paths.js';
import type { BuiltIn } from './perform-built-in.js';

/** `with` of `data/read`; its schema says more. */
export interface DataInput extends RecordOptions {
  readonly path: string;
  readonly from?: number;
  readonly limit?: number;
  readonly fields?: readonly string[];
  readonly outside?: boolean;
}

/** Characters of records that are kept at most: they become a result, and results are kept in checkpoints. */
const KEPT_LENGTH = 15 * 1024 * 1024;

/** Bytes of a JSON file that holds a single value. */
const WHOLE_BYTES = 64 * 1024 * 1024;

/** Reads records as `foreach: { file }` does, from a stream that ends with `limit`: memory holds the records asked for. */
export const readData: BuiltIn<DataInput> = async (input, { cwd, folder, signal }) => {
  const layout = layoutOf(input.path, input);
  if (!layout.ok) return err(inputFailure(layout.error.message));
  const path = await resolvePath(input.path, { cwd, folder, outside: input.outside }, 'target');
  if (!path.ok) return path;
  let file: FileHandle;
  try {
    file = await openRegular(path.value);
  } catch (error) {
    if (error instanceof FileError) return err(inputFailure(`${shown(input.path)}: ${error.message}`));
    throw error;
  }
  try {
    if (layout.value.format === 'json' && !(await mayBeList(file, layout.value))) {
      return await wholeValue(path.value, { input, layout: layout.value, signal });
    }
    const read = async (into: Buffer): Promise<number> => {
      signal.throwIfAborted();
      return (await file.read(into, 0, into.length, null)).bytesRead;
    };
    return await fromStream(new RecordStream(layout.value, read), input);
  } finally {
    await file.close();
  }
};

async function fromStream(records: RecordStream, input: DataInput): Promise<Result<JsonValue, Failure>> {
  const kept = new KeptRecords(input);
  for (;;) {
    const step = records.next();
    // Of what is not asked for, it matters whether there is any.
    if (kept.full && step !== 'more') return kept.result(step === 'end');
    switch (step) {
      case 'more':
        await records.fill();
        break;
      case 'end':
        return kept.result(true);
      case 'record': {
        if (kept.skipping) {
          kept.skip();
          break;
        }
        const value = records.value();
        if (!value.ok) return err(problemAt(input.path, value.error));
        const failure = kept.add(value.value, records.recordBytes);
        if (failure !== undefined) return err(failure);
        break;
      }
      default:
        return err(problemAt(input.path, step));
    }
  }
}

/** Bytes of a file that are looked at for the beginning of its value. */
const HEAD_BYTES = 64 * 1024;

/** Whether a JSON file begins as a list does, or with more space than anybody writes. */
async function mayBeList(file: FileHandle, { encoding }: RecordLayout): Promise<boolean> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
  const head = buffer.subarray(0, bytesRead);
  const text = encoding === 'utf-8' ? displayText(head) : new PieceDecoder(encoding).decode(head, false);
  return /^\ufeff?[ \t\r\n]*(?:\[|$)/.test(text);
}

interface WholeFile {
  readonly input: DataInput;
  readonly layout: RecordLayout;
  readonly signal: AbortSignal;
}

/** The value of a JSON file that is not a list. */
async function wholeValue(path: string, { input, layout, signal }: WholeFile): Promise<Result<JsonValue, Failure>> {
  let bytes: Buffer;
  try {
    bytes = await readRegular(path, WHOLE_BYTES, signal);
  } catch (error) {
    if (error instanceof FileError) return err(inputFailure(`${shown(input.path)}: ${error.message}, and holds a single value`));
    throw error;
  }
  const text = decodeAs(bytes, layout.encoding);
  const value = text.ok ? parseJson(text.value) : text;
  return value.ok ? new KeptRecords(input).result(true, value.value) : err(problemAt(input.path, value.error));
}

function problemAt(path: string, problem: DataProblem): Failure {
  return inputFailure(atPlace(shown(path), withHint(problem)));
}

/** The records between `from` and `limit`, with the fields that are asked for, as far as there is room. */
class KeptRecords {
  readonly #input: DataInput;
  readonly #items: JsonValue[] = [];
  #seen = 0;
  /** Characters of the items as JSON: at first about, from their bytes in the file; near the bound exactly. */
  #length = 0;
  #exact = false;
  /** What JSON adds to the bytes of a CSV record: names, quotes and commas. */
  #added: number | undefined;

  constructor(input: DataInput) {
    this.#input = input;
  }

  /** Whether all that was asked for is here. */
  get full(): boolean {
    return this.#input.limit !== undefined && this.#items.length >= this.#input.limit;
  }

  /** Whether the next record is one of those to leave out. */
  get skipping(): boolean {
    return this.#seen < (this.#input.from ?? 0);
  }

  skip(): void {
    this.#seen += 1;
  }

  /** @param bytes of the record in the file. */
  add(record: JsonValue, bytes: number): Failure | undefined {
    this.#seen += 1;
    const { fields } = this.#input;
    const item = fields === undefined ? record : only(record, fields);
    this.#items.push(item);
    if (this.#exact || item !== record) this.#length += JSON.stringify(item).length + 1;
    else {
      this.#added ??= Math.max(0, JSON.stringify(item).length - bytes);
      this.#length += bytes + this.#added;
    }
    if (this.#length <= KEPT_LENGTH) return undefined;
    if (!this.#exact) {
      this.#length = JSON.stringify(this.#items).length;
      this.#exact = true;
      if (this.#length <= KEPT_LENGTH) return undefined;
    }
    const hint = "read a part with 'from' and 'limit', or some 'fields', or read the file in a module";
    return inputFailure(
      `${shown(this.#input.path)}: its records are more than a result holds (${KEPT_LENGTH / (1024 * 1024)} MiB, reached at record ${this.#seen}): ${hint}`,
    );
  }

  result(end: boolean, value: JsonValue = null): Result<JsonValue, Failure> {
    return ok({ items: this.#items, count: this.#items.length, end, value });
  }
}

function only(record: JsonValue, fields: readonly string[]): JsonValue {
  if (!isJsonObject(record)) return record;
  return Object.fromEntries(fields.flatMap((field) => (Object.hasOwn(record, field) ? [[field, record[field] ?? null]] : [])));
}
