import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { extname } from 'node:path';
import type { Failure } from '../../model/failure.js';
import { isJsonObject, type JsonValue } from '../../model/json.js';
import { err, ok, type Result } from '../../model/result.js';
import { CsvReader } from './csv.js';
import { inputFailure } from './failures.js';
import { resolvePath, shown } from './paths.js';
import type { BuiltIn } from './perform-built-in.js';

/** `with` of `data/read`; its schema says more. */
export interface DataInput {
  readonly path: string;
  readonly format?: 'json' | 'jsonl' | 'csv';
  readonly from?: number;
  readonly limit?: number;
  readonly fields?: readonly string[];
  readonly header?: boolean;
  readonly delimiter?: string;
  readonly outside?: boolean;
}

/** Characters of records that are kept at most: they become a result, and results are kept in checkpoints. */
const KEPT_LENGTH = 15 * 1024 * 1024;
/** Bytes of a `json` file, and of one line of `jsonl`: these are parsed whole. */
const WHOLE_BYTES = 128 * 1024 * 1024;

/** Reads records. JSON Lines and CSV are read as streams that end with `limit`: memory holds the records asked for. */
export const readData: BuiltIn<DataInput> = async (input, { cwd, folder, signal }) => {
  const format = input.format ?? formatOf(input.path);
  if (format === undefined) {
    return err(inputFailure(`${shown(input.path)}: the ending of the name tells no format: add 'format: json', jsonl or csv`));
  }
  const path = await resolvePath(input.path, { cwd, folder, outside: input.outside }, 'target');
  if (!path.ok) return path;
  const status = await stat(path.value);
  if (!status.isFile()) return err(inputFailure(`${shown(input.path)} is not a file`));
  const kept = new KeptRecords(input);
  switch (format) {
    case 'json':
      if (status.size > WHOLE_BYTES) {
        const limit = WHOLE_BYTES / (1024 * 1024);
        return err(inputFailure(`${shown(input.path)} is larger than ${limit} MiB: JSON is parsed whole; use JSON Lines`));
      }
      return fromJson(await readFile(path.value, 'utf8'), input, kept);
    case 'jsonl':
      return fromLines(piecesOf(path.value, signal), input, kept);
    case 'csv':
      return fromCsv(piecesOf(path.value, signal), input, kept);
  }
};

function formatOf(path: string): DataInput['format'] {
  switch (extname(path).toLowerCase()) {
    case '.json':
      return 'json';
    case '.jsonl':
    case '.ndjson':
      return 'jsonl';
    case '.csv':
    case '.tsv':
      return 'csv';
    default:
      return undefined;
  }
}

/** The text of a file, piece by piece, without a byte order mark. */
async function* piecesOf(path: string, signal: AbortSignal): AsyncGenerator<string> {
  let first = true;
  for await (const chunk of createReadStream(path, { encoding: 'utf8', signal, highWaterMark: 256 * 1024 })) {
    const text = chunk as string;
    yield first && text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
    first = false;
  }
}

const BYTE_ORDER_MARK = '\ufeff';

/** The records between `from` and `limit`, with the fields that are asked for, as far as there is room. */
class KeptRecords {
  readonly #input: DataInput;
  readonly #items: JsonValue[] = [];
  #seen = 0;
  #length = 0;

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

  /** @param length characters of the record as it stands in the file. */
  add(record: JsonValue, length: number): Failure | undefined {
    this.#seen += 1;
    const { fields } = this.#input;
    const item = fields === undefined ? record : only(record, fields);
    this.#length += item === record ? length : JSON.stringify(item).length;
    if (this.#length > KEPT_LENGTH) {
      const hint = "read a part with 'from' and 'limit', or some 'fields', or read the file in a module";
      return inputFailure(
        `${shown(this.#input.path)}: its records are more than a result holds (${KEPT_LENGTH / (1024 * 1024)} MiB, reached at record ${this.#seen}): ${hint}`,
      );
    }
    this.#items.push(item);
    return undefined;
  }

  result(end: boolean, value: JsonValue = null): Result<JsonValue, Failure> {
    return ok({ items: this.#items, count: this.#items.length, end, value });
  }
}

function only(record: JsonValue, fields: readonly string[]): JsonValue {
  if (!isJsonObject(record)) return record;
  return Object.fromEntries(fields.flatMap((field) => (Object.hasOwn(record, field) ? [[field, record[field] ?? null]] : [])));
}

function fromJson(text: string, input: DataInput, kept: KeptRecords): Result<JsonValue, Failure> {
  let value: JsonValue;
  try {
    value = JSON.parse(text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text) as JsonValue;
  } catch (error) {
    return err(inputFailure(`${shown(input.path)} is not JSON: ${error instanceof Error ? error.message : String(error)}`));
  }
  if (!Array.isArray(value)) return kept.result(true, value);
  const list = value as readonly JsonValue[];
  for (const item of list) {
    if (kept.full) return kept.result(false);
    if (kept.skipping) kept.skip();
    else {
      const failure = kept.add(item, JSON.stringify(item).length);
      if (failure !== undefined) return err(failure);
    }
  }
  return kept.result(true);
}

async function fromLines(
  pieces: AsyncIterable<string>,
  input: DataInput,
  kept: KeptRecords,
): Promise<Result<JsonValue, Failure>> {
  let line = 0;
  const take = (text: string): Failure | undefined => {
    line += 1;
    if (text.trim() === '') return undefined;
    if (kept.skipping) {
      kept.skip();
      return undefined;
    }
    try {
      return kept.add(JSON.parse(text) as JsonValue, text.length);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return inputFailure(`${shown(input.path)}:${line} is not JSON: ${reason}`);
    }
  };
  if (kept.full) return kept.result(false);
  let rest = '';
  for await (const piece of pieces) {
    const lines = (rest + piece).split('\n');
    rest = lines.pop() ?? '';
    for (const text of lines) {
      const failure = take(text);
      if (failure !== undefined) return err(failure);
      if (kept.full) return kept.result(false);
    }
    if (rest.length > WHOLE_BYTES) {
      return err(inputFailure(`${shown(input.path)}:${line + 1} is longer than ${WHOLE_BYTES / (1024 * 1024)} MiB`));
    }
  }
  const failure = take(rest);
  return failure === undefined ? kept.result(true) : err(failure);
}

async function fromCsv(pieces: AsyncIterable<string>, input: DataInput, kept: KeptRecords): Promise<Result<JsonValue, Failure>> {
  const reader = new CsvReader(input.delimiter ?? (extname(input.path).toLowerCase() === '.tsv' ? '\t' : ','));
  let names: readonly string[] | undefined;
  const take = (row: readonly string[]): Failure | undefined => {
    if (input.header !== false && names === undefined) {
      names = row;
      const twice = row.find((name, i) => row.indexOf(name) !== i);
      return twice === undefined ? undefined : inputFailure(`${shown(input.path)}: two fields are called ${shown(twice)}`);
    }
    if (kept.skipping) {
      kept.skip();
      return undefined;
    }
    if (names === undefined) return kept.add(row, lengthOf(row));
    if (row.length !== names.length) {
      const message = `a record of ${row.length} fields ends here, and the header has ${names.length}`;
      return inputFailure(`${shown(input.path)}:${reader.line}: ${message}`);
    }
    const record = Object.fromEntries(names.map((name, i) => [name, row[i] ?? '']));
    return kept.add(record, lengthOf(row) + lengthOf(names));
  };
  const takeAll = (rows: ReturnType<CsvReader['push']>): Failure | undefined => {
    if ('message' in rows) return inputFailure(`${shown(input.path)}:${rows.line}: ${rows.message}`);
    for (const row of rows) {
      if (kept.full) return undefined;
      const failure = take(row);
      if (failure !== undefined) return failure;
    }
    return undefined;
  };
  for await (const piece of pieces) {
    if (kept.full) return kept.result(false);
    const failure = takeAll(reader.push(piece));
    if (failure !== undefined) return err(failure);
  }
  const failure = kept.full ? undefined : takeAll(reader.end());
  return failure === undefined ? kept.result(!kept.full) : err(failure);
}

/** Quotes, colons and commas are what JSON adds to each. */
function lengthOf(fields: readonly string[]): number {
  return fields.reduce((sum, field) => sum + field.length + 4, 0);
}
