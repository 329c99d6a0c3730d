import type { Checkpoint } from '../model/checkpoint.js';
import { canonicalJson, contentHash } from '../model/ids.js';
import type { JsonValue } from '../model/json.js';

/**
 * What an earlier part of the run finished. The scheduler asks for each subtask before it starts it; what is found counts
 * as finished, with the results of its checkpoint, and does not run again.
 */
export interface FinishedSubtasks {
  /** The checkpoint of a task's subtask by its key; undefined where it is to run. */
  find(task: string, key: string): Checkpoint | undefined;
}

/**
 * The keys of a task's subtasks, asked for in item order. Equal items get keys of their own by how often they came before,
 * so that each has a checkpoint; the index has no part in a key, so that an item that moves keeps its checkpoint.
 */
export class SubtaskKeys {
  readonly #hash: string;
  /** How often an item came; of a million items, 8 bytes of each are kept. */
  readonly #seen = new Map<bigint, number>();

  /** `hash` is the task's. */
  constructor(hash: string) {
    this.#hash = hash;
  }

  /** The key of the next subtask; `item` is undefined for a task without `foreach`. */
  next(item: JsonValue | undefined): string {
    if (item === undefined) return this.#hash;
    const key = contentHash(`${this.#hash}\n${canonicalJson(item)}`);
    const seen = BigInt(`0x${key}`);
    const before = this.#seen.get(seen) ?? 0;
    this.#seen.set(seen, before + 1);
    return before === 0 ? key : contentHash(`${key}\n${before}`);
  }
}
