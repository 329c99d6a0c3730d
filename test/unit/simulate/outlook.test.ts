import { describe, expect, it } from 'vitest';
import { forecast, kindsOf } from '../../../bench/simulate/outlook.js';
import { coordinatorsSizing } from '../../../bench/simulate/sizing.js';
import { COSTS } from './setups.js';

const ON_OWN_MACHINES = { agentsPerWorker: 4, chunksPerAgent: 1, sharedCores: undefined };

describe('a forecast', () => {
  it.each(kindsOf(100_000))('of $name is no slower on more workers, until the coordinator or Redis is busy', (work) => {
    const all = [1, 4, 16, 64].map((workers) => forecast(COSTS, work, { workers, ...ON_OWN_MACHINES }, 1));
    // From there on shares are smaller, and chunks with them.
    const saturated = all.findIndex(({ run }) => Math.max(run.coordinatorUse, run.redisUse) > 0.8);
    const before = saturated === -1 ? all : all.slice(0, saturated + 1);
    before.slice(1).forEach(({ run }, i) => {
      expect(run.subtasksPerSecond).toBeGreaterThan((before[i]?.run.subtasksPerSecond ?? 0) * 0.9);
    });
    for (const { run } of all) expect(run.subtasks).toBe(100_000);
  });

  it('of slow subtasks on few workers is held down by these', () => {
    const { limit, saturated } = forecast(
      COSTS,
      { name: '200 ms', subtasks: 10_000, cpuMs: 200, waitMs: 0 },
      { workers: 4, ...ON_OWN_MACHINES },
      1,
    );
    expect({ limit, saturated }).toEqual({ limit: 'workers', saturated: true });
  });
});

describe('the sizing of chunks', () => {
  it('begins with single subtasks, follows their duration, and then what a chunk costs on its way', () => {
    const sizing = coordinatorsSizing();
    expect(sizing.next(1000, 2)).toBe(1);
    sizing.cameBack(1, 2, 1);
    expect(sizing.next(1000, 2)).toBe(10);
    const far = coordinatorsSizing();
    far.cameBack(1, 2, 10);
    expect(far.next(1000, 2)).toBe(50);
  });
});
