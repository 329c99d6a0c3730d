import { cutToWidth, displayWidth, steadyText, wrapText } from './display-width.js';
import { counted } from './figures.js';
import { inertBlock, inertLine, shorten } from './inert.js';
import { type PanelOptions, painter } from './panel.js';
import type { FailureLog, RunSummary } from './run-summary.js';

/** Lines of a log that are shown; the rest is in its file. */
const MOST_LINES = 10;
const MOST_CAUSES = 10;
/** Characters of a line that are looked at, and of one that is quoted in a terminal. */
const MOST_LINE = 2000;
const MOST_QUOTED = 400;

/** What failed, by cause, with the ends of a few logs: the last thing on the screen. Empty where nothing failed. */
export function renderFailures(
  { summary, logs, runDir }: { readonly summary: RunSummary; readonly logs: readonly FailureLog[]; readonly runDir: string },
  options: PanelOptions,
): string {
  const paint = painter(options.color);
  const width = Math.max(40, options.width ?? 80);
  const say = (text: string) => `  ${cutToWidth(steadyText(inertLine(text)), width - 2)}`;
  const wrapped = (text: string) => wrapText(steadyText(inertLine(text)), width, '  ').join('\n');
  const causes = summary.failures.slice(0, MOST_CAUSES);
  if (causes.length === 0) return '';
  const failed = causes.reduce((sum, { count }) => sum + count, 0);
  const lines = [paint(`❌ ${counted(summary.totals.failed, 'failure')}, by cause`, 'bad')];
  for (const { kind, message, count, subtasks } of causes) {
    const names = `${subtasks.slice(0, 3).join(', ')}${count > 3 ? ', …' : ''}`;
    lines.push(paint(wrapped(`${counted(count, 'time')}: ${message} (${kind})`), 'bad'), paint(say(names), 'plain'));
    for (const log of logs.filter(({ subtask }) => subtasks.includes(subtask))) {
      lines.push(paint(say(`the end of what ${log.subtask} said:`), 'dim'));
      lines.push(...quote(log.text, { most: MOST_LINES, indent: '  ', width }));
    }
  }
  if (summary.totals.failed > failed) lines.push(`… and ${counted(summary.totals.failed - failed, 'failure')} of other causes`);
  lines.push(paint(`Logs: ${inertLine(runDir)}/logs`, 'dim'));
  return `${lines.join('\n')}\n`;
}

/**
 * The end of what a subtask said, each line behind a bar so that none can pass for one of ours, and whole: one that is longer
 * than `width` columns goes on below. Without a width lines stay as they are.
 */
export function quote(
  text: string,
  { most, indent, width }: { readonly most: number; readonly indent: string; readonly width?: number },
): readonly string[] {
  const bar = `${indent}│ `;
  return logTail(text, most).flatMap((each) => {
    const said = shorten(each, MOST_QUOTED);
    const room = (width ?? Number.POSITIVE_INFINITY) - bar.length;
    const parts = displayWidth(said) <= room ? [said] : wrapText(said, room, '  ');
    return parts.map((part) => `${bar}${part}`);
  });
}

/** The last lines of a log, each inert and without its tabs; how they are indented is kept, and blank ones are left out. */
export function logTail(text: string, most = MOST_LINES): readonly string[] {
  const lines = text.split(/\r\n|[\n\r\u0085\u2028\u2029]/).map((each) => steadyText(inertBlock(each.slice(0, MOST_LINE))));
  return lines.filter((each) => each !== '').slice(-most);
}
