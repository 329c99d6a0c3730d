import { Duration, UnsignedInt } from '@marcbachmann/cel-js/evaluator';
import { isJsonObject, type JsonObject, type JsonValue } from '../model/json.js';

/*
 * JSON to CEL and back. Going in, JSON values are CEL values as they are, but for one trap: the evaluator tells a map
 * by `value.constructor`, so that an object with a key of that name would be refused. Such objects go in as a `Map`.
 * Coming out, integers are bigints and results may hold types that JSON has not.
 */

/** What `toCel` made of the objects it was given before; results of earlier tasks come by again and again. */
const converted = new WeakMap<object, unknown>();

/** The way back: of what `toCel` made, the JSON value it was made of. */
const originals = new WeakMap<object, JsonValue>();

/** `value` as the evaluator takes it. Keeps what it made, so that a large result is searched once. */
export function toCel(value: JsonValue): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const known = converted.get(value);
  if (known !== undefined) return known;
  const made = withoutConstructorKeys(value);
  converted.set(value, made);
  if (typeof made === 'object' && made !== null) originals.set(made, value);
  return made;
}

/** The same value unless an object in it has a key `constructor`. */
function withoutConstructorKeys(value: JsonValue): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (!isJsonObject(value)) {
    const items = value.map(withoutConstructorKeys);
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  const entries = Object.entries(value).map(([key, inner]) => [key, withoutConstructorKeys(inner)] as const);
  const same = entries.every(([key, inner]) => inner === value[key]) && !Object.hasOwn(value, 'constructor');
  return same ? value : new Map(entries);
}

/** Why a CEL value has no place in JSON; thrown by `toJson` and caught by its callers in this folder. */
export class NotJson extends Error {}

/** A CEL value as JSON: integers become numbers, maps objects, times and durations text. Throws `NotJson`. */
export function toJson(value: unknown): JsonValue {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      if (!Number.isFinite(value)) throw new NotJson(`the result is ${value}, which is not a finite number`);
      return value;
    case 'bigint':
      return safeInteger(value);
    case 'object':
      return objectToJson(value);
    default:
      throw new NotJson('the result is of a type that has no JSON form');
  }
}

function safeInteger(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new NotJson(`the integer ${value} is too large to be exact; use string(…)`);
  return number;
}

function objectToJson(value: object | null): JsonValue {
  if (value === null) return null;
  const original = originals.get(value);
  if (original !== undefined) return original;
  if (Array.isArray(value) || value instanceof Set) return [...value].map(toJson);
  if (value instanceof Map) return objectOf([...value]);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Duration) return value.toString();
  if (value instanceof UnsignedInt) return safeInteger(value.valueOf());
  if (value instanceof Uint8Array) throw new NotJson('the result is bytes: use .string(), .hex() or .base64()');
  if (value.constructor === Object || value.constructor === undefined) return objectOf(Object.entries(value));
  throw new NotJson('the result is of a type that has no JSON form');
}

function objectOf(entries: readonly (readonly [unknown, unknown])[]): JsonObject {
  return Object.fromEntries(entries.map(([key, inner]) => [keyText(key), toJson(inner)]));
}

function keyText(key: unknown): string {
  if (typeof key === 'string') return key;
  if (typeof key === 'bigint' || typeof key === 'boolean' || typeof key === 'number') return String(key);
  throw new NotJson('a key of the result is not text');
}
