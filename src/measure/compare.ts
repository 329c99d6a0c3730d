import { medianOf } from '../model/statistics.js';
import type { BenchReport, BenchRow } from './bench-report.js';

/** What became of a row from one report to the other. */
export type RowVerdict =
  | 'faster'
  | 'slower'
  /** Nothing beyond the noise. */
  | 'same'
  /** One of the two has fewer samples than a test can tell anything from. */
  | 'too-few';

/** A row of two reports. Milliseconds. */
export interface RowComparison {
  readonly id: string;
  readonly name: string;
  readonly before: number;
  readonly after: number;
  /** `after / before`. */
  readonly ratio: number;
  /** The probability of such ranks if nothing had changed. */
  readonly p: number;
  /** How often a sample of the later report is greater than one of the earlier; 0.5 is no difference. */
  readonly greater: number;
  readonly verdict: RowVerdict;
}

/** Two reports, row by row. */
export interface BenchComparison {
  readonly rows: readonly RowComparison[];
  /** Names of rows that only one of the two has. */
  readonly onlyBefore: readonly string[];
  readonly onlyAfter: readonly string[];
}

/** Fewer samples than this, and the normal approximation of the test is not one. */
const LEAST_SAMPLES = 8;
/** Many rows are tested at once, and none may be told by chance. */
const SIGNIFICANCE = 0.001;
/** A 'large' difference by Vargha and Delaney: three samples of four are greater. With thousands of samples any difference is significant. */
const LARGE = 0.71;
/** Two benches in a row on a machine that does other things too differ by this much with nothing changed. */
const LEAST_SHIFT = 0.15;

/**
 * Says what changed beyond the noise: where the Mann-Whitney U test rejects that nothing did (Mann and Whitney, 1947), the
 * effect is large (the measure A of Vargha and Delaney, 2000), and the medians are 15% apart. All three, because the
 * samples of one bench lie closer to each other than those of two benches on one machine.
 */
export function compareBenches(before: BenchReport, after: BenchReport): BenchComparison {
  const later = new Map(after.rows.map((row) => [row.id, row]));
  const earlier = new Set(before.rows.map((row) => row.id));
  return {
    rows: before.rows.flatMap((row) => {
      const other = later.get(row.id);
      return other === undefined ? [] : [compareRows(row, other)];
    }),
    onlyBefore: before.rows.filter((row) => !later.has(row.id)).map((row) => row.name),
    onlyAfter: after.rows.filter((row) => !earlier.has(row.id)).map((row) => row.name),
  };
}

function compareRows(before: BenchRow, after: BenchRow): RowComparison {
  const medians = { before: medianOf(before.samples), after: medianOf(after.samples) };
  const ratio = medians.after / medians.before;
  const test = mannWhitney(before.samples, after.samples);
  return { id: before.id, name: after.name, ...medians, ratio, ...test, verdict: verdictOf(before, after, ratio, test) };
}

function verdictOf(before: BenchRow, after: BenchRow, ratio: number, { p, greater }: RankTest): RowVerdict {
  if (Math.min(before.samples.length, after.samples.length) < LEAST_SAMPLES) return 'too-few';
  if (p >= SIGNIFICANCE) return 'same';
  if (greater >= LARGE && ratio >= 1 + LEAST_SHIFT) return 'slower';
  if (greater <= 1 - LARGE && ratio <= 1 / (1 + LEAST_SHIFT)) return 'faster';
  return 'same';
}

/** How the ranks of two lists of samples differ. */
export interface RankTest {
  /** Two-sided, by the normal approximation with correction for ties. */
  readonly p: number;
  /** The share of pairs in which the sample of `after` is the greater one, ties by half. */
  readonly greater: number;
}

/** The Mann-Whitney U test of two lists that are not empty. */
export function mannWhitney(before: readonly number[], after: readonly number[]): RankTest {
  const pooled = [...before.map((value) => ({ value, late: false })), ...after.map((value) => ({ value, late: true }))];
  pooled.sort((a, b) => a.value - b.value);
  let rankSum = 0;
  let ties = 0;
  for (let start = 0; start < pooled.length; ) {
    let end = start;
    while (end < pooled.length && pooled[end]?.value === pooled[start]?.value) end++;
    // Equal values share the mean of their ranks, which are start + 1 to end.
    const rank = (start + 1 + end) / 2;
    for (let i = start; i < end; i++) if (pooled[i]?.late === true) rankSum += rank;
    ties += (end - start) ** 3 - (end - start);
    start = end;
  }
  const [m, n, all] = [before.length, after.length, pooled.length];
  const u = rankSum - (n * (n + 1)) / 2;
  const variance = ((m * n) / 12) * (all + 1 - ties / (all * (all - 1)));
  const greater = u / (m * n);
  if (!(variance > 0)) return { p: 1, greater };
  const z = Math.max(0, Math.abs(u - (m * n) / 2) - 0.5) / Math.sqrt(variance);
  return { p: Math.min(1, 2 * upperTail(z)), greater };
}

/** The normal distribution beyond z >= 0, by Abramowitz and Stegun 26.2.17: right to 7.5e-8. */
function upperTail(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return Math.max(0, (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * series);
}
