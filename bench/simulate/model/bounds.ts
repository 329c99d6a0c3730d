import { type Costs, costOf, type Fleet, type ThreadCosts, type Work } from './costs.ts';

/** What limits a run, in the order in which it is told. */
export type Limit = 'coordinator' | 'Redis' | 'workers' | 'cores' | 'latency';

/** For each that could limit the run: the most subtasks a second that it lets through. */
export type Bounds = Readonly<Record<Limit, number>>;

/**
 * The asymptotic bounds of a closed network (Denning and Buzen, 1978), for chunks of so many subtasks, and so many envelopes for
 * each of them: no thread does more than a second of work a second, and no place holds two chunks.
 */
export function boundsOf(
  { costs, work, fleet }: { readonly costs: Costs; readonly work: Work; readonly fleet: Fleet },
  per: { readonly subtasks: number; readonly envelopes: number },
): Bounds {
  const { coordinator, redis, worker, agent } = costs;
  const n = per.subtasks;
  const demand = ({ chunk, envelope }: ThreadCosts, envelopes = per.envelopes) =>
    costOf(chunk, n) + envelopes * envelope.each + n * envelope.perSubtask;
  const agentCpu = costOf(agent, n) + n * work.cpuMs;
  const agentMs = agentCpu + n * work.waitMs;
  const cpu = demand(coordinator) + demand(redis) + demand(worker) + agentCpu;
  const agents = fleet.workers * fleet.agentsPerWorker;
  const hops = 4 * mean(costs.networkMs) + mean(costs.pickUpMs);
  const roundTrip = demand(coordinator, 1) + demand(redis, 1) + demand(worker, 1) + agentMs + hops;
  const perSecond = (ms: number, servers = 1) => (1000 * n * servers) / ms;
  return {
    coordinator: perSecond(demand(coordinator)),
    Redis: perSecond(demand(redis)),
    workers: Math.min(perSecond(agentMs, agents), perSecond(demand(worker), fleet.workers)),
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

function mean(samples: readonly number[]): number {
  return samples.reduce((sum, sample) => sum + sample, 0) / Math.max(1, samples.length);
}
