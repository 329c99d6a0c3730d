import fc from 'fast-check';
import { compileGraph } from '../../../src/graph/compile-graph.js';
import type { TaskGraph } from '../../../src/graph/task-graph.js';
import type { FanOutSource, TaskDefinition, ValidPlan } from '../../../src/plan/valid-plan.js';

/** What a test says of a task; the rest is filled in. */
export type TaskSketch = Pick<TaskDefinition, 'id'> & Partial<TaskDefinition>;

/** A fan-out over a list that the plan states. */
export const FAN_OUT: FanOutSource = { kind: 'list', items: [1, 2, 3] };

export function plan(sketches: readonly TaskSketch[]): ValidPlan {
  return {
    file: '/plans/test.yaml',
    text: '',
    includes: [],
    name: 'test',
    description: undefined,
    request: { mode: 'AUTOMATIC_SCALING', task: 'test' },
    type: 'general',
    agents: { kind: 'auto' },
    sync: 'wave',
    pools: {},
    backup: 'none',
    params: {},
    secrets: [],
    limits: { ratePerMinute: undefined, connections: undefined, iops: undefined, memoryPerAgentBytes: undefined },
    failure: { minor: undefined, major: undefined, critical: undefined, onMajor: 'sequential' },
    tasks: sketches.map(task),
    finally: [],
    warnings: [],
  };
}

function task(sketch: TaskSketch): TaskDefinition {
  return {
    phase: undefined,
    needs: [],
    work: { kind: 'shell', command: 'true' },
    with: undefined,
    foreach: undefined,
    batch: undefined,
    env: {},
    cwd: undefined,
    timeoutMs: undefined,
    retries: { max: 0, backoffMs: 0, factor: 1, jitter: 'none' },
    output: 'text',
    if: undefined,
    success: [],
    estimateMs: undefined,
    reads: [],
    hash: sketch.id,
    range: { line: 1, column: 1, endLine: 1, endColumn: 2 },
    ...sketch,
  };
}

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
