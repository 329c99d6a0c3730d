import { resolve } from 'node:path';
import { FileError, readRegularSync } from '../data/files.js';
import { atPlace } from '../data/place.js';
import { layoutOf, withHint } from '../data/record-format.js';
import { indexRecords } from '../data/record-index.js';
import { type ItemList, itemsThat } from '../graph/item-list.js';
import { matrixItems } from '../graph/matrix.js';
import type { Failure } from '../model/failure.js';
import type { JsonValue } from '../model/json.js';
import { err, ok, type Result, unreachable } from '../model/result.js';
import { type ExpressionScope, evaluate, renderTemplate } from '../plan/expressions.js';
import { type ItemFilter, itemPasses } from '../plan/item-filter.js';
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
  const layout = layoutOf(shown, source.options);
  if (!layout.ok) return failure(layout.error.message);
  const bytes = readBytes(resolve(folder, shown));
  if (!bytes.ok) return failure(`${shown}: ${bytes.error}`);
  const items = indexRecords(bytes.value, layout.value);
  return items.ok ? items : failure(atPlace(shown, withHint(items.error)));
}

function readBytes(file: string): Result<Buffer, string> {
  try {
    return ok(readRegularSync(file, MAX_ITEM_FILE_BYTES));
  } catch (error) {
    return err(whyNot(error));
  }
}

function whyNot(error: unknown): string {
  if (error instanceof FileError) return error.message;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'ENOENT':
      return 'there is no such file';
    case 'EACCES':
      return 'cannot read the file: permission denied';
    default:
      return `cannot read the file: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function describeKind(value: JsonValue): string {
  if (value === null) return 'null';
  return typeof value === 'object' ? 'an object' : `the ${typeof value} ${JSON.stringify(value)}`;
}
