import type { ValidPlan } from '../plan/valid-plan.js';
import type { TaskGraph, TaskNode } from './task-graph.js';

/**
 * Compiles a plan to its graph, in time linear in tasks and needs. Cannot fail: a `ValidPlan` names
 * only tasks that exist and is acyclic.
 */
export function compileGraph(plan: ValidPlan): TaskGraph {
  const { tasks } = plan;
  const indexOf = new Map(tasks.map((task, index) => [task.id, index]));
  const needs = tasks.map((task) => task.needs.map((id) => indexIn(indexOf, id)));
  const dependents: number[][] = tasks.map(() => []);
  for (const [index, list] of needs.entries()) for (const need of list) dependents[need]?.push(index);
  const depths = depthsOf(needs, dependents);
  const nodes: TaskNode[] = tasks.map((task, index) => ({
    index,
    task,
    needs: needs[index] ?? [],
    dependents: dependents[index] ?? [],
    depth: depths[index] ?? 1,
  }));
  return { nodes, indexOf };
}

function indexIn(indexOf: ReadonlyMap<string, number>, id: string): number {
  const index = indexOf.get(id);
  if (index === undefined) throw new Error(`Internal error: a valid plan needs the unknown task '${id}'`);
  return index;
}

/** Longest path from a root for each task, from 1, by Kahn's order: no recursion, whatever the depth. */
function depthsOf(needs: readonly (readonly number[])[], dependents: readonly (readonly number[])[]): readonly number[] {
  const depths = needs.map(() => 1);
  const missing = needs.map((list) => list.length);
  const ready = missing.flatMap((count, index) => (count === 0 ? [index] : []));
  let visited = 0;
  for (; visited < ready.length; visited++) {
    const index = ready[visited] ?? 0;
    for (const dependent of dependents[index] ?? []) {
      depths[dependent] = Math.max(depths[dependent] ?? 1, (depths[index] ?? 1) + 1);
      const left = (missing[dependent] ?? 0) - 1;
      missing[dependent] = left;
      if (left === 0) ready.push(dependent);
    }
  }
  if (visited < needs.length) throw new Error('Internal error: a valid plan has a cycle');
  return depths;
}
