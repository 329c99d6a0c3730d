/**
 * Sum, least, middle and greatest of any number of durations in bounded memory. Quantiles come from buckets
 * whose bounds grow by 2%, so they are within 1% whatever the order; a sample would depend on luck, a list on memory.
 */
export class DurationSpread {
  #count = 0;
  /** Whole microseconds, so that the sum is exact and the same in any order. */
  #sumUs = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = 0;
  readonly #buckets = new Map<number, number>();

  /** Adds one duration in milliseconds, of which the sum keeps microseconds; what is not a duration counts as 0. */
  add(ms: number): void {
    const duration = Number.isFinite(ms) && ms > 0 ? ms : 0;
    this.#count += 1;
    this.#sumUs += Math.round(duration * 1000);
    this.#min = Math.min(this.#min, duration);
    this.#max = Math.max(this.#max, duration);
    const bucket = Math.floor(Math.log(Math.max(duration, SHORTEST)) / GROWTH);
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + 1);
  }

  get count(): number {
    return this.#count;
  }

  /** How many durations fell into each range with any, in order. */
  ranges(): readonly { readonly fromMs: number; readonly toMs: number; readonly count: number }[] {
    return [...this.#buckets]
      .sort(([a], [b]) => a - b)
      .map(([bucket, count]) => ({ fromMs: Math.exp(bucket * GROWTH), toMs: Math.exp((bucket + 1) * GROWTH), count }));
  }

  get sum(): number {
    return this.#sumUs / 1000;
  }

  get min(): number | undefined {
    return this.#count === 0 ? undefined : this.#min;
  }

  get max(): number | undefined {
    return this.#count === 0 ? undefined : this.#max;
  }

  get mean(): number | undefined {
    return this.#count === 0 ? undefined : this.#sumUs / 1000 / this.#count;
  }

  /** The lower median. */
  get median(): number | undefined {
    return this.quantile(0.5);
  }

  /** Between the first and the third quartile. */
  get quartileRange(): number | undefined {
    const [first, third] = [this.quantile(0.25), this.quantile(0.75)];
    return first === undefined || third === undefined ? undefined : third - first;
  }

  /** The least duration that a share `q`, from 0 to 1, of all durations does not exceed, within 1%; absent when there are none. */
  quantile(q: number): number | undefined {
    if (this.#count === 0) return undefined;
    const rank = Math.min(this.#count, Math.max(1, Math.ceil(q * this.#count)));
    // The ends are known, not estimated.
    if (rank === 1) return this.#min;
    if (rank === this.#count) return this.#max;
    let seen = 0;
    for (const [bucket, count] of [...this.#buckets].sort(([a], [b]) => a - b)) {
      seen += count;
      if (seen >= rank) return Math.min(this.#max, Math.max(this.#min, Math.exp((bucket + 0.5) * GROWTH)));
    }
    throw new Error('Internal error: buckets do not add up');
  }
}

const GROWTH = Math.log(1.02);
/** A nanosecond: shorter durations share its bucket. */
const SHORTEST = 1e-6;
