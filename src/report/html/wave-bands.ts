import { inertLine, shorten } from '../inert.js';
import type { ChartData } from './chart.js';
import type { ChartSize } from './draw.js';

/** A wave's time, as it lies behind a chart over time. */
export interface WaveBand {
  readonly from: number;
  readonly to: number;
  readonly even: boolean;
  readonly number: number;
  readonly name: string;
  readonly label: string;
}

/** The end of a chart over time, in milliseconds from the run's start. */
export function endOf({ summary, details }: ChartData): number {
  const columns = Math.max(details.atWork.length, details.finished.length, details.failed.length);
  return Math.max(
    summary.totalMs,
    ...details.waves.map(({ from, to }) => to ?? from),
    columns === 0 ? 0 : (columns - 1) * details.columnMs,
  );
}

/** The waves' times in the order of the plan, without labels. */
export function waveBands(data: ChartData): readonly WaveBand[] {
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

/** Whether two waves ran at once, as they do where nothing waits for a barrier. */
export function overlap(bands: readonly WaveBand[]): boolean {
  const starts = [...bands].sort((a, b) => a.from - b.from);
  return starts.some(({ to }, position) => to > (starts[position + 1]?.from ?? to) + 1);
}

/** Labels of the waves as long as there is room for them; none where there is none. */
export function fitting(bands: readonly WaveBand[], end: number, { width, narrow }: ChartSize): readonly WaveBand[] {
  return bands.flatMap((band) => {
    const room = Math.floor((((band.to - band.from) / end) * (width - 60)) / (narrow ? 6.2 : 6));
    if (room < 1) return [];
    const long = narrow ? `${band.number}` : `${band.number} ${band.name}`;
    const label = long.length <= room ? long : room >= 8 ? shorten(long, room) : String(band.number);
    return label.length > room ? [] : [{ ...band, label }];
  });
}
