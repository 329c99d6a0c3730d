import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asBenchReport, type BenchReport, type BenchRow } from '../../../src/measure/bench-report.js';
import { compareBenches, mannWhitney } from '../../../src/measure/compare.js';
import { spreadOf } from '../../../src/model/statistics.js';
import { renderComparison } from '../../../src/report/bench-text.js';
import { calibration } from './calibrations.js';

/** Samples around a middle, within a tenth of it, always the same ones. */
function around(middle: number, count = 60, turn = 0): number[] {
  return Array.from({ length: count }, (_, i) => middle * (0.9 + (0.2 * ((i * 7 + turn) % count)) / count));
}

function report(rows: Readonly<Record<string, readonly number[]>>): BenchReport {
  return {
    version: 1,
    measured: '2026-03-01T12:00:00.000Z',
    durationMs: 1000,
    machine: { cpu: 'Example 9000', arch: 'x64', cores: 2, memoryBytes: 16e9 },
    versions: { waveplan: '0.1.0', node: 'v20.20.0', v8: '11.3', uv: '1.46', system: 'linux 6' },
    rows: Object.entries(rows).map(([id, samples]): BenchRow => ({ id, name: `the ${id}`, ...spreadOf(samples), samples })),
    calibration: calibration(),
  };
}

const verdicts = (before: BenchReport, after: BenchReport) =>
  Object.fromEntries(compareBenches(before, after).rows.map(({ id, verdict }) => [id, verdict]));

describe('compareBenches', () => {
  it('tells what changed from what did not', () => {
    const before = report({ start: around(30), dispatch: around(0.04), barrier: around(1), odd: around(5) });
    const after = report({ start: around(45), dispatch: around(0.02), barrier: around(1, 60, 3), odd: around(5.2) });
    expect(verdicts(before, after)).toEqual({ start: 'slower', dispatch: 'faster', barrier: 'same', odd: 'same' });
  });

  it('says nothing of a report and itself', () => {
    const one = report({ start: around(30), dispatch: around(0.04) });
    expect(new Set(Object.values(verdicts(one, one)))).toEqual(new Set(['same']));
  });

  it('does not take a small shift of many samples for a change', () => {
    const tight = (middle: number) => Array.from({ length: 5000 }, (_, i) => middle + i * 1e-6);
    expect(verdicts(report({ a: tight(1) }), report({ a: tight(1.05) }))).toEqual({ a: 'same' });
  });

  it('does not take a shift within wide noise for a change', () => {
    const wide = (middle: number) => Array.from({ length: 100 }, (_, i) => middle + i);
    expect(verdicts(report({ a: wide(10) }), report({ a: wide(20) }))).toEqual({ a: 'same' });
  });

  it('admits that a few samples tell nothing', () => {
    expect(verdicts(report({ a: around(1, 4) }), report({ a: around(9) }))).toEqual({ a: 'too-few' });
  });

  it('turns round with the reports', () => {
    const [one, other] = [report({ a: around(1) }), report({ a: around(2) })];
    expect(verdicts(one, other)).toEqual({ a: 'slower' });
    expect(verdicts(other, one)).toEqual({ a: 'faster' });
  });

  it('names the rows that only one has', () => {
    const compared = compareBenches(report({ a: [1], b: [1] }), report({ b: [1], c: [1] }));
    expect(compared).toMatchObject({ rows: [{ id: 'b' }], onlyBefore: ['the a'], onlyAfter: ['the c'] });
    const text = renderComparison(compared);
    expect(text).toContain('Only in the first: the a');
    expect(text).toContain('Only in the second: the c');
    expect(text).toContain('0 rows of 1 changed');
  });
});

describe('mannWhitney', () => {
  // Worked by hand: of the 5 x 5 pairs the second is greater in 24; z = (24 - 12.5 - 0.5) / sqrt(25 * 11 / 12).
  it('agrees with a worked example', () => {
    const { p, greater } = mannWhitney([1, 2, 3, 4, 6], [5, 7, 8, 9, 10]);
    expect(greater).toBe(24 / 25);
    expect(p).toBeCloseTo(0.0216, 3);
  });

  it('sees no difference between equal samples', () => {
    expect(mannWhitney([1, 1, 1], [1, 1, 1])).toEqual({ p: 1, greater: 0.5 });
  });

  it('is the same test the other way round', () => {
    const list = fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(list, list, (a, b) => {
        const [there, back] = [mannWhitney(a, b), mannWhitney(b, a)];
        expect(there.p).toBeCloseTo(back.p, 9);
        expect(there.greater + back.greater).toBeCloseTo(1, 9);
        expect(there.p).toBeGreaterThanOrEqual(0);
        expect(there.p).toBeLessThanOrEqual(1);
        const pairs = a.flatMap((x) => b.map((y): number => (y > x ? 1 : y === x ? 0.5 : 0)));
        expect(there.greater).toBeCloseTo(pairs.reduce((sum, pair) => sum + pair, 0) / pairs.length, 9);
      }),
    );
  });
});

describe('asBenchReport', () => {
  const stored = () => JSON.parse(JSON.stringify(report({ a: [1, 2] })));

  it('reads a report back', () => expect(asBenchReport(stored())).toEqual(report({ a: [1, 2] })));

  it.each([
    ['nothing', null],
    ['a run report', { version: 1, waves: [] }],
    ['another version', { ...stored(), version: 2 }],
    ['rows without samples', { ...stored(), rows: [{ id: 'a', name: 'a', samples: [] }] }],
    ['samples that are no numbers', { ...stored(), rows: [{ id: 'a', name: 'a', samples: ['1'] }] }],
    ['no machine', { ...stored(), machine: undefined }],
  ])('refuses %s', (_, value) => expect(asBenchReport(value)).toBeUndefined());
});
