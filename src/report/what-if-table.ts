import Table from 'cli-table3';
import type { WhatIf } from '../scaling/what-if.js';
import { displayWidth, wrapText } from './display-width.js';
import { figure, humanDuration } from './figures.js';
import { painter } from './panel.js';

/** How a table is drawn. */
export interface WhatIfOptions {
  readonly color: boolean;
  /** Columns that it may take; brought into 40 to 100. Default 80. */
  readonly width?: number;
}

const HEAD = ['Agents', 'Predicted time', 'Overhead', 'ROI'] as const;
const MARK = '→';
/** A column is never narrower than this. */
const LEAST = 4;
/** Below this width there is no padding beside the borders, so that no word is broken. */
const NARROW = 50;

/** What each number of agents comes to, as a table, the decided number marked. Lines are of one width. No newline at the end. */
export function renderWhatIf(rows: readonly WhatIf[], options: WhatIfOptions): string {
  const width = Math.min(100, Math.max(40, Math.floor(options.width ?? 80)));
  const padding = width < NARROW ? 0 : 1;
  const room = width - (HEAD.length + 1) - 2 * padding * HEAD.length;
  const cells = rows.map((row) => ({ decided: row.decided, texts: cellsOf(row) }));
  const widths = columnWidths([HEAD, ...cells.map(({ texts }) => texts)], room);
  const paint = painter(options.color);
  const table = new Table({
    colWidths: widths.map((text) => text + 2 * padding),
    colAligns: ['right', 'right', 'right', 'left'],
    style: { head: [], border: [], compact: true, 'padding-left': padding, 'padding-right': padding },
  });
  // Wrapped here, by the widths of this report: cli-table3 would cut words that are too long for a column.
  const wrapped = (texts: readonly string[], tone: 'strong' | 'good' | 'plain') =>
    texts.map((text, column) =>
      wrapText(text, widths[column] ?? LEAST, '')
        .map((part) => (part === '' ? '' : paint(part, tone)))
        .join('\n'),
    );
  table.push(wrapped(HEAD, 'strong'));
  for (const { decided, texts } of cells) table.push(wrapped(texts, decided ? 'good' : 'plain'));
  const [top = '', ...rest] = table.toString().split('\n');
  const heads = Math.max(...HEAD.map((text, column) => wrapText(text, widths[column] ?? LEAST, '').length));
  const rule = top.replaceAll('┌', '├').replaceAll('┬', '┼').replaceAll('┐', '┤');
  const drawn = [top, ...rest.slice(0, heads), rule, ...rest.slice(heads)];
  if (rows.some(({ decided }) => decided)) drawn.push(`${MARK} the decided count`);
  return drawn.join('\n');
}

function cellsOf({ agents, seconds, overheadSeconds, roi, decided }: WhatIf): readonly string[] {
  const ratio = roi.ratio < Number.MAX_VALUE ? `${figure(roi.ratio)}x` : 'no overhead';
  return [
    `${decided ? `${MARK} ` : ''}${figure(agents)}`,
    humanDuration(seconds * 1000),
    humanDuration(overheadSeconds * 1000),
    `${ratio} (${roi.band})`,
  ];
}

/** As wide as the texts; where that is more than there is room, the widest columns give way. */
function columnWidths(rows: readonly (readonly string[])[], room: number): readonly number[] {
  const widths = HEAD.map((_, column) => rows.reduce((most, texts) => Math.max(most, displayWidth(texts[column] ?? '')), LEAST));
  while (widths.reduce((sum, width) => sum + width, 0) > room) {
    const widest = widths.indexOf(Math.max(...widths));
    widths[widest] = Math.max(LEAST, (widths[widest] ?? LEAST) - 1);
  }
  return widths;
}
