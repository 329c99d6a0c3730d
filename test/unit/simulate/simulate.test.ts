import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundsOf, leastBound } from '../../../bench/simulate/model/bounds.js';
import { anySketch, COSTS, setupOf, simulated } from './setups.js';

/** Messages that cost nothing. */
const FREE = { chunk: { each: 0, perSubtask: 0 }, envelope: { each: 0, perSubtask: 0 } };

describe('a simulated run', () => {
  it('conserves its work: every subtask is over, in as many chunks as it takes, and Redis is left empty', () => {
    fc.assert(
      fc.property(anySketch, (sketch) => {
        const run = simulated(sketch);
        expect(run.subtasks).toBe(sketch.work.subtasks);
        expect(run.chunks).toBe(Math.ceil((sketch.work.subtasks ?? 0) / sketch.chunk));
        expect(run.redisLeftBytes).toBeCloseTo(run.redisIdleBytes, 3);
        expect(run.redisPeakBytes).toBeGreaterThan(run.redisIdleBytes);
      }),
    );
  });

  it('uses nothing more than wholly', () => {
    fc.assert(
      fc.property(anySketch, (sketch) => {
        const { coordinatorUse, redisUse, agentUse, workerUse, coreUse = 0 } = simulated(sketch);
        for (const use of [coordinatorUse, redisUse, agentUse, workerUse, coreUse]) {
          expect(use).toBeGreaterThanOrEqual(0);
          expect(use).toBeLessThanOrEqual(1 + 1e-9);
        }
      }),
    );
  });

  it('is never faster than any of the asymptotic bounds', () => {
    fc.assert(
      fc.property(anySketch, (sketch) => {
        // Whole chunks only, all of the same network: then the mean is the case.
        const chunks = Math.ceil((sketch.work.subtasks ?? 0) / sketch.chunk);
        const run = simulated({ ...sketch, work: { ...sketch.work, subtasks: chunks * sketch.chunk } });
        // Of the envelopes, those that were still on their way at the end cost nothing: without any, the bounds are higher.
        const { coordinator, Redis, workers, cores } = boundsOf(setupOf(sketch), { subtasks: sketch.chunk, envelopes: 0 });
        expect(run.subtasksPerSecond).toBeLessThanOrEqual(Math.min(coordinator, Redis, workers, cores) * (1 + 1e-9));
      }),
    );
  });

  it('is the same again from the same seed, and another one from another', () => {
    const costs = { networkMs: [0.1, 0.2, 0.9], pickUpMs: [0.1, 2] };
    expect(simulated({ costs, seed: 7 })).toEqual(simulated({ costs, seed: 7 }));
    expect(simulated({ costs, seed: 7 }).ms).not.toBe(simulated({ costs, seed: 8 }).ms);
  });

  it('keeps in memory what is on its way, not what is to come', () => {
    const events = (subtasks: number) => simulated({ work: { subtasks }, chunk: 8000 }).events;
    expect(events(8_000_000) / events(800_000)).toBeCloseTo(10, 0);
  });
});

describe('throughput', () => {
  const work = { subtasks: 20_000, waitMs: 5 };
  const through = (workers: number, costs = {}) => simulated({ work, costs, fleet: { workers } }).subtasksPerSecond;

  it('grows with the workers until something is saturated, and then stays', () => {
    const counts = [1, 2, 4, 8, 16, 32, 64, 128];
    const all = counts.map((workers) => through(workers));
    all.slice(1).forEach((value, i) => {
      expect(value).toBeGreaterThanOrEqual((all[i] ?? 0) * 0.97);
    });
    expect((all[1] ?? 0) / (all[0] ?? 1)).toBeGreaterThan(1.9);
    expect((all.at(-1) ?? 0) / (all.at(-2) ?? 1)).toBeLessThan(1.1);
  });

  it.each([
    ['coordinator', { redis: FREE, worker: FREE }],
    ['Redis', { coordinator: FREE, worker: FREE }],
  ] as const)('comes to that of a saturated %s', (limit, costs) => {
    const fleet = { workers: 200 };
    const run = simulated({ work: { subtasks: 100_000, waitMs: 5 }, costs: costs, fleet });
    const per = { subtasks: 4, envelopes: run.envelopes / run.chunks };
    const least = leastBound(boundsOf(setupOf({ costs, work, fleet }), per));
    expect(least.limit).toBe(limit);
    expect(run.subtasksPerSecond / least.subtasksPerSecond).toBeGreaterThan(0.97);
    expect(limit === 'Redis' ? run.redisUse : run.coordinatorUse).toBeGreaterThan(0.97);
  });

  it('comes to that of busy agents where all else is free', () => {
    const costs = { coordinator: FREE, redis: FREE, worker: FREE, agent: { each: 0, perSubtask: 0 } };
    const run = simulated({ work, costs, fleet: { workers: 3, agentsPerWorker: 2 } });
    expect(run.subtasksPerSecond / ((1000 * 6) / 5)).toBeGreaterThan(0.99);
    expect(run.agentUse).toBeGreaterThan(0.99);
  });

  it('of a single place is that of one round trip after the other', () => {
    const costs = { networkMs: [3], pickUpMs: [2], gatherMs: 1e6, acknowledgeMs: 1e6 };
    const fleet = { workers: 1, agentsPerWorker: 1, chunksPerAgent: 1 };
    const { latency } = boundsOf(setupOf({ costs, work, fleet }), { subtasks: 4, envelopes: 1 });
    const run = simulated({ work, costs, fleet });
    expect(run.subtasksPerSecond / latency).toBeCloseTo(1, 6);
  });

  it('is held down by the cores that all of it shares', () => {
    const computing = { subtasks: 5000, waitMs: 0, cpuMs: 5 };
    const on = (workers: number, sharedCores: number | undefined) =>
      simulated({ work: computing, fleet: { workers, sharedCores } });
    expect(on(4, undefined).subtasksPerSecond / on(1, undefined).subtasksPerSecond).toBeGreaterThan(3.8);
    expect(on(4, 2).subtasksPerSecond / on(1, 2).subtasksPerSecond).toBeLessThan(1.1);
    expect(on(4, 2).coreUse).toBeGreaterThan(0.97);
  });
});

it('the most that was in Redis is at most what all places may have there', () => {
  const run = simulated({ work: { subtasks: 50_000, waitMs: 5 }, fleet: { workers: 10 } });
  const { idle, perWorker, chunk, envelope } = COSTS.memory;
  const places = 10 * 2 * 2;
  const most = idle + 10 * perWorker + places * (chunk.each + 4 * chunk.perSubtask + 2 * envelope.each + 4 * envelope.perSubtask);
  expect(run.redisPeakBytes).toBeLessThanOrEqual(most);
  expect(run.redisPeakBytes).toBeGreaterThan(idle + 10 * perWorker + chunk.each);
});
