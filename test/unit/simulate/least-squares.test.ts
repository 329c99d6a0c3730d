import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explained, nonNegativeLeastSquares } from '../../../bench/simulate/measure/least-squares.js';

const cost = fc.double({ min: 0.01, max: 10, noNaN: true });

describe('costs by least squares', () => {
  it('are found again where they explain everything', () => {
    const shapes = [
      [1, 10, 1000],
      [1, 200, 400],
      [1, 1000, 30],
      [1, 50, 50],
      [1, 3, 5000],
    ];
    fc.assert(
      fc.property(fc.tuple(cost, cost, cost), (costs) => {
        const observations = shapes.map((causes) => ({
          causes,
          effect: causes.reduce((sum, cause, i) => sum + cause * (costs[i] ?? 0), 0),
        }));
        const found = nonNegativeLeastSquares(observations);
        for (const observation of observations) expect(explained(found, observation)).toBeCloseTo(1, 2);
      }),
      { numRuns: 30 },
    );
  });

  it('are never below zero, even where that would explain more', () => {
    const found = nonNegativeLeastSquares([
      { causes: [1, 0], effect: 10 },
      { causes: [1, 10], effect: 5 },
    ]);
    expect(found[1]).toBe(0);
    expect(found[0]).toBeGreaterThan(5);
    expect(found[0]).toBeLessThan(10);
  });
});
