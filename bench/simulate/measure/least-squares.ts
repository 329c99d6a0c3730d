/** An observation: what there was of each cause, and what it came to. */
export interface Observation {
  readonly causes: readonly number[];
  readonly effect: number;
}

/** Rounds of the descent; it is at rest long before. */
const ROUNDS = 20_000;

/**
 * The costs, none below zero, that explain the observations best: least squares of the relative errors, so that a long run does
 * not count for more than a short one, by coordinate descent on the normal equations (Franc, Hlaváč and Navara, 2005).
 */
export function nonNegativeLeastSquares(observations: readonly Observation[]): readonly number[] {
  const width = observations[0]?.causes.length ?? 0;
  const rows = observations.map(({ causes, effect }) => ({
    causes: causes.map((cause) => cause / Math.max(effect, Number.MIN_VALUE)),
    effect: 1,
  }));
  const dot = (a: number, b: number) => rows.reduce((sum, { causes }) => sum + (causes[a] ?? 0) * (causes[b] ?? 0), 0);
  const gram = Array.from({ length: width }, (_, a) => Array.from({ length: width }, (_, b) => dot(a, b)));
  const costs = new Array<number>(width).fill(0);
  /** The gradient of half the squared error. */
  const slopes = Array.from({ length: width }, (_, a) => -rows.reduce((sum, { causes }) => sum + (causes[a] ?? 0), 0));
  for (let round = 0; round < ROUNDS; round++) {
    for (let a = 0; a < width; a++) {
      const curvature = gram[a]?.[a] ?? 0;
      if (curvature === 0) continue;
      const before = costs[a] ?? 0;
      const after = Math.max(0, before - (slopes[a] ?? 0) / curvature);
      costs[a] = after;
      for (let b = 0; b < width; b++) slopes[b] = (slopes[b] ?? 0) + (after - before) * (gram[a]?.[b] ?? 0);
    }
  }
  return costs;
}

/** What costs say of an observation, over what it was: 1 where they agree. */
export function explained(costs: readonly number[], { causes, effect }: Observation): number {
  return causes.reduce((sum, cause, i) => sum + cause * (costs[i] ?? 0), 0) / effect;
}
