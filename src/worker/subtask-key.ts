import { canonicalJson, contentHash } from '../model/ids.js';
import type { JsonValue } from '../model/json.js';

/**
 * The key of a subtask: a hash of its task's definition and its item, never of the index, so that it is the same work
 * wherever it stands in the list. Equal items get keys of their own by how often they came before.
 * @param item undefined for a task without `foreach`.
 */
export function subtaskKey(taskHash: string, item: JsonValue | undefined, occurrence: number): string {
  if (item === undefined) return taskHash;
  const key = contentHash(`${taskHash}\n${canonicalJson(item)}`);
  return occurrence === 0 ? key : contentHash(`${key}\n${occurrence}`);
}

/**
 * How often an equal item came before each, by its position: only those that are not the first of their kind. Takes one pass
 * over the items; texts and numbers are compared as they are, anything else by its canonical JSON.
 */
export function occurrencesOf(count: number, itemAt: (index: number) => JsonValue): ReadonlyMap<number, number> {
  const seen = new Map<JsonValue, number>();
  const repeated = new Map<number, number>();
  for (let index = 0; index < count; index++) {
    const item = itemAt(index);
    // The prefix keeps a list's text apart from an item that is that text.
    const identity = typeof item === 'object' && item !== null ? `\u0000${canonicalJson(item)}` : item;
    const before = seen.get(identity);
    seen.set(identity, (before ?? 0) + 1);
    if (before !== undefined) repeated.set(index, before);
  }
  return repeated;
}
