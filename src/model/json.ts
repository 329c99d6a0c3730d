/** A value that survives a round trip through JSON: what plans hold, what items are, and what subtasks return. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;

/** An object of JSON values. Look keys up with `Object.hasOwn`: names come from users. */
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** Whether `value` is an object that is neither null nor a list. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value of its own, which shares no list and no object with the given one. */
export function copyOf(value: JsonValue): JsonValue {
  if (typeof value !== 'object' || value === null) return value;
  if (!isJsonObject(value)) return value.map(copyOf);
  // `fromEntries` makes properties of its own of every name, `__proto__` too.
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copyOf(inner)]));
}

/**
 * The value of a JSON text that this program made and nobody else could change since, such as a message between threads or one with a
 * seal. Text from outside goes through `data/json.ts`.
 */
export function ownJson(text: string): unknown {
  return JSON.parse(text);
}
