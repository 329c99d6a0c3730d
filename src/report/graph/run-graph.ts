import type { RunDetails } from '../run-details.js';
import type { RunSummary, TaskSummary } from '../run-summary.js';
import { type GraphTask, type GraphView, graphView } from './graph-view.js';

/** The graph of a run: with what each task took, and how it ended. */
export function runGraph(summary: RunSummary, details: RunDetails): GraphView {
  const tasks = new Map(summary.tasks.map((task) => [task.id, task]));
  return graphView(summary.plan ?? 'plan', details.outline, 'measured', (id) => {
    const task = tasks.get(id);
    const span = details.spans.get(id);
    return {
      subtasks: task?.subtasks,
      durationMs: span === undefined ? undefined : span.to - span.from,
      outcome: task && outcomeOf(task),
    };
  });
}

function outcomeOf({ success, failed, skipped }: TaskSummary): GraphTask['outcome'] {
  if (failed > 0) return 'failed';
  if (success > 0) return 'done';
  return skipped > 0 ? 'skipped' : undefined;
}
