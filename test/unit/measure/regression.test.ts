import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitCost, fitLine, type Point, studentT95 } from '../../../src/measure/regression.js';

const on = (intercept: number, slope: number, xs: readonly number[]): Point[] => xs.map((x) => ({ x, y: intercept + slope * x }));

describe('fitLine', () => {
  it('finds a line that the points lie on, with bounds that leave no room', () => {
    const line = fitLine(on(3, 0.5, [1, 2, 4, 8, 16]));
    expect(line?.intercept).toBeCloseTo(3, 12);
    expect(line?.slope).toBeCloseTo(0.5, 12);
    expect(line?.low).toBeCloseTo(0.5, 9);
    expect(line?.high).toBeCloseTo(0.5, 9);
  });

  // Anscombe's first data set (1973): slope 0.5001, its standard error 0.1179, nine degrees of freedom.
  it('agrees with a published regression', () => {
    const xs = [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5];
    const ys = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68];
    const line = fitLine(xs.map((x, i) => ({ x, y: ys[i] ?? 0 })));
    expect(line?.intercept).toBeCloseTo(3.0001, 4);
    expect(line?.slope).toBeCloseTo(0.5001, 4);
    expect(line?.low).toBeCloseTo(0.5001 - 2.262 * 0.1179, 3);
    expect(line?.high).toBeCloseTo(0.5001 + 2.262 * 0.1179, 3);
  });

  it.each([
    ['no points', []],
    ['two points', on(1, 1, [1, 2])],
    ['many points at one place', on(1, 1, [4, 4, 4, 4])],
  ])('has no answer for %s', (_, points) => expect(fitLine(points)).toBeUndefined());

  it('leaves no smaller squares to be found near by', () => {
    const points = fc.array(fc.record({ x: fc.integer({ min: 1, max: 64 }), y: fc.double({ min: 0, max: 10, noNaN: true }) }), {
      minLength: 3,
      maxLength: 30,
    });
    const squares = (list: readonly Point[], a: number, b: number) =>
      list.reduce((sum, { x, y }) => sum + (y - a - b * x) ** 2, 0);
    fc.assert(
      fc.property(points, (list) => {
        const line = fitLine(list);
        if (line === undefined) return;
        const { intercept, slope, low, high } = line;
        const least = squares(list, intercept, slope);
        for (const [a, b] of [
          [0.01, 0],
          [-0.01, 0],
          [0, 0.01],
          [0, -0.01],
          [0.01, -0.001],
        ] as const) {
          expect(squares(list, intercept + a, slope + b)).toBeGreaterThanOrEqual(least - 1e-9);
        }
        expect(low).toBeLessThanOrEqual(slope);
        expect(high).toBeGreaterThanOrEqual(slope);
      }),
    );
  });
});

describe('fitCost', () => {
  it('is the line where both of its parts are costs', () => {
    const points = on(3, 0.5, [1, 2, 4, 8, 16]);
    expect(fitCost(points)).toEqual(fitLine(points));
  });

  it('goes through nothing where noise makes the fixed part negative', () => {
    const fit = fitCost(on(-1, 2, [1, 2, 4]));
    expect(fit?.intercept).toBe(0);
    // The sum of x·y over that of x²: (1·1 + 2·3 + 4·7) / 21.
    expect(fit?.slope).toBeCloseTo(35 / 21, 12);
  });

  it('is flat where noise makes an agent save time', () => {
    expect(fitCost(on(8, -1, [1, 2, 3]))).toMatchObject({ intercept: 6, slope: 0, low: 0 });
  });

  it('never has a negative part, and its bounds hold the slope', () => {
    const point = fc.record({ x: fc.constantFrom(1, 2, 4, 8, 16), y: fc.double({ min: 0, max: 1, noNaN: true }) });
    fc.assert(
      fc.property(fc.array(point, { minLength: 3, maxLength: 20 }), (points) => {
        const fit = fitCost(points);
        if (fit === undefined) return;
        expect(Math.min(fit.intercept, fit.slope, fit.low)).toBeGreaterThanOrEqual(0);
        expect(fit.low).toBeLessThanOrEqual(fit.slope);
        expect(fit.high).toBeGreaterThanOrEqual(fit.slope);
      }),
    );
  });
});

// From the usual tables of Student's t, two-sided, 95%.
it.each([
  [1, 12.706],
  [2, 4.303],
  [3, 3.182],
  [5, 2.571],
  [10, 2.228],
  [30, 2.042],
  [1000, 1.962],
])('studentT95(%i) is %f', (freedom, t) => {
  expect(Math.abs(studentT95(freedom) - t) / t).toBeLessThan(0.002);
});
