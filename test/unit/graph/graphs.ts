import fc from 'fast-check';
import { compileGraph } from '../../../src/graph/compile-graph.js';
import type { TaskGraph } from '../../../src/graph/task-graph.js';
import type { FanOutSource } from '../../../src/plan/valid-plan.js';
import { planOf as plan, type TaskSketch } from '../../support/plans.js';

export { plan, type TaskSketch };

/** A fan-out over a list that the plan states. */
export const FAN_OUT: FanOutSource = { kind: 'list', items: [1, 2, 3] };

export function graphOf(sketches: readonly TaskSketch[]): TaskGraph {
  return compileGraph(plan(sketches));
}

/** Needs by task: `{ b: ['a'] }` is a task b after a task a. Tasks named in `fanOuts` have a `foreach`. */
export function graph(needs: Readonly<Record<string, readonly string[]>>, fanOuts: readonly string[] = []): TaskGraph {
  return graphOf(
    Object.entries(needs).map(([id, list]) => ({ id, needs: list, ...(fanOuts.includes(id) ? { foreach: FAN_OUT } : {}) })),
  );
}

/**
 * Acyclic tasks in an order that says nothing of their dependencies: each needs some of those with a lower rank,
 * and then they are shuffled.
 */
export const acyclicTasks: fc.Arbitrary<readonly TaskSketch[]> = fc
  .array(fc.record({ needs: fc.array(fc.nat(), { maxLength: 4 }), fanOut: fc.boolean() }), { minLength: 1, maxLength: 40 })
  .chain((drafts) => {
    const tasks = drafts.map(
      ({ needs, fanOut }, rank): TaskSketch => ({
        id: `t${rank}`,
        needs: rank === 0 ? [] : [...new Set(needs.map((need) => `t${need % rank}`))],
        ...(fanOut ? { foreach: FAN_OUT } : {}),
      }),
    );
    return fc.shuffledSubarray(tasks, { minLength: tasks.length });
  });
