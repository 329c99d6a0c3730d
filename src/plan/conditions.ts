import { isPerItem } from './expressions.js';
import type { TaskDefinition } from './valid-plan.js';

/** The `if` of a task that is decided once, before the task has items; undefined where there is none. */
export function taskCondition({ if: condition }: Pick<TaskDefinition, 'if'>): string | undefined {
  return condition === undefined || isPerItem(condition) ? undefined : condition;
}

/** The `if` of a task that is decided for each of its subtasks, because it uses `item`, `index` or `prev`. */
export function subtaskCondition({ if: condition }: Pick<TaskDefinition, 'if'>): string | undefined {
  return condition !== undefined && isPerItem(condition) ? condition : undefined;
}

/** What threads and workers have to know of a task: its list of items may be long, and its own `if` was decided before. */
export function taskForThreads(task: TaskDefinition): TaskDefinition {
  return { ...task, foreach: undefined, if: subtaskCondition(task) };
}
