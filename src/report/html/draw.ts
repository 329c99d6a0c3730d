import type * as PlotModule from '@observablehq/plot';

/** The library that draws, and the document that it draws into; both are heavy, so they are loaded when a page is made. */
export interface Canvas {
  readonly Plot: typeof PlotModule;
  readonly document: NonNullable<PlotModule.PlotOptions['document']>;
}

/** What a chart needs to know of the page: the same chart is drawn for a wide screen and for a phone. */
export interface ChartSize {
  readonly width: number;
  readonly narrow: boolean;
}

/** The widths that charts are drawn for, in pixels; the style sheet shows one of them. */
export const SIZES: readonly ChartSize[] = [
  { width: 900, narrow: false },
  { width: 340, narrow: true },
];

/** Loads what draws. */
export async function openCanvas(): Promise<Canvas> {
  const Plot = await import('@observablehq/plot');
  const { parseHTML } = await import('linkedom');
  return { Plot, document: parseHTML('<!doctype html><html><body></body></html>').document };
}

/** Draws one plot as SVG text: no style element, since the page's policy takes only the page's own, and short figures. */
export function drawSvg({ Plot, document }: Canvas, label: string, options: PlotModule.PlotOptions): string {
  const drawn = Plot.plot({ ...options, document, className: 'plot' }) as unknown as SvgNode;
  for (const style of [...drawn.querySelectorAll('style')]) style.remove();
  drawn.setAttribute('role', 'img');
  drawn.setAttribute('aria-label', label);
  return drawn.outerHTML.replace(/(?<=[" ,(MLHVAZmlhv-])\d+\.\d{2,}/g, (number) => String(Math.round(Number(number) * 10) / 10));
}

/** As much of a node as is used here; the project is compiled without the types of browsers. */
interface SvgNode {
  readonly outerHTML: string;
  setAttribute(name: string, value: string): void;
  querySelectorAll(selector: string): Iterable<{ remove(): void }>;
}

/** Neighbours added up so that at most `most` values remain, and how many of them each stands for. */
export function mergeColumns(
  values: readonly number[],
  most: number,
): { readonly values: readonly number[]; readonly per: number } {
  const per = Math.max(1, Math.ceil(values.length / most));
  const merged: number[] = [];
  for (const [index, value] of values.entries()) {
    const at = Math.floor(index / per);
    merged[at] = (merged[at] ?? 0) + value;
  }
  return { values: merged, per };
}

/** The unit in which a time line of so many milliseconds reads well. */
export function timeUnit(totalMs: number): { readonly ms: number; readonly name: string } {
  if (totalMs < 2000) return { ms: 1, name: 'milliseconds' };
  if (totalMs < 180_000) return { ms: 1000, name: 'seconds' };
  return totalMs < 3 * 3_600_000 ? { ms: 60_000, name: 'minutes' } : { ms: 3_600_000, name: 'hours' };
}
