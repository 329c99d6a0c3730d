/** Combinations beyond this many are a mistake sooner than a plan. */
export const MAX_COMBINATIONS = 1_000_000;

/** The size of the cross product of some axes, before anything is left out or added; without an axis there is none. */
export function crossSize(lengths: readonly number[]): number {
  return lengths.length === 0 ? 0 : lengths.reduce((product, length) => product * length, 1);
}

/** What is said of too large a matrix. */
export function tooManyCombinations(size: number): string {
  const shown = new Intl.NumberFormat('en').format(size);
  return `the matrix has ${shown} combinations, and at most ${new Intl.NumberFormat('en').format(MAX_COMBINATIONS)} are allowed`;
}
