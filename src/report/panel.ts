import Table from 'cli-table3';
import pc from 'picocolors';
import { displayWidth, steadyText, wrapText } from './display-width.js';
import { inertLine } from './inert.js';

/** How a panel is drawn. */
export interface PanelOptions {
  readonly color: boolean;
  /** Columns from border to border; brought into 40 to 100. Default 80. */
  readonly width?: number;
}

/** What a line means, which decides its colour. */
export type LineTone = 'plain' | 'strong' | 'good' | 'warn' | 'bad' | 'dim';

/** One line of a panel before wrapping. */
export interface PanelLine {
  readonly text: string;
  readonly tone: LineTone;
  /** What wrapped lines begin with. */
  readonly hanging: string;
}

/** A title with its lines, separated by a rule. */
export interface PanelSection {
  readonly title: string;
  readonly tone?: LineTone;
  readonly lines: readonly PanelLine[];
}

/** A line of a panel: spaces at its start are kept, everything else in it is made inert. */
export function line(text: string, tone: LineTone = 'plain'): PanelLine {
  const indent = /^ */.exec(text)?.[0] ?? '';
  // A branch goes on to the one below it.
  const branch = text.startsWith('├─', indent.length) ? '│  ' : text.startsWith('└─', indent.length) ? '   ' : '  ';
  return { text: indent + steadyText(inertLine(text)), tone, hanging: indent + branch };
}

/** Branches of a tree: `├─` for each, `└─` for the last. */
export function tree(indent: string, branches: readonly string[]): readonly PanelLine[] {
  return branches.map((text, position) => line(`${indent}${position === branches.length - 1 ? '└─' : '├─'} ${text}`));
}

/** The sections in a double-ruled box; every line has the same display width. */
export function drawPanel(sections: readonly PanelSection[], options: PanelOptions): string {
  const rows = sections.flatMap(({ title, tone, lines }) => {
    const head = [line(title, tone ?? 'strong')];
    return lines.length > 0 ? [head, lines] : [head];
  });
  return drawBox(rows, options);
}

/** Rows of lines in a double-ruled box, a rule between two rows. */
export function drawBox(rows: readonly (readonly PanelLine[])[], options: PanelOptions): string {
  const width = Math.min(100, Math.max(40, Math.floor(options.width ?? 80)));
  const paint = painter(options.color);
  const drawn: string[] = [];
  const table = new Table({ chars: DOUBLE_RULES, colWidths: [width - 2], style: { head: [], border: [], compact: false } });
  // cli-table3 measures after Unicode 12 and cuts, colours and drops blank lines by its own rules. So it is given stand-ins
  // of the width measured here, and the text takes their place once the box is drawn. One cell holds one line, because
  // the time it takes for a cell of several lines grows with the square of its text.
  for (const row of rows) {
    let chars: Partial<typeof DOUBLE_RULES> | typeof NO_RULE = {};
    for (const { text, tone, hanging } of row) {
      for (const part of wrapText(text, width - 4, hanging)) {
        table.push([{ content: STAND_IN.repeat(displayWidth(part)), chars }]);
        if (part !== '') drawn.push(paint(part, tone));
        chars = NO_RULE;
      }
    }
  }
  let next = 0;
  return table.toString().replace(STAND_INS, () => drawn[next++] ?? '');
}

/** Colours by meaning; the identity without colour. */
export function painter(color: boolean): (text: string, tone: LineTone) => string {
  const colors = pc.createColors(color);
  const byTone: Readonly<Record<LineTone, (text: string) => string>> = {
    plain: (text) => text,
    strong: (text) => colors.bold(colors.cyan(text)),
    good: colors.green,
    warn: colors.yellow,
    bad: colors.red,
    dim: colors.dim,
  };
  return (text, tone) => byTone[tone](text);
}

const STAND_IN = '#';
const STAND_INS = /#+/g;

/** Above a line that belongs to the one before. */
const NO_RULE = { mid: '', 'left-mid': '', 'right-mid': '' } as const;

const DOUBLE_RULES = {
  top: '═',
  'top-mid': '╦',
  'top-left': '╔',
  'top-right': '╗',
  bottom: '═',
  'bottom-mid': '╩',
  'bottom-left': '╚',
  'bottom-right': '╝',
  left: '║',
  'left-mid': '╠',
  mid: '═',
  'mid-mid': '╬',
  right: '║',
  'right-mid': '╣',
  middle: '║',
} as const;
