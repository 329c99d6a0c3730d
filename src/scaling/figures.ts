import { withFraction } from '../model/digits.js';

/** A number as the panel's sentences write it: `1,000`. */
export function formatCount(value: number): string {
  return withFraction(value, 1);
}
