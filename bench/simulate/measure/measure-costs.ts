import { createConnection } from 'node:net';
import { availableParallelism } from 'node:os';
import { medianOf } from '../../../src/model/statistics.ts';
import type { RedisServer } from '../../remote/redis-server.ts';
import { boundsOf } from '../model/bounds.ts';
import type { Costs, Work } from '../model/costs.ts';
import { forecast } from '../outlook.ts';
import { type FittedCosts, fitCosts } from './fit-costs.ts';
import type { RealRun, RealThing } from './real-run.ts';
import { weighInRedis } from './redis-memory.ts';

/** What was measured, and what it came to. */
export interface MeasuredCosts {
  readonly costs: Costs;
  readonly explained: FittedCosts['explained'];
  readonly runs: readonly RealRun[];
  /** One subtask after the other, on one agent. */
  readonly roundTrips: readonly RealRun[];
}

/** PINGs of which the round trip is measured. */
const PINGS = 500;
/** Samples that stand for all of a distribution. */
const KEPT = 50;
/** As in `src/remote/channel.ts`. */
const [GATHER_MS, ACKNOWLEDGE_MS] = [20, 50];

/** The shapes that the costs are fitted to: few and many subtasks, small and large chunks, envelopes with one chunk and with many. */
const SHAPES: readonly (readonly [work: Work, agents: number])[] = [
  [noop(2000), 2],
  [noop(40_000), 2],
  [noop(150_000), 2],
  [noop(150_000), 8],
  [wait(400, 5), 2],
  [wait(3000, 5), 8],
  [wait(6000, 5), 16],
  [wait(300, 60), 8],
  [wait(900, 60), 32],
];

/** Measures everything that the simulation is driven by, on this machine, with one worker. */
export async function measureCosts(redis: RedisServer, real: RealThing): Promise<MeasuredCosts> {
  const networkMs = quantiles(await pings(redis), KEPT).map((ms) => ms / 2);
  const runs: RealRun[] = [];
  for (const [work, agentsPerWorker] of SHAPES) runs.push(await real.run(work, { workers: 1, agentsPerWorker }));
  const { explained, ...fitted } = fitCosts(runs);
  const roundTrips: RealRun[] = [];
  for (let i = 0; i < 3; i++) roundTrips.push(await real.run(wait(60, 60), { workers: 1, agentsPerWorker: 1 }));
  const memory = { ...(await weighWorkers(redis, real)), ...(await weighInRedis(redis, runs[0]?.line ?? '')) };
  const waits = { gatherMs: GATHER_MS, acknowledgeMs: ACKNOWLEDGE_MS, networkMs };
  const coldMs = medianOf(runs.map((run) => run.coldMs));
  const known: Costs = { ...fitted, ...waits, coldMs, startMs: 0, pickUpMs: [0], memory };
  const costs = { ...known, pickUpMs: roundTrips.map((run) => beyond(known, run)) };
  const [shortest] = runs;
  return { costs: { ...costs, startMs: shortest === undefined ? 0 : startOf(costs, shortest) }, explained, runs, roundTrips };
}

/** How much longer a short run took than its chunks explain, in milliseconds. */
export function startOf(costs: Costs, { work, workers, agentsPerWorker, ms }: RealRun): number {
  const fleet = { workers, agentsPerWorker, chunksPerAgent: 1, sharedCores: availableParallelism() };
  return Math.max(0, ms - forecast({ ...costs, startMs: 0 }, work, fleet, 1).ms);
}

/** What Redis takes for each worker that is there, and without any: scripts and all that is made once are in it. Bytes. */
async function weighWorkers(redis: RedisServer, real: RealThing): Promise<Pick<Costs['memory'], 'idle' | 'perWorker'>> {
  const weights: number[] = [];
  for (const workers of [1, 4]) {
    await real.hire(workers, 1);
    weights.push((await redis.counters()).usedBytes);
  }
  await real.rest();
  const [one = 0, four = 0] = weights;
  const perWorker = Math.max(0, (four - one) / 3);
  return { idle: one - perWorker, perWorker };
}

/** What of a chunk's round trip the known costs do not explain, in milliseconds. */
function beyond(costs: Costs, { ms, chunks, work, subtaskMs }: RealRun): number {
  const fleet = { workers: 1, agentsPerWorker: 1, chunksPerAgent: 1, sharedCores: undefined };
  const measured = { ...work, waitMs: subtaskMs };
  const { latency } = boundsOf({ costs, work: measured, fleet }, { subtasks: work.subtasks / chunks, envelopes: 1 });
  return Math.max(0, (ms - (1000 * work.subtasks) / latency) / chunks);
}

function noop(subtasks: number): Work {
  return { name: 'no-op', subtasks, cpuMs: 0, waitMs: 0 };
}

function wait(subtasks: number, waitMs: number): Work {
  return { name: `wait ${waitMs} ms`, subtasks, cpuMs: 0, waitMs };
}

/** Round trips to Redis and back, in milliseconds. */
async function pings({ host, port }: RedisServer): Promise<readonly number[]> {
  const socket = createConnection({ host, port, noDelay: true });
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  const samples: number[] = [];
  for (let i = 0; i < PINGS; i++) {
    const begun = performance.now();
    const answered = new Promise((resolve) => socket.once('data', resolve));
    socket.write('PING\r\n');
    await answered;
    samples.push(performance.now() - begun);
  }
  socket.destroy();
  return samples;
}

/** So many of the samples, evenly over their distribution. */
function quantiles(samples: readonly number[], count: number): readonly number[] {
  const sorted = samples.toSorted((a, b) => a - b);
  return Array.from({ length: count }, (_, i) => sorted[Math.floor(((i + 0.5) / count) * sorted.length)] ?? 0);
}
