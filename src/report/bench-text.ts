import type { BenchProgress } from '../measure/bench.js';
import type { BenchReport } from '../measure/bench-report.js';
import type { BenchComparison, RowVerdict } from '../measure/compare.js';
import { benchHeading, calibrationFigures, shortTime } from './bench-figures.js';
import { displayWidth } from './display-width.js';
import { counted, figure } from './figures.js';
import { inertLine } from './inert.js';

/** A bench's report for a terminal. */
export function renderBench(report: BenchReport): string {
  const rows = report.rows.map(({ name, median, p5, p95, n }) => [
    inertLine(name),
    shortTime(median),
    `${shortTime(p5)} to ${shortTime(p95)}`,
    figure(n),
  ]);
  return [
    columns(benchHeading(report)),
    columns([['What', 'Median', '5% to 95%', 'Samples'], ...rows]),
    columns(calibrationFigures(report.calibration)),
  ].join('\n\n');
}

const VERDICTS: Readonly<Record<RowVerdict, string>> = {
  faster: 'faster',
  slower: 'slower',
  same: 'no change beyond the noise',
  'too-few': 'too few samples to tell',
};

/** A comparison for a terminal: each row, then what changed in one line. */
export function renderComparison({ rows, onlyBefore, onlyAfter }: BenchComparison): string {
  const cells = rows.map(({ name, before, after, ratio, verdict }) => [
    inertLine(name),
    shortTime(before),
    shortTime(after),
    Number.isFinite(ratio) ? `× ${ratio.toFixed(2)}` : '',
    VERDICTS[verdict],
  ]);
  const changed = rows.filter(({ verdict }) => verdict === 'faster' || verdict === 'slower').length;
  return [
    columns([['What', 'Before', 'After', 'Ratio', 'Verdict'], ...cells]),
    ...onlyBefore.map((name) => `Only in the first: ${inertLine(name)}`),
    ...onlyAfter.map((name) => `Only in the second: ${inertLine(name)}`),
    `${counted(changed, 'row')} of ${figure(rows.length)} changed beyond the noise`,
  ].join('\n');
}

/** One line that tells how far a bench is, with a bar: `[█████     ] 12/24 barrier: 3.1 ms`. */
export function progressBar({ done, total, row }: BenchProgress): string {
  const filled = Math.round((BAR * done) / Math.max(1, total));
  const last = row === undefined ? '' : ` ${row.name}: ${shortTime(row.median)}`;
  return `[${'█'.repeat(filled)}${' '.repeat(BAR - filled)}] ${done}/${total}${last}`;
}

/** The same without a terminal: a line for each measurement, nothing at the start. */
export function progressLine({ done, total, row }: BenchProgress): string | undefined {
  return row === undefined ? undefined : `${done}/${total} ${row.name}: ${shortTime(row.median)}`;
}

const BAR = 20;

function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, displayWidth(cell));
  }
  const pad = (cell: string, i: number) => cell + ' '.repeat((widths[i] ?? 0) - displayWidth(cell));
  return rows.map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}
