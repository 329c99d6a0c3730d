import type { TaskNode } from '../graph/task-graph.js';
import type { JsonValue } from '../model/json.js';

/** How a task ended, as its dependents see it. */
export type TaskState =
  /** All its subtasks succeeded, or were skipped by an `if` about their items. */
  | 'done'
  /** A fan-out of which a tolerated share failed: dependents run, with null in place of the missing results. */
  | 'partial'
  | 'failed'
  /** A task that it needs failed, or was skipped for such a reason. */
  | 'skipped'
  /** Its `if` is false, or that of a task that it requires, directly or not. */
  | 'left-out';

/** What tasks left behind: their state, and their results for those that come after. */
export class ResultsStore {
  readonly #states = new Map<string, TaskState>();
  readonly #results = new Map<string, JsonValue>();

  setState(task: string, state: TaskState): void {
    this.#states.set(task, state);
  }

  /** How a task ended; undefined before that. */
  state(task: string): TaskState | undefined {
    return this.#states.get(task);
  }

  /** Keeps a task's results. A fan-out's is the list that the caller goes on filling, in item order. */
  set(task: string, results: JsonValue): void {
    this.#results.set(task, results);
  }

  /** Puts the result of one subtask into its fan-out's list. */
  setItem(task: string, index: number, value: JsonValue): void {
    const list = this.#results.get(task);
    if (Array.isArray(list)) list[index] = value;
  }

  get(task: string): JsonValue | undefined {
    return this.#results.get(task);
  }

  /** `tasks` as expressions see it: `tasks.T.results` for each task that is read. A task without results reads as null. */
  scope(reads: readonly string[]): Record<string, { readonly results: JsonValue }> {
    return Object.fromEntries(reads.map((task) => [task, { results: this.#results.get(task) ?? null }]));
  }
}

/**
 * The tasks whose results a task may ask for: all that it needs, directly or indirectly. Searched when first asked,
 * since few modules ask, and a search for every task of a deep plan would take the square of its size.
 */
export class Ancestors {
  readonly #node: TaskNode;
  readonly #nodes: readonly TaskNode[];
  #names: ReadonlySet<string> | undefined;

  constructor(node: TaskNode, nodes: readonly TaskNode[]) {
    this.#node = node;
    this.#nodes = nodes;
  }

  has(task: string): boolean {
    this.#names ??= ancestorsOf(this.#node, this.#nodes);
    return this.#names.has(task);
  }
}

/** The names of all tasks that a task needs, directly or indirectly. */
export function ancestorsOf(node: TaskNode, nodes: readonly TaskNode[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const open = [...node.needs];
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    const need = nodes[index];
    if (need === undefined || seen.has(need.task.id)) continue;
    seen.add(need.task.id);
    open.push(...need.needs);
  }
  return seen;
}
