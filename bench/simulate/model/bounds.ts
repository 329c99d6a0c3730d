import { type Costs, costOf, type Fleet, type Work } from './costs.ts';

/** What limits a run, in the order in which it is told. */
export type Limit = 'coordinator' | 'Redis' | 'workers' | 'cores' | 'latency';

/** For each that could limit the run: the most subtasks a second that it lets through. */
export type Bounds = Readonly<Record<Limit, number>>;

/**
 * The asymptotic bounds of a closed network (Denning and Buzen, 1978), for chunks of a given size that each travel in a batch of
 * their own or share one: no thread does more than a second of work a second, and no place holds two chunks.
 */
export function boundsOf(
  { costs, work, fleet }: { readonly costs: Costs; readonly work: Work; readonly fleet: Fleet },
  size: { readonly chunk: number; readonly batch: number },
): Bounds {
  const { coordinator, redis, worker, agent } = costs;
  const n = size.chunk;
  const batchShare = n / size.batch;
  const both = ({ chunk, batch }: Costs['redis']) => costOf(chunk, n) + batchShare * costOf(batch, size.batch);
  const agentCpu = costOf(agent, n) + n * work.cpuMs;
  const agentMs = agentCpu + n * work.waitMs;
  const cpu = both(coordinator) + both(redis) + both(worker) + agentCpu;
  const agents = fleet.workers * fleet.agentsPerWorker;
  const hops = 4 * mean(costs.networkMs) + mean(costs.pickUpMs);
  const roundTrip = alone(coordinator, size) + alone(redis, size) + alone(worker, size) + agentMs + hops;
  const perSecond = (ms: number, servers = 1) => (1000 * n * servers) / ms;
  return {
    coordinator: perSecond(both(coordinator)),
    Redis: perSecond(both(redis)),
    workers: Math.min(perSecond(agentMs, agents), perSecond(both(worker), fleet.workers)),
    cores: fleet.sharedCores === undefined ? Number.POSITIVE_INFINITY : perSecond(cpu, fleet.sharedCores),
    latency: perSecond(roundTrip, agents * fleet.chunksPerAgent),
  };
}

/** The least of the bounds, and what sets it. */
export function leastBound(bounds: Bounds): { readonly limit: Limit; readonly subtasksPerSecond: number } {
  const limits: readonly Limit[] = ['coordinator', 'Redis', 'workers', 'cores', 'latency'];
  const limit = limits.reduce((least, next) => (bounds[next] < bounds[least] ? next : least));
  return { limit, subtasksPerSecond: bounds[limit] };
}

/** A chunk's way through a station that nobody else uses, with the batch that it waits for. */
function alone({ chunk, batch }: Costs['redis'], size: { readonly chunk: number; readonly batch: number }): number {
  return costOf(chunk, size.chunk) + costOf(batch, size.batch);
}

function mean(samples: readonly number[]): number {
  return samples.reduce((sum, sample) => sum + sample, 0) / Math.max(1, samples.length);
}
