import { counted, humanDuration } from '../figures.js';
import { inertLine, shorten } from '../inert.js';
import type { GraphTask, GraphView } from './graph-view.js';

/** The lines of a node: the task, how many subtasks it has, how long it took. Inert for a terminal, not for any markup. */
export function nodeLines(task: GraphTask): readonly string[] {
  const facts = [
    ...(task.fanOut ? [task.subtasks === undefined ? 'fan-out' : counted(task.subtasks, 'subtask')] : []),
    ...(task.durationMs === undefined ? [] : [humanDuration(task.durationMs)]),
    ...(task.outcome === undefined || task.outcome === 'done' ? [] : [task.outcome]),
  ];
  return [shorten(inertLine(task.id), 64), ...(facts.length === 0 ? [] : [facts.join(', ')])];
}

/** What the picture shows, in one line. */
export function graphTitle({ name, criticalBy, criticalMs }: GraphView): string {
  const length = criticalMs === undefined ? '' : `, ${humanDuration(criticalMs)}`;
  return `${inertLine(name)}: critical path by ${criticalBy}${length}`;
}
