import type { Failure } from '../model/failure.js';
import type { TaskDefinition } from '../plan/valid-plan.js';

/** The time that a subtask may take over all of its attempts: `subtaskTimeoutMs`, from the moment its first one began. */
type Bound = Pick<TaskDefinition, 'subtaskTimeoutMs'>;

/** Whether the subtask may still run at `moment`, in milliseconds since the epoch. */
export function hasTime({ subtaskTimeoutMs = Number.POSITIVE_INFINITY }: Bound, begun: number, moment: number): boolean {
  return moment - begun < subtaskTimeoutMs;
}

/** What is left of a subtask's time for an attempt, where that is less than an attempt's own. */
export function timeLeft(
  { timeoutMs, subtaskTimeoutMs }: Bound & Pick<TaskDefinition, 'timeoutMs'>,
  begun: number,
  now: number,
): { readonly timeoutMs?: number } {
  if (subtaskTimeoutMs === undefined) return {};
  const left = Math.max(1, Math.ceil(begun + subtaskTimeoutMs - now));
  return { timeoutMs: shortest(timeoutMs, left) ?? left };
}

/** A time-out, in the words of the bound that was reached. */
export function inTime(task: Bound, begun: number, now: number, failure: Failure): Failure {
  if (failure.kind !== 'timeout' || hasTime(task, begun, now)) return failure;
  return { ...failure, message: `timed out: all attempts together took ${task.subtaskTimeoutMs} ms` };
}

/** The shorter of two bounds; undefined where there is none. */
export function shortest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}
