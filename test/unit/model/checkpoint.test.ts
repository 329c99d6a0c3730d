import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isoTime } from '../../../src/model/checkpoint.js';

it('tells a moment as a date does, whatever moment was told before', () => {
  const moment = fc.oneof(fc.double({ min: 0, max: 4e12, noNaN: true }), fc.double({ min: -5000, max: 5000, noNaN: true }));
  fc.assert(
    fc.property(moment, (ms) => {
      expect(isoTime(ms)).toBe(new Date(Math.floor(ms)).toISOString());
    }),
  );
});
