import { isJsonObject, type JsonValue } from '../model/json.js';
import { err, ok, type Result } from '../model/result.js';
import type { ExpressionScope } from './expression-scope.js';

/*
 * Most expressions are a name, such as `item`, or a path from one, such as `item.file`. What they come to is found without the
 * evaluator, which is large and takes longer to load than a short subtask.
 */

const ROOTS = ['item', 'index', 'prev', 'results', 'params', 'env'] as const;

/** A name, and the keys that lead from its value to the expression's. */
export interface PlainPath {
  readonly root: (typeof ROOTS)[number];
  readonly keys: readonly string[];
}

const PATH = /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/;

/** The path that an expression is and nothing else. */
export function plainPathOf(source: string): PlainPath | undefined {
  if (!PATH.test(source)) return undefined;
  const [first, ...keys] = source.split('.');
  const root = ROOTS.find((name) => name === first);
  return root && { root, keys };
}

/** The value at a path, as it is; the error is what the evaluator would say of it. */
export function valueAtPath({ root, keys }: PlainPath, scope: ExpressionScope): Result<JsonValue, string> {
  let value: JsonValue | undefined = scope[root];
  if (value === undefined) return err(`unknown variable: ${root}`);
  for (const key of keys) {
    value = isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
    if (value === undefined) return err(`no such key: ${key}`);
  }
  return ok(value);
}
