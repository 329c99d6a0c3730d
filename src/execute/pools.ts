import type { Clock } from '../model/clock.js';
import type { PoolUse } from '../model/run-event.js';
import type { PoolLimits, PoolShare } from '../plan/valid-plan.js';
import { Pacer } from './pacer.js';

/** Whether a subtask may hold its share of a pool now: yes, in so many milliseconds, or when somebody gives some back. */
export type Admission = { readonly kind: 'yes' } | { readonly kind: 'later'; readonly ms: number } | { readonly kind: 'full' };

interface Pool {
  readonly limits: PoolLimits;
  readonly pacer: Pacer | undefined;
  held: number;
  peak: number;
  starts: number;
}

const YES: Admission = { kind: 'yes' };

/** The plan's pools: shares of scarce things that subtasks hold while they run, counted in one place for all threads. */
export class Pools {
  readonly #pools: ReadonlyMap<string, Pool>;

  constructor(pools: Readonly<Record<string, PoolLimits>>, clock: Clock) {
    this.#pools = new Map(
      Object.entries(pools).map(([name, limits]) => [
        name,
        {
          limits,
          pacer: limits.ratePerMinute === undefined ? undefined : new Pacer(limits.ratePerMinute, clock),
          held: 0,
          peak: 0,
          starts: 0,
        },
      ]),
    );
  }

  /** Looks, and takes nothing. */
  admission(share: PoolShare): Admission {
    const pool = this.#of(share);
    const { max } = pool.limits;
    if (max !== undefined && share.weight > max) throw new Error(`Internal error: ${share.weight} of ${max} never fits`);
    if (max !== undefined && pool.held + share.weight > max) return { kind: 'full' };
    const ms = pool.pacer?.waitMs() ?? 0;
    return ms > 0 ? { kind: 'later', ms } : YES;
  }

  /** Whether starts are spaced, so that each must be asked for by itself. */
  isPaced(share: PoolShare): boolean {
    return this.#of(share).pacer !== undefined;
  }

  take(share: PoolShare): void {
    const pool = this.#of(share);
    pool.held += share.weight;
    pool.starts += 1;
    pool.peak = Math.max(pool.peak, pool.held);
    pool.pacer?.started();
  }

  giveBack(share: PoolShare): void {
    this.#of(share).held -= share.weight;
  }

  /** What was seen of each, against its limits. */
  uses(): readonly PoolUse[] {
    return [...this.#pools].map(([name, { limits, peak, starts }]) => ({ name, ...limits, peak, starts }));
  }

  #of({ pool: name }: PoolShare): Pool {
    const pool = this.#pools.get(name);
    if (pool === undefined) throw new Error(`Internal error: there is no pool '${name}'`);
    return pool;
  }
}
