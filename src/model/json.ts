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
