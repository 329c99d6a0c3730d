import type { PlotOptions } from '@observablehq/plot';
import { cutToWidth, displayWidth } from '../display-width.js';
import { figure, humanDuration } from '../figures.js';
import { inertLine } from '../inert.js';
import { type Chart, nameWidth } from './chart.js';
import { type ChartSize, drawSvg, timeUnit } from './draw.js';

/** Waves that a chart shows; a table has them all. */
const MOST_WAVES = 30;

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
    ...byWave([...new Set(shown.map(({ name }) => name))], size),
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
    ...byWave(
      rows.map(({ name }) => name),
      size,
    ),
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

/** Pixels of a column of a name, in the font of charts. */
const COLUMN = 6.6;

function byWave(names: readonly string[], size: ChartSize): PlotOptions {
  const marginLeft = 16 + COLUMN * Math.max(...names.map((name) => displayWidth(name)));
  return { width: size.width, height: names.length * 26 + 56, marginLeft, marginBottom: 36, marginRight: 24 };
}

function waveName({ number, name }: { readonly number: number; readonly name: string }, size: ChartSize): string {
  return cutToWidth(`${number} ${inertLine(name)}`, nameWidth(size));
}
