import { compileGraph } from '../../src/graph/compile-graph.js';
import type { TaskGraph, Wave } from '../../src/graph/task-graph.js';
import { groupWaves } from '../../src/graph/waves.js';
import type { TaskDefinition, ValidPlan } from '../../src/plan/valid-plan.js';

/** What a test says of a task; the rest is filled in: one attempt at the command `true`. */
export type TaskSketch = Pick<TaskDefinition, 'id'> & Partial<TaskDefinition>;

/** A task as `parsePlan` would make it. */
export function taskOf(sketch: TaskSketch): TaskDefinition {
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
    hash: `hash of ${sketch.id}`,
    range: { line: 1, column: 1, endLine: 1, endColumn: 2 },
    ...sketch,
  };
}

/** A fan-out over a list that the plan states. */
export function overList(items: number): Pick<TaskDefinition, 'foreach'> {
  return { foreach: { kind: 'list', items: Array.from({ length: items }, (_, i) => i) } };
}

/** A fan-out over the results of `task`, which it needs. */
export function overResultsOf(task: string): Pick<TaskDefinition, 'foreach' | 'needs' | 'reads'> {
  return {
    foreach: { kind: 'expression', expression: `tasks['${task}'].results`, tasks: [task] },
    needs: [task],
    reads: [task],
  };
}

/** A plan of the given tasks that asks for nothing else. */
export function planOf(sketches: readonly TaskSketch[]): ValidPlan {
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
    backup: 'none',
    params: {},
    secrets: [],
    limits: { ratePerMinute: undefined, connections: undefined, iops: undefined, memoryPerAgentBytes: undefined },
    failure: { minor: undefined, major: undefined, critical: undefined, onMajor: 'sequential' },
    pools: {},
    tasks: sketches.map(taskOf),
    finally: [],
    warnings: [],
  };
}

/** The graph and the waves of the given tasks. */
export function compiled(sketches: readonly TaskSketch[]): { readonly graph: TaskGraph; readonly waves: readonly Wave[] } {
  const graph = compileGraph(planOf(sketches));
  return { graph, waves: groupWaves(graph) };
}
