import { isJsonObject, type JsonValue } from '../model/json.js';
import { variableFields } from './command-variables.js';

/** What is known of a fan-out's items before there are any, for the check of expressions over `item`. */
export interface ItemType {
  /** As CEL names it; `dyn` where that depends on data. */
  readonly type: 'dyn' | 'string' | 'bool' | 'list' | 'map<string, dyn>' | 'map<string, string>';
  /** The keys that some item has, where items are objects whose keys are known. */
  readonly fields?: ReadonlySet<string>;
  /** Of these, what commands get as variables; absent where that depends on data. */
  readonly variables?: ReadonlySet<string>;
}

export const ANY_ITEM: ItemType = { type: 'dyn' };

/** Under `batch`, an item is a list of them. */
export const BATCH_OF_ITEMS: ItemType = { type: 'list' };

/**
 * The type that all of some items have. Numbers have none: the checker tells whole ones from others, and in JSON
 * they are the same.
 */
export function itemTypeOf(items: readonly JsonValue[]): ItemType {
  if (items.length === 0) return ANY_ITEM;
  return { ...typeOf(items), variables: new Set(items.flatMap(variableFields)) };
}

function typeOf(items: readonly JsonValue[]): ItemType {
  if (items.every((item) => typeof item === 'string')) return { type: 'string' };
  if (items.every((item) => typeof item === 'boolean')) return { type: 'bool' };
  if (items.every((item) => Array.isArray(item))) return { type: 'list' };
  const objects = items.filter(isJsonObject);
  if (objects.length < items.length) return ANY_ITEM;
  return objectType(
    new Set(objects.flatMap((object) => Object.keys(object))),
    objects.every((object) => Object.values(object).every((value) => typeof value === 'string')),
  );
}

/** The type of objects that have such keys. */
export function objectType(fields: ReadonlySet<string>, textsOnly: boolean): ItemType {
  return { type: textsOnly ? 'map<string, string>' : 'map<string, dyn>', fields };
}
