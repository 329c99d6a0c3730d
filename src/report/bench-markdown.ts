import type { BenchReport } from '../measure/bench-report.js';
import { benchHeading, calibrationFigures, shortTime } from './bench-figures.js';
import { figure } from './figures.js';
import { inertMarkdown as md } from './inert.js';

/** A bench's report as Markdown, with a newline at the end. Its raw samples are in `report.json` beside it. */
export function renderBenchMarkdown(report: BenchReport): string {
  const rows = report.rows.map(({ name, median, p5, p95, mad, n }) => [
    md(name),
    ...[median, p5, p95, mad].map(shortTime),
    figure(n),
  ]);
  return `${[
    '# What the engine costs on this machine',
    benchHeading(report)
      .map(([name, text]) => `- **${name}**: ${md(text)}`)
      .join('\n'),
    '## Calibration',
    'The scaling decision takes these figures, on this machine only.',
    table(
      ['Figure', 'Value'],
      calibrationFigures(report.calibration).map(([name, value]) => [name, value]),
    ),
    '## Measurements',
    table(['What', 'Median', '5%', '95%', 'MAD', 'Samples'], rows),
    'MAD: median of the absolute deviations from the median. Raw samples are in `report.json`.',
  ].join('\n\n')}\n`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');
}
