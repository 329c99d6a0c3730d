import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DurationSpread } from '../../../src/report/duration-spread.js';
import { finished, runStarted, summaryOf } from './builders.js';

function spreadOf(durations: readonly number[]): DurationSpread {
  const spread = new DurationSpread();
  for (const duration of durations) spread.add(duration);
  return spread;
}

describe('quantiles', () => {
  it('are within 1% of the exact ones, by the nearest rank', () => {
    const durations = fc.array(fc.double({ min: 0.001, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(durations, fc.double({ min: 0, max: 1, noNaN: true }), (values, q) => {
        const sorted = [...values].sort((a, b) => a - b);
        const exact = sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1] ?? Number.NaN;
        const quantile = spreadOf(values).quantile(q) ?? Number.NaN;
        expect(Math.abs(quantile - exact)).toBeLessThanOrEqual(0.0101 * exact);
      }),
    );
  });

  it('has the ends exactly', () => {
    const spread = spreadOf([5, 1, 9]);
    expect([spread.quantile(0), spread.quantile(1), spread.mean]).toEqual([1, 9, 5]);
    expect(spread.quantile(0.5)).toBe(spread.median);
  });

  it('are absent of nothing', () => {
    const { mean, median, quartileRange } = new DurationSpread();
    expect([mean, median, quartileRange, new DurationSpread().quantile(0.9)]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});

it('a task has the mean and the quartile range of all its ended subtasks, failed ones too', () => {
  const ends = [10, 20, 30, 40].map((duration_ms, i) =>
    finished('rename', { task_id: `rename[${i}]`, duration_ms, status: i === 3 ? 'failure' : 'success' }),
  );
  const [, rename] = summaryOf([runStarted(), ...ends]).tasks;
  expect(rename?.meanMs).toBe(25);
  expect(rename?.quartileRangeMs).toBeGreaterThan(19.5);
  expect(rename?.quartileRangeMs).toBeLessThan(20.5);
  expect(summaryOf([runStarted()]).tasks[0]).toMatchObject({ meanMs: undefined, quartileRangeMs: undefined });
});
