/** One observation. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The line `intercept + slope * x`. */
export interface Line {
  readonly intercept: number;
  readonly slope: number;
  /** 95% confidence bounds of the slope. */
  readonly low: number;
  readonly high: number;
}

/**
 * The line through points that leaves the least squares, with the bounds by Student's t; `undefined` where three points at
 * two places are not there, because then nothing bounds the slope.
 */
export function fitLine(points: readonly Point[]): Line | undefined {
  const n = points.length;
  if (n < 3) return undefined;
  const meanX = points.reduce((sum, { x }) => sum + x, 0) / n;
  const meanY = points.reduce((sum, { y }) => sum + y, 0) / n;
  const squares = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  if (squares === 0) return undefined;
  const slope = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0) / squares;
  const intercept = meanY - slope * meanX;
  const residual = points.reduce((sum, { x, y }) => sum + (y - intercept - slope * x) ** 2, 0);
  const margin = studentT95(n - 2) * Math.sqrt(residual / (n - 2) / squares);
  return { intercept, slope, low: slope - margin, high: slope + margin };
}

/**
 * The same for a cost, of which neither part can be negative: where noise makes one so, it is 0 and the other is fitted
 * alone, with the bounds that the free line has, cut at 0.
 */
export function fitCost(points: readonly Point[]): Line | undefined {
  const line = fitLine(points);
  if (line === undefined || (line.intercept >= 0 && line.slope >= 0)) return line && { ...line, low: Math.max(0, line.low) };
  const meanY = points.reduce((sum, { y }) => sum + y, 0) / points.length;
  const slope = line.slope < 0 ? 0 : products(points) / points.reduce((sum, { x }) => sum + x * x, 0);
  const low = Math.min(slope, Math.max(0, line.low));
  return { intercept: line.slope < 0 ? Math.max(0, meanY) : 0, slope, low, high: Math.max(slope, line.high) };
}

function products(points: readonly Point[]): number {
  return points.reduce((sum, { x, y }) => sum + x * y, 0);
}

/**
 * The two-sided 95% value of Student's t: exact for one and two degrees of freedom, else the expansion around the normal
 * distribution of Abramowitz and Stegun, 26.7.5, which is right to 0.1% from three on.
 */
export function studentT95(freedom: number): number {
  if (freedom === 1) return 12.7062;
  if (freedom === 2) return 4.3027;
  const z = 1.959964;
  const terms = [
    (z ** 3 + z) / 4,
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96,
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384,
    (79 * z ** 9 + 776 * z ** 7 + 1482 * z ** 5 - 1920 * z ** 3 - 945 * z) / 92_160,
  ];
  return terms.reduce((sum, term, i) => sum + term / freedom ** (i + 1), z);
}
