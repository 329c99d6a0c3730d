import type { JsonValue } from '../model/json.js';
import type { ItemList } from './item-list.js';
import type { TaskGraph, TaskNode } from './task-graph.js';

/** How many subtasks a list of items makes: one an item, or one for each `batch` items. */
export function batchCount(items: number, batch: number | undefined): number {
  return batch === undefined ? items : Math.ceil(items / batch);
}

/** What subtask `i` gets: its item, or its list of up to `batch` items. The list of items is not copied. */
export function batchItem(items: ItemList, batch: number | undefined, i: number): JsonValue {
  if (batch !== undefined) {
    const count = Math.max(0, Math.min(batch, items.length - i * batch));
    return Array.from({ length: count }, (_, offset) => items.at(i * batch + offset) ?? null);
  }
  const item = items.at(i);
  if (item === undefined) throw new Error(`Internal error: there is no item ${i}`);
  return item;
}

/**
 * Whether a fan-out's items are known only while the plan runs: they depend on results, or stand in a file that a task
 * before it may write.
 */
export function expandsInRun(node: TaskNode, graph: TaskGraph): boolean {
  const source = node.task.foreach;
  switch (source?.kind) {
    case undefined:
    case 'list':
      return false;
    case 'expression':
    case 'matrix':
      return source.tasks.length > 0;
    case 'file':
      return node.needs.length > 0;
    case 'each': {
      const paired = nodeOf(source.task, graph);
      return paired !== undefined && expandsInRun(paired, graph);
    }
  }
}

/**
 * The wave after which a fan-out's items are known: the deepest one of the tasks that it reads, or that may write its
 * file. `undefined` where they are known before the run.
 */
export function expandsAfterWave(node: TaskNode, graph: TaskGraph): number | undefined {
  const source = node.task.foreach;
  switch (source?.kind) {
    case undefined:
    case 'list':
      return undefined;
    case 'each': {
      const paired = nodeOf(source.task, graph);
      return paired === undefined ? undefined : expandsAfterWave(paired, graph);
    }
    case 'file':
      return node.needs.length > 0 ? node.depth - 1 : undefined;
    case 'expression':
    case 'matrix':
      return source.tasks.length === 0 ? undefined : Math.max(...source.tasks.map((id) => nodeOf(id, graph)?.depth ?? 1));
  }
}

function nodeOf(id: string, graph: TaskGraph): TaskNode | undefined {
  return graph.nodes[graph.indexOf.get(id) ?? -1];
}
