import type { PlotOptions } from '@observablehq/plot';
import { figure, humanDuration } from '../figures.js';
import { inertLine, shorten } from '../inert.js';
import type { RunDetails } from '../run-details.js';
import type { RunSummary } from '../run-summary.js';
import { type Canvas, type ChartSize, drawSvg, mergeColumns, timeUnit } from './draw.js';

/** What charts are drawn from. */
export interface ChartData {
  readonly summary: RunSummary;
  readonly details: RunDetails;
}

/** A chart as SVG text; `undefined` where there is nothing to draw. */
export type Chart = (canvas: Canvas, data: ChartData, size: ChartSize) => string | undefined;

/** Columns of a chart over time. */
const columnsOf = ({ narrow }: ChartSize) => (narrow ? 60 : 180);
const nameWidth = ({ narrow }: ChartSize) => (narrow ? 12 : 24);

/** Agents over time: each subtask as a bar, or, of a large run, how busy each few agents were. Waves lie behind them. */
export const timelineChart: Chart = (canvas, data, size) => {
  const { details, summary } = data;
  const { Plot } = canvas;
  const unit = timeUnit(summary.totalMs);
  const end = endOf(data);
  if (end <= 0 || details.lanes.length === 0) return undefined;
  const { bars } = details;
  const single = bars !== undefined && details.agentsPerLane === 1;
  const lanes = details.lanes.length;
  const x = (ms: number) => ms / unit.ms;
  const bands = waveBands(data);
  const laneName = (first: number) =>
    details.agentsPerLane === 1 ? String(first) : `${first}–${first + details.agentsPerLane - 1}`;
  const order = details.lanes.map(({ first }) => laneName(first));
  const common: PlotOptions = {
    width: size.width,
    height: Math.max(110, Math.min(560, lanes * (lanes > 24 ? 11 : 18)) + 64),
    marginLeft: details.agentsPerLane === 1 ? 34 : 64,
    marginTop: 24,
    marginBottom: 36,
    x: { label: `${unit.name} since the start →`, domain: [0, x(end)], labelAnchor: 'right', ticks: size.narrow ? 4 : 8 },
    y: {
      domain: order,
      label: null,
      padding: 0.15,
      tickSize: 0,
      ...(lanes > 20 && { ticks: order.filter((_, i) => i % 4 === 0) }),
    },
  };
  const behind = [
    Plot.rect(bands, { x1: (d) => x(d.from), x2: (d) => x(d.to), fill: (d) => (d.even ? 'var(--band)' : 'var(--band2)') }),
    Plot.text(fitting(bands, end, size), {
      x: (d) => x(d.from),
      text: 'label',
      frameAnchor: 'top-left',
      textAnchor: 'start',
      dx: 2,
      dy: -14,
      fill: 'var(--muted)',
    }),
  ];
  if (single) {
    const shown = bars.filter(({ agent }) => agent > 0);
    const least = end / size.width;
    return drawSvg(canvas, 'Timeline of agents: every subtask as a bar', {
      ...common,
      marks: [
        ...behind,
        Plot.barX(shown, {
          y: (d) => laneName(d.agent),
          x1: (d) => x(d.from),
          x2: (d) => x(d.from + Math.max(d.durationMs, least)),
          fill: (d) => (d.failed ? 'var(--bad)' : 'var(--work)'),
          stroke: 'var(--page)',
          strokeWidth: 0.5,
          title: (d) => `${inertLine(d.subtask)}: ${humanDuration(d.durationMs)}${d.failed ? ', failed' : ''}`,
        }),
      ],
    });
  }
  const cells = details.lanes.flatMap((lane) => {
    const { values, per } = mergeColumns(lane.busy, columnsOf(size) / 2);
    const width = per * details.columnMs;
    return values.map((sum, i) => ({
      lane: laneName(lane.first),
      from: i * width,
      to: Math.min(end, (i + 1) * width),
      busy: sum / per,
    }));
  });
  return drawSvg(canvas, 'Timeline of agents: how busy they were', {
    ...common,
    marks: [
      ...behind,
      Plot.barX(
        cells.filter(({ busy, from, to }) => busy > 0.01 && to > from),
        {
          y: 'lane',
          x1: (d) => x(d.from),
          x2: (d) => x(d.to),
          fill: 'var(--work)',
          // Steps, so that equal cells have equal text and the page stays small.
          fillOpacity: (d) => Math.max(0.1, Math.round(d.busy * 10) / 10),
          inset: 0,
        },
      ),
    ],
  });
};

/** Subtasks that ended, each second (or other unit). */
export const throughputChart: Chart = (canvas, data, size) => {
  const { details, summary } = data;
  const { Plot } = canvas;
  const unit = timeUnit(summary.totalMs);
  const succeeded = mergeColumns(padded(details.finished, details), columnsOf(size));
  const failed = mergeColumns(padded(details.failed, details), columnsOf(size));
  const width = succeeded.per * details.columnMs;
  const perSecond = width / 1000;
  const rows = succeeded.values.flatMap((count, i) => {
    const [from, to] = [(i * width) / unit.ms, ((i + 1) * width) / unit.ms];
    return [
      { from, to, rate: count / perSecond, kind: 'succeeded' },
      { from, to, rate: (failed.values[i] ?? 0) / perSecond, kind: 'failed' },
    ].filter(({ rate }) => rate > 0);
  });
  if (rows.length === 0) return undefined;
  return drawSvg(canvas, 'Throughput: subtasks ended per second', {
    ...overTime(data, size),
    y: { label: '↑ subtasks per second', grid: true, ticks: 4 },
    marks: [
      Plot.rectY(
        rows,
        Plot.stackY({
          x1: 'from',
          x2: 'to',
          y: 'rate',
          fill: (d: { kind: string }) => (d.kind === 'failed' ? 'var(--bad)' : 'var(--work)'),
          order: (d: { kind: string }) => (d.kind === 'failed' ? 1 : 0),
          insetLeft: 0,
          insetRight: rows.length > 100 ? 0 : 1,
        }),
      ),
      // A few failures among many subtasks are too thin to be seen as a part of a column.
      Plot.dot(
        rows.filter(({ kind }) => kind === 'failed'),
        { x: (d) => (d.from + d.to) / 2, y: 0, r: 2.5, fill: 'var(--bad)' },
      ),
      Plot.ruleY([0]),
    ],
  });
};

/** Agents at work, against the number that was planned. */
export const agentsChart: Chart = (canvas, data, size) => {
  const { details, summary } = data;
  const { Plot } = canvas;
  const unit = timeUnit(summary.totalMs);
  const { values, per } = mergeColumns(details.atWork, columnsOf(size));
  const width = per * details.columnMs;
  const rows = values.map((sum, i) => ({ from: (i * width) / unit.ms, to: ((i + 1) * width) / unit.ms, agents: sum / per }));
  if (rows.every(({ agents }) => agents === 0)) return undefined;
  const end = endOf(data);
  const steps = details.waves.flatMap(({ agents, to }) => {
    const last = agents.at(-1);
    const points = agents.map(({ at, agents: count }) => ({ at: at / unit.ms, agents: count as number | undefined }));
    if (last !== undefined)
      points.push({ at: (to ?? end) / unit.ms, agents: last.agents }, { at: (to ?? end) / unit.ms, agents: undefined });
    return points;
  });
  return drawSvg(canvas, 'Agents at work over time, and how many were planned', {
    ...overTime(data, size),
    y: { label: '↑ agents', grid: true, ticks: 4, zero: true },
    marks: [
      Plot.rectY(rows, { x1: 'from', x2: 'to', y: 'agents', fill: 'var(--work)', inset: 0 }),
      Plot.line(steps, { x: 'at', y: 'agents', curve: 'step-after', stroke: 'var(--plan)', strokeWidth: 2 }),
      Plot.ruleY([0]),
    ],
  });
};

/** Where the agents' time went, by wave. */
export const overheadChart: Chart = (canvas, { summary }, size) => {
  const { Plot } = canvas;
  const waves = summary.waves.flatMap((wave) => {
    const { measured, score } = wave;
    const over = score?.overhead.agentSeconds;
    if (measured === undefined || over === undefined || measured.busySeconds + over <= 0) return [];
    const total = measured.busySeconds + over;
    const idle = Math.min(over, measured.idleSeconds);
    const name = waveName(wave, size);
    return [
      { name, kind: 'work', seconds: measured.busySeconds, share: measured.busySeconds / total },
      { name, kind: 'idle', seconds: idle, share: idle / total },
      { name, kind: 'other', seconds: over - idle, share: (over - idle) / total },
    ];
  });
  if (waves.length === 0) return undefined;
  const shown = waves.slice(0, 3 * MOST_WAVES);
  return drawSvg(canvas, "Where the agents' time went, by wave", {
    ...byWave(shown.length / 3, size),
    x: { label: "share of the agents' time →", percent: true, domain: [0, 100], labelAnchor: 'right' },
    y: { domain: [...new Set(shown.map(({ name }) => name))], label: null, tickSize: 0 },
    marks: [
      Plot.barX(
        shown.filter(({ share }) => share > 0),
        {
          y: 'name',
          x: 'share',
          fill: (d) => (d.kind === 'work' ? 'var(--work)' : d.kind === 'idle' ? 'var(--idle)' : 'var(--other)'),
          title: (d) => `${d.name}: ${d.kind} ${humanDuration(d.seconds * 1000)}, ${figure(d.share * 100)}%`,
        },
      ),
    ],
  });
};

/** What each wave was expected to take, and what it took. */
export const predictionChart: Chart = (canvas, { summary }, size) => {
  const { Plot } = canvas;
  const rows = summary.waves
    .filter(({ durationMs, predictedSeconds }) => durationMs !== undefined && predictedSeconds !== undefined)
    .slice(0, MOST_WAVES)
    .map((wave) => ({ name: waveName(wave, size), took: wave.durationMs ?? 0, predicted: (wave.predictedSeconds ?? 0) * 1000 }));
  if (rows.length === 0) return undefined;
  const unit = timeUnit(Math.max(...rows.map(({ took, predicted }) => Math.max(took, predicted))));
  return drawSvg(canvas, 'What each wave was predicted to take, and what it took', {
    ...byWave(rows.length, size),
    x: { label: `${unit.name} →`, zero: true, labelAnchor: 'right', grid: true, ticks: size.narrow ? 4 : 8 },
    y: { domain: rows.map(({ name }) => name), label: null, tickSize: 0 },
    marks: [
      Plot.barX(rows, {
        y: 'name',
        x: (d) => d.took / unit.ms,
        fill: 'var(--work)',
        title: (d) => `${d.name}: took ${humanDuration(d.took)}, predicted ${humanDuration(d.predicted)}`,
      }),
      Plot.tickX(rows, { y: 'name', x: (d) => d.predicted / unit.ms, stroke: 'var(--plan)', strokeWidth: 3 }),
    ],
  });
};

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

const MOST_WAVES = 30;

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

function overTime(data: ChartData, size: ChartSize): PlotOptions {
  const unit = timeUnit(data.summary.totalMs);
  return {
    width: size.width,
    height: size.narrow ? 170 : 200,
    marginLeft: 48,
    marginBottom: 36,
    x: {
      label: `${unit.name} since the start →`,
      domain: [0, endOf(data) / unit.ms],
      labelAnchor: 'right',
      ticks: size.narrow ? 4 : 8,
    },
  };
}

function byWave(count: number, size: ChartSize): PlotOptions {
  return { width: size.width, height: count * 26 + 56, marginLeft: size.narrow ? 96 : 190, marginBottom: 36, marginRight: 24 };
}

function waveName({ number, name }: { readonly number: number; readonly name: string }, size: ChartSize): string {
  return shorten(`${number} ${inertLine(name)}`, nameWidth(size));
}

function endOf({ summary, details }: ChartData): number {
  const columns = Math.max(details.atWork.length, details.finished.length, details.failed.length);
  return Math.max(
    summary.totalMs,
    ...details.waves.map(({ from, to }) => to ?? from),
    columns === 0 ? 0 : (columns - 1) * details.columnMs,
  );
}

function waveBands(data: ChartData) {
  const end = endOf(data);
  return data.details.waves.map(({ number, name, from, to }, position) => ({
    from,
    to: to ?? end,
    even: position % 2 === 0,
    number,
    name: inertLine(name),
    label: '',
  }));
}

/** Labels of the waves as long as there is room for them; none where there is none. */
function fitting(bands: ReturnType<typeof waveBands>, end: number, { width, narrow }: ChartSize) {
  return bands.flatMap((band) => {
    const room = Math.floor((((band.to - band.from) / end) * (width - 60)) / (narrow ? 6.2 : 6));
    if (room < 1) return [];
    const long = narrow ? `${band.number}` : `${band.number} ${band.name}`;
    const label = long.length <= room ? long : room >= 8 ? shorten(long, room) : String(band.number);
    return label.length > room ? [] : [{ ...band, label }];
  });
}

/** As long as the longest of the rows over time. */
function padded(values: readonly number[], { atWork, finished, failed }: RunDetails): readonly number[] {
  const length = Math.max(atWork.length, finished.length, failed.length);
  return Array.from({ length }, (_, i) => values[i] ?? 0);
}
