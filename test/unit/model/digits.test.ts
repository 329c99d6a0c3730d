import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { threeDigits, withFraction } from '../../../src/model/digits.js';

const numbers = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => n === 0 || (Math.abs(n) > 1e-90 && Math.abs(n) < 1e90)),
  fc.double({ min: -2000, max: 2000, noNaN: true }),
  fc.double({ min: 0, max: 1e-6, noNaN: true }),
  // What lies half way between two texts, or nearly.
  fc.integer({ min: -1_000_000, max: 1_000_000 }).chain((n) => fc.constantFrom(2, 8, 20, 200).map((by) => n / by)),
  fc
    .integer({ min: -9, max: 15 })
    .chain((power) => fc.constantFrom(0.9994, 0.9995, 0.9996, 1, 1.005).map((n) => n * 10 ** power)),
);

/** Intl tells of a minus before a zero. */
const plain = (text: string) => (/^-0(\.0+)?$/.test(text) ? text.slice(1) : text);

describe('numbers as English writes them', () => {
  it('are those of Intl, with digits behind the point', () => {
    for (const digits of [0, 1, 3]) {
      const format = new Intl.NumberFormat('en-US', { maximumFractionDigits: digits });
      fc.assert(
        fc.property(numbers, (n) => {
          expect(withFraction(n, digits)).toBe(plain(format.format(n)));
        }),
      );
    }
  });

  it('are those of Intl, with three significant digits', () => {
    const format = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3 });
    fc.assert(
      fc.property(numbers, (n) => {
        expect(threeDigits(n)).toBe(plain(format.format(n)));
      }),
    );
  });
});
