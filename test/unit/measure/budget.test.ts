import { describe, expect, it } from 'vitest';
import { sampleWithin } from '../../../src/measure/budget.js';

/** Steps that take so many milliseconds each time, in turn, on a clock that only they move. */
function rig(costs: readonly (readonly number[])[]) {
  let time = 0;
  const order: number[] = [];
  const steps = costs.map((list, i) => {
    let runs = 0;
    return {
      run: async () => {
        order.push(i);
        time += list[Math.min(runs++, list.length - 1)] ?? 0;
      },
    };
  });
  return { steps, order, now: () => time };
}

describe('sampleWithin', () => {
  it('takes each sample once, in order, before any twice', async () => {
    const { steps, order, now } = rig([[10], [20], [30]]);
    expect(await sampleWithin(steps, { until: 130, rounds: 9, now })).toEqual([3, 2, 2]);
    expect(order).toEqual([0, 1, 2, 0, 1, 2, 0]);
  });

  it('never starts what would not fit by what it took before', async () => {
    const { steps, now } = rig([[40], [5]]);
    expect(await sampleWithin(steps, { until: 100, rounds: 3, now })).toEqual([2, 3]);
    expect(now()).toBeLessThanOrEqual(100);
  });

  it('goes by the most that a sample took', async () => {
    const { steps, now } = rig([[50, 1]]);
    expect(await sampleWithin(steps, { until: 60, rounds: 9, now })).toEqual([1]);
  });

  it('starts nothing when the time is over, so that a step may have no sample', async () => {
    const { steps, now } = rig([[80], [30], [1]]);
    expect(await sampleWithin(steps, { until: 100, rounds: 9, now })).toEqual([1, 1, 0]);
    expect(await sampleWithin(steps, { until: 100, rounds: 9, now })).toEqual([0, 0, 0]);
  });

  it('ends after its rounds with time left', async () => {
    const { steps, now } = rig([[1], [1]]);
    expect(await sampleWithin(steps, { until: 1000, rounds: 5, now })).toEqual([5, 5]);
  });
});
