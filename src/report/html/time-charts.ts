import type { PlotOptions } from '@observablehq/plot';
import { humanDuration } from '../figures.js';
import { inertLine } from '../inert.js';
import type { RunDetails } from '../run-details.js';
import type { Chart, ChartData } from './chart.js';
import { type ChartSize, drawSvg, mergeColumns, timeUnit } from './draw.js';
import { endOf, fitting, overlap, waveBands } from './wave-bands.js';

/** Columns of a chart over time. */
const columnsOf = ({ narrow }: ChartSize) => (narrow ? 60 : 180);
/** Columns of a chart of what ended: few where little ended, or each is a moment that makes one subtask a high rate. */
const LEAST_COLUMNS = 20;
/** Rows for waves that overlap. */
const MOST_WAVE_ROWS = 12;

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
  // Waves that overlap, as they do where nothing waits for a barrier, get rows of their own instead of bands.
  const overlapping = overlap(bands);
  const rows = overlapping ? bands.slice(0, MOST_WAVE_ROWS).map((band) => ({ ...band, row: `wave ${band.number}` })) : [];
  const order = [...rows.map(({ row }) => row), ...details.lanes.map(({ first }) => laneName(first))];
  const common: PlotOptions = {
    width: size.width,
    height: Math.max(110, Math.min(560, lanes * (lanes > 24 ? 11 : 18)) + rows.length * 16 + 64),
    marginLeft: details.agentsPerLane === 1 && !overlapping ? 34 : 64,
    marginTop: 24,
    marginBottom: 36,
    x: { label: `${unit.name} since the start →`, domain: [0, x(end)], labelAnchor: 'right', ticks: size.narrow ? 4 : 8 },
    y: {
      domain: order,
      label: null,
      padding: 0.15,
      tickSize: 0,
      ...(lanes > 20 && { ticks: order.filter((_, i) => i < rows.length || (i - rows.length) % 4 === 0) }),
    },
  };
  const behind = [
    Plot.barX(rows, {
      y: 'row',
      x1: (d) => x(d.from),
      x2: (d) => x(d.to),
      fill: 'var(--idle)',
      title: (d) => `wave ${d.number}: ${d.name}`,
    }),
    Plot.rect(overlapping ? [] : bands, {
      x1: (d) => x(d.from),
      x2: (d) => x(d.to),
      fill: (d) => (d.even ? 'var(--band)' : 'var(--band2)'),
    }),
    Plot.text(overlapping ? [] : fitting(bands, end, size), {
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
  const ended = [...details.finished, ...details.failed].reduce((sum, count) => sum + count, 0);
  const columns = Math.min(columnsOf(size), Math.max(LEAST_COLUMNS, Math.ceil(ended / 4)));
  const succeeded = mergeColumns(padded(details.finished, details), columns);
  const failed = mergeColumns(padded(details.failed, details), columns);
  const width = succeeded.per * details.columnMs;
  const perSecond = width / 1000;
  const rows = succeeded.values.flatMap((count, i) => {
    const [from, to] = [(i * width) / unit.ms, Math.min(endOf(data), (i + 1) * width) / unit.ms];
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

/** As long as the longest of the rows over time. */
function padded(values: readonly number[], { atWork, finished, failed }: RunDetails): readonly number[] {
  const length = Math.max(atWork.length, finished.length, failed.length);
  return Array.from({ length }, (_, i) => values[i] ?? 0);
}
