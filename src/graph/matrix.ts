import { canonicalJson } from '../model/ids.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import { err, ok, type Result } from '../model/result.js';
import { crossSize, MAX_COMBINATIONS, tooManyCombinations } from '../plan/matrix-size.js';
import { type ItemList, itemsThat } from './item-list.js';

/** A matrix with every axis known. */
export interface Matrix {
  /** By name, in the order of the plan; the last one varies fastest. */
  readonly axes: ReadonlyMap<string, readonly JsonValue[]>;
  /** A combination that has all values of one of these is left out. */
  readonly exclude: readonly JsonObject[];
  /**
   * Each adds its keys to every combination whose axes it does not contradict; one that fits none is a combination of
   * its own, at the end.
   */
  readonly include: readonly JsonObject[];
}

/**
 * The combinations of a matrix, as objects with a key for each axis, made one by one when they are asked for.
 * The error is a message for the user: there are too many.
 */
export function matrixItems({ axes, exclude, include }: Matrix): Result<ItemList, string> {
  const names = [...axes.keys()];
  const lists = [...axes.values()];
  const size = crossSize(lists.map((list) => list.length));
  if (size > MAX_COMBINATIONS) return err(tooManyCombinations(size));

  const combination = (i: number): JsonObject | undefined => {
    if (i < 0 || i >= size) return undefined;
    const values: (readonly [string, JsonValue])[] = [];
    let rest = i;
    for (let axis = lists.length - 1; axis >= 0; axis--) {
      const list = lists[axis] ?? [];
      values.unshift([names[axis] ?? '', list[rest % list.length] ?? null]);
      rest = Math.floor(rest / list.length);
    }
    return Object.fromEntries(values);
  };
  const left = itemsThat(
    { length: size, at: combination },
    (item) => !exclude.some((entry) => agrees(item as JsonObject, entry)),
  );

  const axisNames = new Set(names);
  const onAxes = include.map((entry) => Object.fromEntries(Object.entries(entry).filter(([key]) => axisNames.has(key))));
  const own: JsonObject[] = [];
  const added: { readonly entry: JsonObject; readonly where: JsonObject }[] = [];
  for (const [position, entry] of include.entries()) {
    const where = onAxes[position] ?? {};
    if (matchesSome(left, where)) added.push({ entry, where });
    else own.push(entry);
  }
  return ok({
    length: left.length + own.length,
    at: (i) => {
      const item = left.at(i);
      if (item === undefined) return own[i - left.length];
      const fitting = added.filter(({ where }) => agrees(item as JsonObject, where));
      return fitting.length === 0 ? item : Object.assign({}, item, ...fitting.map(({ entry }) => entry));
    },
  });
}

function matchesSome(items: ItemList, where: JsonObject): boolean {
  for (let i = 0; i < items.length; i++) if (agrees(items.at(i) as JsonObject, where)) return true;
  return false;
}

/** Whether an item has all values of an entry. */
function agrees(item: JsonObject, entry: JsonObject): boolean {
  return Object.entries(entry).every(([key, value]) => Object.hasOwn(item, key) && equal(item[key] ?? null, value));
}

function equal(a: JsonValue, b: JsonValue): boolean {
  return a === b || (typeof a === 'object' && typeof b === 'object' && canonicalJson(a) === canonicalJson(b));
}
