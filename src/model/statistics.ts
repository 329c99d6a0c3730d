/** What a list of samples amounts to; all in the samples' unit. */
export interface Spread {
  readonly median: number;
  readonly p5: number;
  readonly p95: number;
  /** Median of the absolute deviations from the median, not scaled. */
  readonly mad: number;
  /** Samples. */
  readonly n: number;
}

/** Describes samples, of which there must be at least one. */
export function spreadOf(samples: readonly number[]): Spread {
  const sorted = samples.toSorted((a, b) => a - b);
  const median = quantile(sorted, 0.5);
  const deviations = sorted.map((sample) => Math.abs(sample - median)).sort((a, b) => a - b);
  return { median, p5: quantile(sorted, 0.05), p95: quantile(sorted, 0.95), mad: quantile(deviations, 0.5), n: sorted.length };
}

/** The middle of samples, of which there must be at least one. */
export function medianOf(samples: readonly number[]): number {
  return quantile(
    samples.toSorted((a, b) => a - b),
    0.5,
  );
}

/** The q-quantile of sorted samples, between two of them by proportion (type 7 of Hyndman and Fan, 1996). */
export function quantile(sorted: readonly number[], q: number): number {
  const place = (sorted.length - 1) * q;
  const low = sorted[Math.floor(place)];
  const high = sorted[Math.ceil(place)];
  if (low === undefined || high === undefined) throw new Error('Internal error: there are no samples');
  return low + (high - low) * (place - Math.floor(place));
}

/** At most `most` of the samples, evenly over their distribution: the mid quantiles, so that single outliers are left out. */
export function representatives(samples: readonly number[], most: number): readonly number[] {
  if (samples.length <= most) return samples;
  const sorted = samples.toSorted((a, b) => a - b);
  return Array.from({ length: most }, (_, i) => quantile(sorted, (i + 0.5) / most));
}

/**
 * Samples without those more than three scaled median absolute deviations from the median (Leys et al., 2013): a pause of the
 * machine is none of the engine's doing. Of fewer than five samples all are kept, because none of them is out of line yet.
 */
export function withoutOutliers(samples: readonly number[]): readonly number[] {
  if (samples.length < 5) return samples;
  const { median, mad } = spreadOf(samples);
  return mad === 0 ? samples : samples.filter((sample) => Math.abs(sample - median) <= 3 * 1.4826 * mad);
}
