import { describe, expect, it } from 'vitest';
import { groupWaves } from '../../../src/graph/waves.js';
import { ASSUMED_SUBTASK_MS, summarizeWorkload } from '../../../src/scaling/workload.js';
import { FAN_OUT, graphOf, type TaskSketch } from '../graph/graphs.js';

function workload(sketches: readonly TaskSketch[], counts: Readonly<Record<number, number>> = {}) {
  const compiled = graphOf(sketches);
  return summarizeWorkload(
    compiled,
    groupWaves(compiled),
    new Map(Object.entries(counts).map(([index, count]) => [Number(index), count])),
  );
}

describe('summarizeWorkload', () => {
  it('tells all subtasks from those of the widest wave', () => {
    const sketches = [
      { id: 'scan', estimateMs: 2000 },
      { id: 'each', estimateMs: 500, foreach: FAN_OUT, needs: ['scan'] },
      { id: 'beside', estimateMs: 5000, needs: ['scan'] },
    ];
    const { subtasks, widestWave, waves, averageMinutes, averageSource } = workload(sketches, { 0: 1, 1: 8, 2: 1 });
    expect([subtasks, widestWave, averageSource]).toEqual([10, 9, 'estimate']);
    expect(waves).toEqual([
      { subtasks: 1, seconds: 2 },
      { subtasks: 9, seconds: 1 },
    ]);
    expect(averageMinutes).toBeCloseTo(11 / 10 / 60, 12);
  });

  it('says so when a duration is assumed', () => {
    const { waves, averageSource } = workload([
      { id: 'a', estimateMs: 10 },
      { id: 'b', needs: ['a'] },
    ]);
    expect(averageSource).toBe('assumed');
    expect(waves[1]).toEqual({ subtasks: 1, seconds: ASSUMED_SUBTASK_MS / 1000 });
  });

  it('counts a fan-out that is not known yet as one, and an empty one as none', () => {
    const sketches = [{ id: 'a', foreach: FAN_OUT }];
    expect(workload(sketches).subtasks).toBe(1);
    expect(workload(sketches, { 0: 0 })).toMatchObject({
      subtasks: 0,
      widestWave: 0,
      averageMinutes: 0,
      waves: [{ subtasks: 0, seconds: 0 }],
    });
  });
});
