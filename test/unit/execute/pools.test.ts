import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Pools } from '../../../src/execute/pools.js';
import { overList } from '../../support/plans.js';
import { FakeClock, failureOf, settled } from './fakes.js';
import { Rig } from './rig.js';

const RETRIES = { max: 2, backoffMs: 10, factor: 1, jitter: 'none' } as const;

describe('a pool', () => {
  it('lets no more than its size run at once, and leaves the other agents to others', async () => {
    const tasks = [
      { id: 'db', ...overList(6), pool: { pool: 'db', weight: 1 } },
      { id: 'free', ...overList(6) },
    ];
    const rig = await new Rig({ tasks, agents: 4, pools: { db: { max: 2 } } }).start();
    expect(rig.running).toEqual(['db[0]', 'db[1]', 'free[0]', 'free[1]']);
    await rig.finish('db[1]');
    expect(rig.running).toEqual(['db[0]', 'free[0]', 'free[1]', 'db[2]']);
    await rig.finishAll();
    expect(rig.end?.status).toBe('done');
    expect(rig.eventsOf('pools-observed')).toMatchObject([{ pools: [{ name: 'db', max: 2, peak: 2, starts: 6 }] }]);
  });

  it('counts weights', async () => {
    const tasks = [
      { id: 'large', ...overList(1), pool: { pool: 'gpu', weight: 3 } },
      { id: 'small', ...overList(3), pool: { pool: 'gpu', weight: 1 } },
    ];
    const rig = await new Rig({ tasks, agents: 9, pools: { gpu: { max: 3 } } }).start();
    expect(rig.running).toEqual(['large[0]']);
    await rig.finish('large[0]');
    expect(rig.running).toEqual(['small[0]', 'small[1]', 'small[2]']);
    await rig.finishAll();
  });

  it('spaces starts by its rate', async () => {
    const tasks = [{ id: 'api', ...overList(3), pool: { pool: 'api', weight: 1 } }];
    const rig = await new Rig({ tasks, agents: 9, pools: { api: { ratePerMinute: 60 } } }).start();
    expect(rig.running).toEqual(['api[0]']);
    rig.clock.advance(999);
    await settled();
    expect(rig.running).toEqual(['api[0]']);
    rig.clock.advance(1);
    await settled();
    expect(rig.running).toEqual(['api[0]', 'api[1]']);
    rig.clock.advance(1000);
    await settled();
    await rig.finishAll();
    expect(rig.end?.status).toBe('done');
  });

  it('is never held beyond its size, whatever fails and is retried, and nobody waits for ever', async () => {
    const runs = fc.record({
      agents: fc.integer({ min: 1, max: 6 }),
      max: fc.integer({ min: 1, max: 4 }),
      weights: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
      failing: fc.array(fc.boolean(), { minLength: 1, maxLength: 7 }),
      order: fc.array(fc.nat({ max: 99 }), { minLength: 1, maxLength: 9 }),
    });
    await fc.assert(
      fc.asyncProperty(runs, async ({ agents, max, weights, failing, order }) => {
        const tasks = weights.map((weight, i) => ({
          id: `t${i}`,
          ...overList(4),
          pool: { pool: 'p', weight: Math.min(weight, max) },
          retries: RETRIES,
        }));
        const rig = await new Rig({ tasks, agents, pools: { p: { max } }, majorShare: 1 }).start();
        for (let step = 0; rig.end === undefined; step++) {
          if (step > 2000) throw new Error('somebody waits for ever');
          const { running } = rig.executor;
          const held = running.map(({ request }) => Math.min(max, weights[Number(request.subtask[1])] ?? 0));
          const sum = held.reduce((total, weight) => total + weight, 0);
          expect(sum, `${held} of ${max}`).toBeLessThanOrEqual(max);
          const next = running[(order[step % order.length] ?? 0) % Math.max(1, running.length)];
          if (next === undefined) rig.clock.tick();
          else rig.executor.end(next, failing[step % failing.length] === true ? { failure: failureOf() } : {});
          await settled();
        }
      }),
      { numRuns: 150 },
    );
  });

  it('reserves what is free for a heavy subtask at the head of its line, and holds up no other pool', async () => {
    const tasks = [
      { id: 'prep' },
      { id: 'small', ...overList(9), pool: { pool: 'a', weight: 1 } },
      { id: 'other', ...overList(4), pool: { pool: 'b', weight: 1 } },
      { id: 'heavy', needs: ['prep'], pool: { pool: 'a', weight: 2 }, estimateMs: 9000 },
    ];
    const rig = await new Rig({ tasks, agents: 9, sync: 'eager', pools: { a: { max: 2 }, b: { max: 1 } } }).start();
    await rig.finish('prep');
    expect(rig.running).toEqual(['small[0]', 'small[1]', 'other[0]']);
    await rig.finish('small[0]');
    await rig.finish('other[0]');
    expect(rig.running).toEqual(['small[1]', 'other[1]']);
    await rig.finish('small[1]');
    expect(rig.running).toEqual(['other[1]', 'heavy']);
    await rig.finish('heavy');
    expect(rig.running).toEqual(['other[1]', 'small[2]', 'small[3]']);
    await rig.finishAll();
    expect(rig.end?.status).toBe('done');
  });

  it('reserves for a heavy retry as well', async () => {
    const tasks = [
      { id: 'heavy', pool: { pool: 'a', weight: 2 }, retries: RETRIES },
      { id: 'small', ...overList(5), pool: { pool: 'a', weight: 1 } },
    ];
    const rig = await new Rig({ tasks, agents: 9, pools: { a: { max: 2 } } }).start();
    await rig.finish('heavy', { failure: failureOf() });
    expect(rig.running).toEqual(['small[0]', 'small[1]']);
    rig.clock.advance(10);
    await rig.finish('small[0]');
    expect(rig.running).toEqual(['small[1]']);
    await rig.finish('small[1]');
    expect(rig.running).toEqual(['heavy']);
    await rig.finishAll();
  });

  it('waits for its own rate, however long another pool waits for its rate', async () => {
    const tasks = [
      { id: 'rare', ...overList(2), pool: { pool: 'rare', weight: 1 } },
      { id: 'often', ...overList(3), pool: { pool: 'often', weight: 1 } },
    ];
    const pools = { rare: { ratePerMinute: 1 }, often: { ratePerMinute: 60 } };
    const rig = await new Rig({ tasks, agents: 9, pools }).start();
    rig.clock.advance(2000);
    await settled();
    expect(rig.running).toEqual(['rare[0]', 'often[0]', 'often[1]', 'often[2]']);
    rig.clock.advance(60_000);
    await settled();
    await rig.finishAll();
  });

  it('knows its peak, its starts and its limits', () => {
    const pools = new Pools({ a: { max: 2 }, b: {} }, new FakeClock());
    pools.take({ pool: 'a', weight: 2 });
    expect(pools.admission({ pool: 'a', weight: 1 })).toEqual({ kind: 'full' });
    pools.giveBack({ pool: 'a', weight: 2 });
    expect(pools.admission({ pool: 'a', weight: 1 })).toEqual({ kind: 'yes' });
    expect(pools.uses()).toEqual([
      { name: 'a', max: 2, peak: 2, starts: 1 },
      { name: 'b', peak: 0, starts: 0 },
    ]);
  });
});
