import { isUtf8 } from 'node:buffer';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { resolve } from 'node:path';
import { type ItemList, itemsThat } from '../graph/item-list.js';
import { matrixItems } from '../graph/matrix.js';
import { itemsInBytes } from '../graph/records.js';
import type { Failure } from '../model/failure.js';
import type { JsonValue } from '../model/json.js';
import { err, ok, type Result, unreachable } from '../model/result.js';
import { type ExpressionScope, evaluate, renderTemplate } from '../plan/expressions.js';
import { type ItemFilter, itemPasses } from '../plan/item-filter.js';
import { ITEM_FORMATS, itemFormatOf } from '../plan/item-format.js';
import type { FanOutSource, MatrixAxis } from '../plan/valid-plan.js';

/** A larger file is work for a task that reads it piece by piece. */
const MAX_ITEM_FILE_BYTES = 1024 ** 3;

/** A source that has items of its own. */
export type OwnItems = Exclude<FanOutSource, { kind: 'each' }>;

/** What it takes to find items. */
export interface ExpandOptions {
  /** Of the items, those that pass are wanted; absent: all. */
  readonly filters?: readonly ItemFilter[] | undefined;
  /** Its `tasks` are the results that the source reads. */
  readonly scope: ExpressionScope;
  /** What paths are relative to. */
  readonly folder: string;
}

/**
 * The items of a fan-out, by what is known now. Reads a file of items at once, at about a second for a million lines.
 * The failure is of kind `expression` or `items`.
 */
export function expandItems(source: OwnItems, { filters, scope, folder }: ExpandOptions): Result<ItemList, Failure> {
  const items = itemsOf(source, scope, folder);
  return items.ok && filters !== undefined ? ok(itemsThat(items.value, itemPasses(filters))) : items;
}

function itemsOf(source: OwnItems, scope: ExpressionScope, folder: string): Result<ItemList, Failure> {
  switch (source.kind) {
    case 'list':
      return ok(source.items);
    case 'expression':
      return listOf(source.expression, 'foreach', scope);
    case 'matrix': {
      const axes = new Map<string, readonly JsonValue[]>();
      for (const axis of source.axes) {
        const values = axisValues(axis, scope);
        if (!values.ok) return values;
        axes.set(axis.name, values.value);
      }
      const items = matrixItems({ ...source, axes });
      return items.ok ? items : err({ kind: 'items', message: `foreach: ${items.error}` });
    }
    case 'file':
      return itemsOfFile(source, scope, folder);
    default:
      return unreachable(source);
  }
}

function axisValues({ name, values }: MatrixAxis, scope: ExpressionScope): Result<readonly JsonValue[], Failure> {
  return 'expression' in values ? listOf(values.expression, `foreach: ${name}`, scope) : ok(values);
}

function listOf(expression: string, where: string, scope: ExpressionScope): Result<readonly JsonValue[], Failure> {
  const value = evaluate(expression, scope);
  if (!value.ok) return err({ kind: 'expression', message: `${where}: ${value.error}` });
  if (Array.isArray(value.value)) return ok(value.value as readonly JsonValue[]);
  return err({ kind: 'expression', message: `${where}: ${expression} is ${describeKind(value.value)}, not a list` });
}

function itemsOfFile(
  source: Extract<FanOutSource, { kind: 'file' }>,
  scope: ExpressionScope,
  folder: string,
): Result<ItemList, Failure> {
  const path = renderTemplate(source.path, scope);
  if (!path.ok) return err({ kind: 'expression', message: `foreach: file: ${path.error}` });
  if (typeof path.value !== 'string' || path.value === '') {
    return err({ kind: 'expression', message: `foreach: file: ${source.path} is ${describeKind(path.value)}, not a path` });
  }
  const shown = path.value;
  const failure = (message: string) => err<Failure>({ kind: 'items', message: `foreach: ${message}` });
  const format = source.format ?? itemFormatOf(shown);
  if (format === undefined) {
    return failure(
      `the name '${shown}' does not tell how the file holds the items: add format, one of ${ITEM_FORMATS.join(', ')}`,
    );
  }
  const bytes = readBytes(resolve(folder, shown));
  if (!bytes.ok) return failure(`${shown}: ${bytes.error}`);
  if (!isUtf8(bytes.value)) return failure(`${shown}: the file is not UTF-8 text`);
  const items = itemsInBytes(bytes.value, format);
  return items.ok ? items : failure(`${shown}:${items.error.line}: ${items.error.message}`);
}

/** The bytes of a regular file: to open a pipe could wait for ever. */
function readBytes(file: string): Result<Buffer, string> {
  let descriptor: number;
  try {
    // Not blocking, so that a pipe that nobody writes to is refused and not waited for.
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    return err(whyNot(error));
  }
  try {
    const status = fstatSync(descriptor);
    if (!status.isFile()) return err(status.isDirectory() ? 'this is a folder, not a file' : 'this is not a regular file');
    if (status.size > MAX_ITEM_FILE_BYTES) return err(`the file is larger than ${MAX_ITEM_FILE_BYTES / 1024 ** 3} GiB`);
    const bytes = Buffer.allocUnsafe(status.size);
    let read = 0;
    while (read < bytes.length) {
      const count = readSync(descriptor, bytes, read, bytes.length - read, null);
      if (count === 0) break;
      read += count;
    }
    return ok(bytes.subarray(0, read));
  } catch (error) {
    return err(whyNot(error));
  } finally {
    closeSync(descriptor);
  }
}

function whyNot(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'ENOENT':
      return 'there is no such file';
    case 'EACCES':
      return 'the file must not be read (permission denied)';
    default:
      return `the file cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function describeKind(value: JsonValue): string {
  if (value === null) return 'null';
  return typeof value === 'object' ? 'an object' : `the ${typeof value} ${JSON.stringify(value)}`;
}
