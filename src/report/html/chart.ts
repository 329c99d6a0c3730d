import type { RunDetails } from '../run-details.js';
import type { RunSummary } from '../run-summary.js';
import type { Canvas, ChartSize } from './draw.js';

/** What charts are drawn from. */
export interface ChartData {
  readonly summary: RunSummary;
  readonly details: RunDetails;
}

/** A chart as SVG text; `undefined` where there is nothing to draw. */
export type Chart = (canvas: Canvas, data: ChartData, size: ChartSize) => string | undefined;

/** Characters of a name beside a chart. */
export const nameWidth = ({ narrow }: ChartSize) => (narrow ? 12 : 24);
