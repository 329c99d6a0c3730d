import type { Failure } from '../model/failure.js';
import { err, ok, type Result } from '../model/result.js';
import type { SkipCause } from '../model/skip.js';
import { taskCondition } from '../plan/conditions.js';
import type { ExpressionScope } from '../plan/expression-scope.js';
import { evaluate } from '../plan/expressions.js';
import type { TaskDefinition } from '../plan/valid-plan.js';
import { checkedCondition } from '../worker/prepare.js';
import type { TaskState } from './results-store.js';

/**
 * Why a task does not run, by how its needs ended; undefined where none of them keeps it from running. A failure is told rather
 * than a skip, since it is the news.
 * @param stateOf undefined for a task that is not over.
 * @param followsNow whether a task is followed item by item while it runs: its failures are then looked at one by one.
 */
export function skippedByNeeds(
  { needs, optionalNeeds, foreach }: TaskDefinition,
  stateOf: (need: string) => TaskState | undefined,
  followsNow: (need: string) => boolean = () => false,
): SkipCause | undefined {
  const pairedWith = foreach?.kind === 'each' ? foreach.task : undefined;
  const all = pairedWith === undefined || needs.includes(pairedWith) ? needs : [...needs, pairedWith];
  const isAsItemsCome = (need: string) => need === pairedWith && followsNow(need);
  const isOptional = (need: string) => need !== pairedWith && optionalNeeds?.includes(need) === true;
  const failed = all.find((need) => (stateOf(need) ?? 'failed') === 'failed' && !isAsItemsCome(need));
  if (failed !== undefined) return { cause: 'need-failed', need: failed };
  const skipped =
    all.find((need) => stateOf(need) === 'skipped') ?? all.find((need) => stateOf(need) === 'left-out' && !isOptional(need));
  return skipped === undefined ? undefined : { cause: 'need-skipped', need: skipped };
}

/** How a task counts that does not run: an optional need that failed, or was skipped for a failure, is not forgiven. */
export function stateOfSkipped(skip: SkipCause, stateOf: (need: string) => TaskState | undefined): TaskState {
  if (skip.cause === 'if') return 'left-out';
  return skip.cause === 'need-skipped' && stateOf(skip.need) === 'left-out' ? 'left-out' : 'skipped';
}

/** Whether the task's own `if`, where it is one for the task as a whole, lets it run. The failure is of kind `expression`. */
export function skippedByCondition(task: TaskDefinition, scope: ExpressionScope): Result<SkipCause | undefined, Failure> {
  const condition = taskCondition(task);
  if (condition === undefined) return ok(undefined);
  const holds = checkedCondition(evaluate(condition, scope));
  if (!holds.ok) return err(holds.error);
  return ok(holds.value ? undefined : { cause: 'if', condition });
}

/**
 * Why a fan-out does not run whose items cannot be found, where that is because a task that they come from did not run; undefined
 * where it is a failure. An expression that can do without those results never comes here.
 */
export function skippedBySource(
  { foreach }: TaskDefinition,
  stateOf: (need: string) => TaskState | undefined,
): SkipCause | undefined {
  const source = sourcesOf(foreach).find((task) => stateOf(task) === 'left-out');
  return source === undefined ? undefined : { cause: 'need-skipped', need: source };
}

/** The tasks that a fan-out's items come from. */
export function sourcesOf(foreach: TaskDefinition['foreach']): readonly string[] {
  if (foreach === undefined || foreach.kind === 'list') return [];
  return foreach.kind === 'each' ? [foreach.task] : foreach.tasks;
}
