import { withFraction } from '../model/digits.js';

/** Combinations beyond this many are a mistake sooner than a plan. */
export const MAX_COMBINATIONS = 1_000_000;

/** The size of the cross product of some axes, before anything is left out or added; without an axis there is none. */
export function crossSize(lengths: readonly number[]): number {
  return lengths.length === 0 ? 0 : lengths.reduce((product, length) => product * length, 1);
}

/** What is said of too large a matrix. */
export function tooManyCombinations(size: number): string {
  return `the matrix has ${withFraction(size, 0)} combinations, and at most ${withFraction(MAX_COMBINATIONS, 0)} are allowed`;
}
