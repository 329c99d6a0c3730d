import { describe, expect, it } from 'vitest';
import { medianOf, representatives, spreadOf, withoutOutliers } from '../../../src/model/statistics.js';

describe('spreadOf', () => {
  it('describes samples in any order', () => {
    const samples = Array.from({ length: 101 }, (_, i) => (i * 37) % 101);
    expect(spreadOf(samples)).toEqual({ median: 50, p5: 5, p95: 95, mad: 25, n: 101 });
  });

  it('lies between two samples where it must', () => {
    expect(medianOf([4, 1])).toBe(2.5);
    expect(spreadOf([7])).toEqual({ median: 7, p5: 7, p95: 7, mad: 0, n: 1 });
  });
});

it('representatives keep the middle and leave out the ends', () => {
  const few = representatives(
    Array.from({ length: 1000 }, (_, i) => i),
    4,
  );
  expect(few.map(Math.round)).toEqual([125, 375, 624, 874]);
  expect(representatives([3, 1, 2], 4)).toEqual([3, 1, 2]);
});

describe('withoutOutliers', () => {
  it('drops a pause of the machine', () => expect(withoutOutliers([10, 11, 9, 10, 12, 500])).toEqual([10, 11, 9, 10, 12]));
  it('drops nothing of a few samples, or of equal ones', () => {
    expect(withoutOutliers([1, 1, 500])).toEqual([1, 1, 500]);
    expect(withoutOutliers([1, 1, 1, 1, 500])).toEqual([1, 1, 1, 1, 500]);
  });
});
