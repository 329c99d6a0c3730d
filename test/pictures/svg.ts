import { inertMarkup } from '../../src/report/inert.js';
import { boxLines, isBoxCharacter } from './box-lines.js';
import type { Cell, CellStyle } from './recording.js';

const SIZE = 14;
const CELL = 8.4;
const LINE = 18;
const MARGIN = 16;
const BAR = 34;
const FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace";
const GROUND = '#0d1117';
const TEXT = '#e6edf3';
/** A terminal's sixteen colours, each with at least 5 to 1 against the ground. */
const COLORS: readonly string[] = [
  ...['#8b949e', '#ff7b72', '#3fb950', '#e3b341', '#79c0ff', '#d2a8ff', '#56d4dd', '#e6edf3'],
  ...['#a5adb6', '#ffa198', '#56d364', '#f2cc60', '#a5d6ff', '#e2c5ff', '#76e3ea', '#ffffff'],
];
/** What dim text is mixed with the ground by: 7 to 1 remains of the default colour. */
const DIM = 0.7;

/** Lines of a terminal as one SVG: a dark window on any page, without script, fonts or links. */
export function terminalSvg(
  lines: readonly (readonly Cell[])[],
  options: { readonly title: string; readonly columns: number },
): string {
  const width = Math.ceil(options.columns * CELL + 2 * MARGIN);
  const height = Math.ceil(BAR + lines.length * LINE + MARGIN);
  const title = inertMarkup(options.title);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${title}</title>`,
    `<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8" fill="${GROUND}" stroke="#30363d"/>`,
    ...['#ff5f57', '#febc2e', '#28c840'].map((fill, at) => `<circle cx="${20 + 18 * at}" cy="18" r="5.5" fill="${fill}"/>`),
    `<g font-family="${FONTS}" font-size="${SIZE}" fill="${TEXT}" stroke-width="1" fill-rule="nonzero">`,
    `<text x="${width / 2}" y="22" text-anchor="middle" font-size="12" fill="${COLORS[0]}">${title}</text>`,
    ...lines.flatMap((cells, row) => lineParts(cells, BAR + row * LINE)),
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

/** Cells of one look that can be drawn as one text, or as one path. */
interface Run {
  readonly kind: 'text' | 'symbol' | 'box' | 'bar';
  readonly style: CellStyle;
  readonly column: number;
  text: string;
  columns: number;
}

function lineParts(cells: readonly Cell[], y: number): readonly string[] {
  const runs: Run[] = [];
  let column = 0;
  for (const { text, width, style } of cells) {
    const kind = kindOf(text);
    const last = runs.at(-1);
    if (last !== undefined && last.kind === kind && kind !== 'symbol' && sameStyle(last.style, style)) {
      last.text += text;
      last.columns += width;
    } else runs.push({ kind, style, column, text, columns: width });
    column += width;
  }
  return runs.filter(({ text }) => text.trim() !== '').map((run) => drawRun(run, y));
}

function kindOf(text: string): Run['kind'] {
  if (isBoxCharacter(text)) return 'box';
  if (text === '█' || text === '░') return 'bar';
  // Fonts give other characters widths of their own: each is put into the middle of its cells.
  return /^[\u0020-\u024f]*$/u.test(text) ? 'text' : 'symbol';
}

function drawRun({ kind, style, column, text, columns }: Run, y: number): string {
  const x = MARGIN + column * CELL;
  const fill = style.color === undefined ? TEXT : (COLORS[style.color] ?? TEXT);
  const opacity = style.dim ? ` opacity="${DIM}"` : '';
  const weight = style.bold ? ' font-weight="bold"' : '';
  const base = round(y + LINE - 5);
  const ink = fill === TEXT ? '' : ` fill="${fill}"`;
  switch (kind) {
    case 'text': {
      const shown = text.trim();
      const before = text.length - text.trimStart().length;
      // By its length a text keeps to its columns in any font.
      const length = `textLength="${round(shown.length * CELL)}" lengthAdjust="spacingAndGlyphs"`;
      return `<text x="${round(x + before * CELL)}" y="${base}" ${length}${ink}${weight}${opacity} style="white-space:pre">${inertMarkup(shown)}</text>`;
    }
    case 'symbol':
      return `<text x="${round(x + (columns * CELL) / 2)}" y="${base}" text-anchor="middle"${ink}${weight}${opacity}>${inertMarkup(text)}</text>`;
    case 'box': {
      const parts = [...text].map((each, at) => boxLines(each, x + at * CELL, y, CELL, LINE));
      return `<path d="${joined(text, x, y) ?? parts.join('')}" fill="none" stroke="${fill}"${fill === TEXT ? ' opacity="0.6"' : opacity}/>`;
    }
    case 'bar': {
      const full = text.lastIndexOf('█') + 1;
      const rest = text.length - full;
      const bar = (from: number, count: number, strength: string) =>
        count === 0
          ? ''
          : `<rect x="${round(x + from * CELL)}" y="${y + 3}" width="${round(count * CELL)}" height="${LINE - 6}" fill="${fill}"${strength}/>`;
      return bar(0, full, opacity) + bar(full, rest, ' opacity="0.25"');
    }
  }
}

/** A rule of one character is one long line. */
function joined(text: string, x: number, y: number): string | undefined {
  const [first = ''] = text;
  return text.length > 2 && [...text].every((each) => each === first) && (first === '═' || first === '─')
    ? boxLines(first, x, y, text.length * CELL, LINE)
    : undefined;
}

function sameStyle(a: CellStyle, b: CellStyle): boolean {
  return a.color === b.color && a.bold === b.bold && a.dim === b.dim;
}

function round(value: number): string {
  return String(Math.round(value * 100) / 100);
}
