import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listSchedule, type ScheduledTask } from '../../../src/graph/list-schedule.js';
import { barrierCost } from '../../../src/report/barrier-cost.js';

const graphs: fc.Arbitrary<readonly ScheduledTask[]> = fc
  .array(
    fc.record({
      needs: fc.array(fc.nat(), { maxLength: 3 }),
      count: fc.integer({ min: 0, max: 9 }),
      ms: fc.integer({ min: 1, max: 100 }),
    }),
    {
      minLength: 1,
      maxLength: 20,
    },
  )
  .map((list) =>
    list.map((task, rank) => ({ ...task, needs: rank === 0 ? [] : [...new Set(task.needs.map((need) => need % rank))] })),
  );

function criticalPath(tasks: readonly ScheduledTask[]): number {
  const ends: number[] = [];
  for (const { needs, count, ms } of tasks)
    ends.push(Math.max(0, ...needs.map((need) => ends[need] ?? 0)) + (count > 0 ? ms : 0));
  return Math.max(...ends);
}

describe('a list schedule', () => {
  it("is never shorter than the work over the agents or the critical path, nor longer than Graham's bound", () => {
    fc.assert(
      fc.property(graphs, fc.integer({ min: 1, max: 8 }), (tasks, agents) => {
        const work = tasks.reduce((sum, { count, ms }) => sum + count * ms, 0);
        const path = criticalPath(tasks);
        const makespan = listSchedule(tasks, agents);
        expect(makespan).toBeGreaterThanOrEqual(Math.max(work / agents, path) - 1e-6);
        expect(makespan).toBeLessThanOrEqual(work / agents + path + 1e-6);
      }),
    );
  });

  it('of one agent is the work', () => {
    fc.assert(
      fc.property(graphs, (tasks) => {
        expect(listSchedule(tasks, 1)).toBeCloseTo(
          tasks.reduce((sum, { count, ms }) => sum + count * ms, 0),
          6,
        );
      }),
    );
  });
});

describe('the cost of barriers', () => {
  const task = (id: string, wave: number, needs: readonly string[], meanMs: number) => ({ id, wave, needs, subtasks: 1, meanMs });

  it('is what a slow task makes others wait that do not need it', () => {
    const tasks = [task('slow', 1, [], 1000), task('fast', 1, [], 100), task('next', 2, ['fast'], 900)];
    expect(barrierCost(tasks, () => 2)).toEqual({ seconds: 0.9, waveSeconds: 1.9, eagerSeconds: 1 });
  });

  it('is nothing in a chain, and there is none in one wave', () => {
    expect(barrierCost([task('a', 1, [], 100), task('b', 2, ['a'], 100)], () => 4)?.seconds).toBe(0);
    expect(barrierCost([task('a', 1, [], 100)], () => 4)).toBeUndefined();
  });
});
