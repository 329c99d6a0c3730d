import { subtaskCondition } from '../plan/conditions.js';
import type { TaskDefinition } from '../plan/valid-plan.js';
import type { RunWavesOptions } from './ports.js';

/** The tasks that a task's subtasks read by expressions, but for what only its `foreach` reads. */
export function bodyReads({ reads, foreach, work, ...body }: TaskDefinition): readonly string[] {
  const ofItems =
    foreach === undefined || foreach.kind === 'list' ? [] : foreach.kind === 'each' ? [foreach.task] : foreach.tasks;
  if (ofItems.length === 0) return reads;
  // What the fan-out reads may be very long, and every thread would get a copy.
  const text = JSON.stringify([work, body.with, body.env, body.cwd, subtaskCondition(body), body.success]);
  return reads.filter((task) => !ofItems.includes(task) || text.includes('tasks'));
}

/** The tasks whose results somebody may ask for: by an expression, as a pair, or a module further down. */
export function tasksToKeep({
  graph,
  waves,
  finally: last,
}: Pick<RunWavesOptions, 'graph' | 'waves' | 'finally'>): ReadonlySet<string> {
  const kept = new Set<string>();
  const all = last.some(({ work }) => work.kind === 'module');
  const asked = new Set<number>();
  for (const wave of [...waves].reverse()) {
    for (const { index, task, dependents, needs } of wave.nodes) {
      const mayAsk = task.work.kind === 'module' || asked.has(index);
      if (mayAsk) for (const need of needs) asked.add(need);
      if (all || (dependents.length > 0 && asked.has(index))) kept.add(task.id);
    }
  }
  for (const { reads, foreach } of [...graph.nodes.map(({ task }) => task), ...last]) {
    for (const task of reads) kept.add(task);
    if (foreach?.kind === 'each') kept.add(foreach.task);
  }
  return kept;
}
