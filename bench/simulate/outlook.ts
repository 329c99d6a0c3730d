import { randomOf } from '../../plans/make/repository.ts';
import { CHUNK_MS } from '../../src/execute/chunk-size.ts';
import { boundsOf, type Limit, leastBound } from './model/bounds.ts';
import type { Costs, Fleet, Work } from './model/costs.ts';
import { type Simulated, simulate } from './model/simulate.ts';
import { coordinatorsSizing } from './sizing.ts';

/** A use from which on a part is said to be saturated. */
const SATURATED = 0.95;

/**
 * Chunks that are simulated at most, about: a run of more goes on as it has gone for so long, since all of its subtasks are
 * alike, and the agents have had many chunks each.
 */
const MOST_CHUNKS = 1_000_000;

/** A simulated run, and what its throughput is held down by. */
export interface Forecast {
  readonly work: Work;
  readonly fleet: Fleet;
  /** What was simulated; `run.subtasks` says how much of the work that is. */
  readonly run: Simulated;
  /** Of all of the work. */
  readonly ms: number;
  /** The part that is in use nearly all the time; where there is none, what bounds it most. */
  readonly limit: Limit;
  readonly saturated: boolean;
  /** How long the simulation itself took, in milliseconds. */
  readonly tookMs: number;
}

/** Simulates a run with chunks of the sizes that the coordinator would choose. */
export function forecast(costs: Costs, work: Work, fleet: Fleet, seed: number): Forecast {
  const begun = performance.now();
  const perChunk = Math.max(1, Math.floor(CHUNK_MS / Math.max(work.cpuMs + work.waitMs, Number.EPSILON)));
  const subtasks = Math.min(work.subtasks, MOST_CHUNKS * perChunk);
  const run = simulate({ costs, work: { ...work, subtasks }, fleet, sizing: coordinatorsSizing(), random: randomOf(seed) });
  const tookMs = performance.now() - begun;
  const uses: readonly (readonly [Limit, number])[] = [
    ['coordinator', run.coordinatorUse],
    ['Redis', run.redisUse],
    ['workers', Math.max(run.agentUse, run.workerUse)],
    ['cores', run.coreUse ?? 0],
  ];
  const [most, use] = uses.reduce((busiest, next) => (next[1] > busiest[1] ? next : busiest));
  const saturated = use >= SATURATED;
  const per = { subtasks: run.subtasks / run.chunks, envelopes: run.envelopes / run.chunks };
  const limit = saturated ? most : leastBound(boundsOf({ costs, work, fleet }, per)).limit;
  return { work, fleet, run, ms: (run.ms * work.subtasks) / subtasks, limit, saturated, tookMs };
}

/** The kinds of work that are looked at, each of so many subtasks. */
export function kindsOf(subtasks: number): readonly Work[] {
  return [
    { name: 'no-op', subtasks, cpuMs: 0, waitMs: 0 },
    { name: '5 ms', subtasks, cpuMs: 5, waitMs: 0 },
    { name: '200 ms', subtasks, cpuMs: 200, waitMs: 0 },
  ];
}
