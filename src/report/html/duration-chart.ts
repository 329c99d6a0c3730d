import { humanDuration } from '../figures.js';
import { inertLine, shorten } from '../inert.js';
import type { RunDetails } from '../run-details.js';
import { type Chart, nameWidth } from './chart.js';
import { drawSvg } from './draw.js';

/** How long subtasks took, by task, on a scale on which each step is a factor. */
export const durationsChart: Chart = (canvas, { details }, size) => {
  const { Plot } = canvas;
  const tasks = details.durations.filter(({ ranges }) => ranges.reduce((sum, { count }) => sum + count, 0) > 1).slice(0, 8);
  if (tasks.length === 0) return undefined;
  const rows = tasks.flatMap(({ task, ranges }) =>
    coarser(ranges).map((range) => ({ task: shorten(inertLine(task), nameWidth(size)), ...range })),
  );
  const [low, high] = [Math.min(...rows.map(({ fromMs }) => fromMs)), Math.max(...rows.map(({ toMs }) => toMs))];
  return drawSvg(canvas, 'How long subtasks took, by task', {
    width: size.width,
    height: tasks.length * 62 + 48,
    marginLeft: 44,
    marginRight: size.narrow ? 86 : 170,
    marginBottom: 36,
    x: {
      type: 'log',
      domain: [low, high],
      label: 'duration →',
      tickFormat: (ms: number) => humanDuration(ms),
      ticks: factorTicks(low, high, size.narrow ? 3 : 7),
      labelAnchor: 'right',
    },
    y: { label: null, ticks: 2, grid: true },
    fy: { label: null, domain: [...new Set(rows.map(({ task }) => task))], padding: 0.2 },
    marks: [
      Plot.rectY(rows, {
        x1: 'fromMs',
        x2: 'toMs',
        y: 'count',
        fy: 'task',
        fill: 'var(--work)',
        insetLeft: 0.5,
        insetRight: 0.5,
      }),
      Plot.ruleY([0]),
    ],
  });
};

/** Round values within bounds, at most `most`: of each power of ten 1, 2 and 5, or 1 alone, or the 1 of every few powers. */
function factorTicks(low: number, high: number, most: number): readonly number[] {
  const powers = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => first + i);
  const exponents = powers(Math.floor(Math.log10(low)), Math.ceil(Math.log10(high)));
  const within = (values: readonly number[]) => values.filter((value) => value >= low && value <= high);
  const fine = within(exponents.flatMap((power) => [1, 2, 5].map((step) => step * 10 ** power)));
  if (fine.length <= most) return fine;
  const coarse = within(exponents.map((power) => 10 ** power));
  const ticks = coarse.length > 1 ? coarse : fine;
  const every = Math.ceil(ticks.length / most);
  return ticks.filter((_, position) => position % every === 0);
}

/** Ranges of some 2% are merged to some 17%: bars that can be told apart. */
function coarser(ranges: RunDetails['durations'][number]['ranges']): RunDetails['durations'][number]['ranges'] {
  const merged = new Map<number, { fromMs: number; toMs: number; count: number }>();
  const step = Math.log(1.02) * 8;
  for (const { fromMs, count } of ranges) {
    // Half a range further, so that rounding does not move a bound into its neighbour.
    const at = Math.floor((Math.log(fromMs) + Math.log(1.02) / 2) / step);
    const known = merged.get(at);
    if (known === undefined) merged.set(at, { fromMs: Math.exp(at * step), toMs: Math.exp((at + 1) * step), count });
    else known.count += count;
  }
  return [...merged.values()];
}
