import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TimeGrid } from '../../../src/report/time-grid.js';

const span = fc.record({
  from: fc.double({ min: 0, max: 1e9, noNaN: true }),
  length: fc.double({ min: 0, max: 1e7, noNaN: true }),
  row: fc.nat({ max: 5000 }),
});

const total = (grid: TimeGrid) => grid.rows().reduce((sum, row) => sum + grid.row(row).reduce((a, b) => a + b, 0), 0);

describe('TimeGrid', () => {
  it('loses nothing, whatever merges, and stays small', () => {
    fc.assert(
      fc.property(fc.array(span, { maxLength: 60 }), (spans) => {
        const grid = new TimeGrid(0, 8);
        for (const { from, length, row } of spans) grid.addSpan(from, from + length, row);
        const sum = spans.reduce((all, { from, length }) => all + (from + length - from), 0);
        expect(total(grid)).toBeCloseTo(sum, 0);
        expect(grid.rows().length).toBeLessThanOrEqual(8);
        for (const row of grid.rows()) expect(grid.row(row).length).toBeLessThanOrEqual(240);
      }),
    );
  });

  it('does not depend on the order', () => {
    fc.assert(
      fc.property(fc.array(span, { maxLength: 20 }), (spans) => {
        const [one, other] = [new TimeGrid(0, 4), new TimeGrid(0, 4)];
        for (const { from, length, row } of spans) one.addSpan(from, from + length, row);
        for (const { from, length, row } of spans.toReversed()) other.addSpan(from, from + length, row);
        expect([one.width, one.perRow, one.rows()]).toEqual([other.width, other.perRow, other.rows()]);
        for (const row of one.rows()) {
          const [a, b] = [one.row(row), other.row(row)];
          expect(a.length).toBe(b.length);
          for (const [i, value] of a.entries()) expect(value).toBeCloseTo(b[i] ?? -1, 0);
        }
      }),
    );
  });

  it('puts a span into the columns that it covers', () => {
    const grid = new TimeGrid(1000);
    grid.addSpan(1000.5, 1003);
    expect(grid.row()).toEqual([0.5, 1, 1]);
    grid.widenTo(2);
    expect(grid.row()).toEqual([1.5, 1]);
  });

  it('takes no moment that is none, and what came before the start as the start', () => {
    const grid = new TimeGrid(100);
    grid.addAt(Number.NaN, 1);
    grid.addSpan(0, Number.POSITIVE_INFINITY);
    grid.addSpan(5, 3);
    expect(grid.row()).toEqual([]);
    grid.addAt(1, 2);
    expect(grid.row()).toEqual([2]);
  });
});
