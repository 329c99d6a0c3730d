import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DurationSpread } from '../../../src/report/duration-spread.js';
import { counted, efficiency, figure, humanDuration, minutes, minutesAndHours, timeSaved } from '../../../src/report/figures.js';

describe('humanDuration', () => {
  it.each([
    [0, '0 ms'],
    [0.4, '0.4 ms'],
    [40, '40 ms'],
    [250.4, '250 ms'],
    [999.6, '1 s'],
    [3000, '3 s'],
    [3250, '3.25 s'],
    [59_960, '1 min'],
    [65_000, '1 min 5 s'],
    [3_599_600, '1 h'],
    [30_000_000, '8 h 20 min'],
    [86_399_999, '1 d'],
    [273_600_000, '3 d 4 h'],
    [-3000, '-3 s'],
    [Number.NaN, 'not known yet'],
    [Number.POSITIVE_INFINITY, 'not known yet'],
  ])('%d ms is %s', (ms, text) => expect(humanDuration(ms)).toBe(text));

  it('never shows a unit that is full', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), (ms) => {
        const text = humanDuration(ms);
        expect(text).not.toMatch(/\b1,000 ms|\b60 s|\b60 min|\b24 h/);
        expect(text).not.toMatch(/e[+-]?\d/);
      }),
    );
  });
});

describe('figures', () => {
  it.each([
    [0, '0'],
    [0.05, '0.05'],
    [8.3333, '8.33'],
    [10_234, '10,234'],
    [1e-9, 'under 0.0001'],
    [1e300, 'over 1,000,000,000,000,000'],
    [Number.NaN, 'not known yet'],
  ])('%d is %s', (value, text) => expect(figure(value)).toBe(text));

  it('counts with the right noun', () => {
    expect(counted(1, 'agent')).toBe('1 agent');
    expect(counted(10_000, 'agent')).toBe('10,000 agents');
    expect(counted(2, 'retry', 'retries')).toBe('2 retries');
  });

  it('puts a readable duration beside minutes', () => {
    expect(minutes(0.05)).toBe('0.05 minutes (3 s)');
    expect(minutesAndHours(500)).toBe('500 minutes (8.33 hours)');
    expect(minutesAndHours(0.66)).toBe('0.66 minutes (0.011 hours, 39.6 s)');
    expect(timeSaved(-0.05)).toBe('none: 0.05 minutes (3 s) longer than one after another');
  });

  it('is honest about efficiency', () => {
    expect(efficiency(500, 25.1)).toBe('95% faster ✅');
    expect(efficiency(1000, 1001)).toBe('about as fast as one after another');
    expect(efficiency(1, 1.5)).toBe('not faster: 50% slower than one after another');
    expect(efficiency(0, 1)).toBeUndefined();
    expect(efficiency(undefined, 1)).toBeUndefined();
    expect(efficiency(Number.NaN, 1)).toBeUndefined();
  });
});

describe('DurationSpread', () => {
  it('knows sum, least and greatest exactly, the lower median to within 1%', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 1e10 }), { minLength: 1, maxLength: 60 }), (microseconds) => {
        const durations = microseconds.map((us) => us / 1000);
        const spread = new DurationSpread();
        for (const duration of durations) spread.add(duration);
        const sorted = [...durations].sort((a, b) => a - b);
        const median = sorted[Math.ceil(sorted.length / 2) - 1] ?? 0;
        expect(spread.min).toBe(sorted[0]);
        expect(spread.max).toBe(sorted.at(-1));
        expect(spread.sum).toBeCloseTo(
          durations.reduce((sum, duration) => sum + duration, 0),
          3,
        );
        expect(Math.abs((spread.median ?? 0) - median)).toBeLessThanOrEqual(0.01 * median);
      }),
    );
  });

  it('of nothing is unknown; nonsense counts as nothing', () => {
    const spread = new DurationSpread();
    expect([spread.min, spread.median, spread.max]).toEqual([undefined, undefined, undefined]);
    spread.add(Number.NaN);
    spread.add(-5);
    expect([spread.sum, spread.min, spread.median, spread.max]).toEqual([0, 0, 0, 0]);
  });
});
