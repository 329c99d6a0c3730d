import type { JsonValue } from '../model/json.js';
import type { TaskGraph, TaskNode } from './task-graph.js';

/** How many subtasks a list of items makes: one an item, or one for each `batch` items. */
export function batchCount(items: number, batch: number | undefined): number {
  return batch === undefined ? items : Math.ceil(items / batch);
}

/** What subtask `i` gets: its item, or its list of up to `batch` items. The list of items is not copied. */
export function batchItem(items: readonly JsonValue[], batch: number | undefined, i: number): JsonValue {
  if (batch !== undefined) return items.slice(i * batch, (i + 1) * batch);
  const item = items[i];
  if (item === undefined) throw new Error(`Internal error: there is no item ${i}`);
  return item;
}

/**
 * The wave after which a fan-out's items are known: the deepest one of the tasks that it reads.
 * `undefined` where they are known before the run.
 */
export function expandsAfterWave(node: TaskNode, graph: TaskGraph): number | undefined {
  const source = node.task.foreach;
  if (source?.kind === 'each') {
    const paired = graph.nodes[graph.indexOf.get(source.task) ?? -1];
    return paired === undefined ? undefined : expandsAfterWave(paired, graph);
  }
  if (source?.kind !== 'expression' || source.tasks.length === 0) return undefined;
  return Math.max(...source.tasks.map((id) => graph.nodes[graph.indexOf.get(id) ?? -1]?.depth ?? 1));
}
