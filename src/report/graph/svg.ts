import { cutToWidth, displayWidth } from '../display-width.js';
import { inertLine, inertMarkup } from '../inert.js';
import type { GraphTask, GraphView } from './graph-view.js';
import { graphTitle } from './labels.js';
import { FONT_SIZE, type GraphLayout, layOutGraph, type PlacedEdge, type PlacedNode } from './layout.js';

/** More tasks than this take long to lay out, and nobody could read the picture. */
export const MOST_TASKS = 1500;

/** The colours of a graph by itself; a page that embeds it has variables of the same names. */
const STYLE = `<style>
svg { --page:#fff; --text:#1b2129; --muted:#57606a; --line:#d5dae1; --tile:#f5f7fa; --band:#f7f8fb; --crit:#b3530f; --failfill:#fbe3e1; background: var(--page); }
@media (prefers-color-scheme: dark) {
  svg { --page:#14181d; --text:#e8ebef; --muted:#a3adb8; --line:#353d47; --tile:#1d232a; --band:#181d23; --crit:#f0a35e; --failfill:#4a1d1b; }
}
</style>`;

const MARGIN = 12;
/** Between the tasks of two waves, what the frames around them leave; and what a frame may be wider at the edge of the picture. */
const GAP = 20;
const EDGE = 6;
/** Above the boxes, for the names of the waves. */
const HEAD = 40;

/** A graph as a picture by itself: waves from left to right, the critical path marked, for light and dark. */
export async function renderGraphSvg(view: GraphView): Promise<string> {
  const svg = await graphPicture(view);
  return `${svg.replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" ').replace('>', `>\n${STYLE}`)}\n`;
}

/** The same as a part of a page that has the colours. Takes attributes only, no style, so that a page's policy may be strict. */
export async function graphPicture(view: GraphView): Promise<string> {
  const layout = await layOutGraph(view);
  const width = Math.ceil(layout.width + 2 * MARGIN);
  const height = Math.ceil(layout.height + HEAD + 2 * MARGIN);
  const tasks = new Map(view.waves.flatMap((wave) => wave.tasks.map((task) => [task.id, task])));
  const parts = [
    `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${inertMarkup(graphTitle(view))}" font-family="system-ui,-apple-system,'Segoe UI',Roboto,sans-serif" font-size="${FONT_SIZE}" text-anchor="middle">`,
    ...view.waves.map((wave, position) => column(wave, layout, position)),
    `<g transform="translate(${MARGIN} ${HEAD + MARGIN})">`,
    // The critical path last, above the others.
    ...[...layout.edges].sort((a, b) => Number(a.critical) - Number(b.critical)).map(edge),
    ...layout.nodes.map((node) => box(node, tasks.get(node.id), view.critical.has(node.id))),
    '</g>',
    '</svg>',
  ];
  return parts.join('\n');
}

function column(
  { number, name }: { readonly number: number; readonly name: string },
  layout: GraphLayout,
  position: number,
): string {
  const { from, to } = layout.columns[position] ?? { from: 0, to: 0 };
  const next = layout.columns[position + 1];
  const before = layout.columns[position - 1];
  // As wide as the room between its neighbours, where a name is longer than the boxes.
  const middle = MARGIN + (from + to) / 2;
  const boxes = to - from + 16;
  const room =
    boxes + Math.min(next === undefined ? EDGE : next.from - to - GAP, before === undefined ? EDGE : from - before.to - GAP);
  const title = cutToWidth(inertLine(name), Math.max(3, Math.floor((room - 8) / 6.6)));
  const width = Math.max(boxes, displayWidth(title) * 6.6 + 8);
  const x = middle - width / 2;
  const height = layout.height + HEAD + MARGIN;
  return `<g class="wave"><rect x="${round(x)}" y="${MARGIN / 2}" width="${round(width)}" height="${round(height)}" rx="8" fill="var(--band)" stroke="var(--line)"/><text x="${round(middle)}" y="24" fill="var(--muted)" font-size="11">wave ${number}</text><text x="${round(middle)}" y="39" fill="var(--muted)" font-size="11">${inertMarkup(title)}</text></g>`;
}

function edge({ points, critical, optional }: PlacedEdge): string {
  const [first, ...rest] = points;
  const last = points.at(-1);
  if (first === undefined || last === undefined) return '';
  let path = `M${round(first.x)},${round(first.y)}`;
  let at = first;
  for (const point of rest) {
    const half = (point.x - at.x) / 2;
    path += `C${round(at.x + half)},${round(at.y)} ${round(point.x - half)},${round(point.y)} ${round(point.x)},${round(point.y)}`;
    at = point;
  }
  const color = critical ? 'var(--crit)' : 'var(--muted)';
  const head = `M${round(last.x)},${round(last.y)}l-7,-3.5v7z`;
  return `<path class="need${critical ? ' critical' : ''}" d="${path}" fill="none" stroke="${color}" stroke-width="${critical ? 2.5 : 1}"${optional ? ' stroke-dasharray="4 3"' : ''}/><path d="${head}" fill="${color}"/>`;
}

function box({ x, y, width, height, lines }: PlacedNode, task: GraphTask | undefined, critical: boolean): string {
  const failed = task?.outcome === 'failed';
  const dashed = task?.outcome === 'skipped' ? ' stroke-dasharray="4 3"' : '';
  const stroke = critical ? 'stroke="var(--crit)" stroke-width="2.5"' : 'stroke="var(--muted)"';
  const middle = round(x + width / 2);
  const texts = lines.map((text, line) => {
    // A text of unusual letters is drawn as wide as it was laid out.
    const fit = displayWidth(text) === text.length ? '' : ` textLength="${round(width - 20)}" lengthAdjust="spacingAndGlyphs"`;
    const size = line === 0 ? '' : ' font-size="11"';
    return `<text x="${middle}" y="${round(y + 17 + line * 16)}" fill="var(--text)"${size}${line === 0 ? fit : ''}>${inertMarkup(text)}</text>`;
  });
  return `<g class="task"><rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" rx="7" fill="${failed ? 'var(--failfill)' : 'var(--tile)'}" ${stroke}${dashed}/>${texts.join('')}</g>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
