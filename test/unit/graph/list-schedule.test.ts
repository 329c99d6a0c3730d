import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listSchedule, type ScheduledTask } from '../../../src/graph/list-schedule.js';

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
