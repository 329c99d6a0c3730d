import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MOST_PASSED_OVER } from '../../../src/execute/pool-line.js';
import { overList } from '../../support/plans.js';
import { type Execution, settled } from './fakes.js';
import { Rig } from './rig.js';

interface RandomTask {
  readonly pool: 'a' | 'b' | 'none';
  readonly weight: number;
  readonly items: number;
  readonly ms: number;
  readonly estimateMs: number;
}

const randomTask: fc.Arbitrary<RandomTask> = fc.record({
  pool: fc.constantFrom('a', 'a', 'b', 'none'),
  weight: fc.integer({ min: 1, max: 4 }),
  items: fc.integer({ min: 1, max: 8 }),
  ms: fc.integer({ min: 1, max: 50 }),
  estimateMs: fc.integer({ min: 1, max: 50 }),
});
const SIZES = fc.record({ a: fc.integer({ min: 1, max: 4 }), b: fc.integer({ min: 1, max: 4 }) });
const CHUNKS = fc.constantFrom(1, 4);
const RUNS = { numRuns: 120 };

/** A run whose subtasks take simulated time. */
class TimedRun {
  readonly rig: Rig;
  readonly #tasks: ReadonlyMap<string, RandomTask>;
  readonly #sizes: { readonly a: number; readonly b: number };

  constructor(tasks: readonly RandomTask[], sizes: { readonly a: number; readonly b: number }, rig: Rig) {
    this.#tasks = new Map(tasks.map((task, i) => [`t${i}`, task]));
    this.#sizes = sizes;
    this.rig = rig;
  }

  taskOf({ request }: Execution): RandomTask | undefined {
    return this.#tasks.get(request.subtask.replace(/\[.*/, ''));
  }

  /** Ends the subtask whose time is up next. */
  async step(): Promise<void> {
    const { executor, clock } = this.rig;
    const ends = executor.running.map((one) => ({ one, at: one.startedAt + (this.taskOf(one)?.ms ?? 5) }));
    const next = ends.reduce((first, other) => (other.at < first.at ? other : first));
    clock.advance(Math.max(0, next.at - clock.now()));
    executor.end(next.one);
    await settled();
  }

  checkCapacity(): void {
    for (const pool of ['a', 'b'] as const) {
      const held = this.rig.executor.running.map((one) => {
        const task = this.taskOf(one);
        return task?.pool === pool ? weightIn(task, this.#sizes) : 0;
      });
      const sum = held.reduce((total, weight) => total + weight, 0);
      expect(sum, `${held} of ${pool}`).toBeLessThanOrEqual(this.#sizes[pool]);
    }
  }
}

function weightIn({ pool, weight }: RandomTask, sizes: { readonly a: number; readonly b: number }): number {
  return pool === 'none' ? 0 : Math.min(weight, sizes[pool]);
}

function sketchOf(task: RandomTask, index: number, sizes: { readonly a: number; readonly b: number }) {
  const { pool, items, estimateMs } = task;
  const share = pool === 'none' ? {} : { pool: { pool, weight: weightIn(task, sizes) } };
  return { id: `t${index}`, ...overList(items), estimateMs, ...share };
}

const limits = ({ a, b }: { readonly a: number; readonly b: number }) => ({ a: { max: a }, b: { max: b } });

describe('any tasks in any pools', () => {
  it('all run, within the capacity, and none is passed over for long', async () => {
    const runs = fc.record({
      tasks: fc.array(randomTask, { minLength: 1, maxLength: 6 }),
      sizes: SIZES,
      agents: fc.integer({ min: 1, max: 9 }),
      sync: fc.constantFrom('wave' as const, 'eager' as const),
      mostInChunk: CHUNKS,
    });
    await fc.assert(
      fc.asyncProperty(runs, async ({ tasks, sizes, agents, sync, mostInChunk }) => {
        const sketches = tasks.map((task, i) => sketchOf(task, i, sizes));
        const rig = await new Rig({ tasks: sketches, agents, sync, mostInChunk, pools: limits(sizes) }).start();
        const run = new TimedRun(tasks, sizes, rig);
        for (; rig.end === undefined; await run.step()) run.checkCapacity();
        expect(rig.checkpoints).toHaveLength(tasks.reduce((sum, { items }) => sum + items, 0));
        for (const pool of ['a', 'b'] as const) {
          const starts = rig.executor.executions.flatMap((one) => (run.taskOf(one)?.pool === pool ? [one.request.subtask] : []));
          const inPool = tasks.flatMap((task, i) => (task.pool === pool ? [`t${i}[0]`] : []));
          for (const first of inPool)
            expect(starts.indexOf(first)).toBeLessThan(inPool.length * (MOST_PASSED_OVER + 1) * mostInChunk);
        }
      }),
      RUNS,
    );
  });

  it('let a heavy one on the longest path start once what ran when it became ready has ended', async () => {
    const runs = fc.record({
      tasks: fc.array(randomTask, { minLength: 1, maxLength: 6 }),
      sizes: SIZES,
      weight: fc.integer({ min: 1, max: 4 }),
      mostInChunk: CHUNKS,
    });
    await fc.assert(
      fc.asyncProperty(runs, async ({ tasks, sizes, weight, mostInChunk }) => {
        const heavy = { id: 'heavy', needs: ['prep'], pool: { pool: 'a', weight: Math.min(weight, sizes.a) } };
        const sketches = [
          { id: 'prep' },
          ...tasks.map((task, i) => sketchOf(task, i, sizes)),
          { ...heavy, estimateMs: 1000 },
          { id: 'after', needs: ['heavy'], estimateMs: 1000 },
        ];
        const rig = await new Rig({ tasks: sketches, agents: 60, sync: 'eager', mostInChunk, pools: limits(sizes) }).start();
        const run = new TimedRun(tasks, sizes, rig);
        let ready: readonly Execution[] | undefined;
        for (; rig.end === undefined; await run.step()) {
          const { running, executions } = rig.executor;
          const started = executions.some(({ request }) => request.subtask === 'heavy');
          if (running.some(({ request }) => request.subtask === 'prep')) continue;
          ready ??= running.filter((one) => run.taskOf(one)?.pool === 'a');
          // One that was passed over for too long before heavy came may still go first.
          const overdue = executions.filter((one) => run.taskOf(one)?.pool === 'a').length > MOST_PASSED_OVER;
          if (!overdue && !ready.some((one) => running.includes(one))) expect(started).toBe(true);
        }
        expect(rig.end.status).toBe('done');
      }),
      RUNS,
    );
  });
});
