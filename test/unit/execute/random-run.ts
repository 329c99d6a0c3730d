import fc from 'fast-check';
import type { FailureKind } from '../../../src/model/failure.js';
import type { RetryPolicy } from '../../../src/plan/valid-plan.js';
import { overList, overResultsOf, type TaskSketch } from '../../support/plans.js';

/** A task of a random plan, and what becomes of its subtasks. */
export interface RandomTask {
  readonly id: string;
  /** Names of tasks before it. */
  readonly needs: readonly string[];
  /** Those of them that it can do without. */
  readonly optional: readonly string[];
  /** `one` subtask, so many items, or the results of its first need (of itself `one` where it needs nothing). */
  readonly shape: 'one' | 'over results' | number;
  readonly if: 'always' | 'never' | 'even';
  /** How many attempts at subtask i fail before one succeeds: entry i, counted round. */
  readonly failing: readonly number[];
  readonly failure: FailureKind;
  readonly retries: RetryPolicy;
}

/** A plan, its surroundings, and the order in which things happen. */
export interface RandomRun {
  readonly tasks: readonly RandomTask[];
  readonly agents: number;
  readonly ratePerMinute: number | undefined;
  readonly majorShare: number;
  /** Which of the things that can happen next does, counted round. */
  readonly order: readonly number[];
  /** Shares for full jitter, counted round. */
  readonly random: readonly number[];
  readonly stop: { readonly kind: 'drain' | 'abort'; readonly step: number } | undefined;
}

const policies: fc.Arbitrary<RetryPolicy> = fc.record({
  max: fc.integer({ min: 0, max: 3 }),
  backoffMs: fc.constantFrom(0, 1, 100),
  factor: fc.constantFrom(1, 2, 10),
  jitter: fc.constantFrom('full' as const, 'none' as const),
});

const drafts = fc.record({
  needs: fc.array(fc.nat(), { maxLength: 3 }),
  optional: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
  shape: fc.oneof(fc.constantFrom('one' as const, 'over results' as const), fc.integer({ min: 0, max: 12 })),
  if: fc.oneof({ weight: 6, arbitrary: fc.constant('always' as const) }, fc.constantFrom('never' as const, 'even' as const)),
  failing: fc.array(fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.constantFrom(1, 2, 99)), {
    minLength: 1,
    maxLength: 10,
  }),
  failure: fc.constantFrom<FailureKind>('command', 'timeout', 'module', 'module-load', 'agent-lost'),
  retries: policies,
});

const plans: fc.Arbitrary<readonly RandomTask[]> = fc.array(drafts, { minLength: 1, maxLength: 8 }).map((list) =>
  list.map((draft, rank): RandomTask => {
    const needs = rank === 0 ? [] : [...new Set(draft.needs.map((need) => `t${need % rank}`))];
    const optional = needs.filter((_, i) => draft.optional[i]);
    return {
      ...draft,
      id: `t${rank}`,
      needs,
      optional,
      shape: draft.shape === 'over results' && needs.length === 0 ? 'one' : draft.shape,
    };
  }),
);

const surroundings = {
  agents: fc.integer({ min: 1, max: 5 }),
  ratePerMinute: fc.option(fc.constantFrom(60, 700, 100_000), { nil: undefined }),
  majorShare: fc.constantFrom(0.1, 0.5, 1),
  order: fc.array(fc.nat({ max: 999 }), { minLength: 1, maxLength: 20 }),
  random: fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 1, maxLength: 4 }),
};

/** Runs that are left to themselves. */
export const undisturbedRuns: fc.Arbitrary<RandomRun> = readable(
  fc.record({ tasks: plans, ...surroundings, stop: fc.constant(undefined) }),
);

/** Runs that are told to stop on the way. */
export const stoppedRuns: fc.Arbitrary<RandomRun> = readable(
  fc.record({
    tasks: plans,
    ...surroundings,
    stop: fc.record({ kind: fc.constantFrom('drain' as const, 'abort' as const), step: fc.nat({ max: 30 }) }),
  }),
);

function readable(runs: fc.Arbitrary<RandomRun>): fc.Arbitrary<RandomRun> {
  return runs.map((run) => Object.defineProperty({ ...run }, fc.toStringMethod, { value: () => describeRun(run) }));
}

/** A random run as a person would write it down. */
export function describeRun(run: RandomRun): string {
  const { agents, ratePerMinute, majorShare, order, random, stop } = run;
  const rate = ratePerMinute === undefined ? 'no rate' : `${ratePerMinute}/min`;
  const stopped = stop === undefined ? 'not stopped' : `${stop.kind} at step ${stop.step}`;
  return [
    '',
    `${agents} agents, ${rate}, FAILED above ${majorShare * 100}%, ${stopped}`,
    ...run.tasks.map(describeTask),
    `  order ${order.join(' ')}; random ${random.join(' ')}`,
  ].join('\n');
}

function describeTask(task: RandomTask): string {
  const { max, backoffMs, factor, jitter } = task.retries;
  const parts = [
    task.shape === 'one'
      ? ''
      : task.shape === 'over results'
        ? `over the results of ${task.needs[0]}`
        : `over ${task.shape} items`,
    task.needs.length === 0
      ? ''
      : `needs ${task.needs.map((need) => (task.optional.includes(need) ? `${need}?` : need)).join(' ')}`,
    task.if === 'always' ? '' : `if ${task.if}`,
    task.failing.every((attempts) => attempts === 0) ? '' : `fails ${task.failing.join(' ')} times (${task.failure})`,
    max === 0 ? '' : `${max} retries, ${backoffMs} ms × ${factor} (jitter ${jitter})`,
  ];
  return `  ${task.id}: ${parts.filter((part) => part !== '').join('; ') || 'one subtask'}`;
}

/** A random task as the plan states it. */
export function sketchOf(task: RandomTask): TaskSketch {
  const { needs, optional: optionalNeeds } = task;
  const source = task.shape === 'one' ? {} : task.shape === 'over results' ? overResultsOf(needs[0] ?? '') : overList(task.shape);
  const conditions = { always: undefined, never: 'false', even: task.shape === 'one' ? undefined : 'index % 2 == 0' };
  return { ...source, id: task.id, needs, optionalNeeds, if: conditions[task.if], retries: task.retries };
}
