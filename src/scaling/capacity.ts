import type { CapacityLimit, ScalingDecision, TaskType } from '../model/scaling-decision.js';
import { formatCount } from './figures.js';
import type { MachineProfile } from './machine.js';
import type { ScalingLimits, ScalingRules } from './rules.js';

interface Bound {
  readonly agents: number;
  readonly limit: CapacityLimit;
  readonly reason: string;
}

/**
 * How many agents this machine and its surroundings carry, at least 1: 4 × cores for computation, memory over
 * 500 MB for memory-bound and general work, and the declared or usual iops, connections or rate for the others.
 * A declared `memoryPerAgent` bounds every type, and so do the agents of the workers, where it is other machines.
 */
export function capacityOf(
  type: TaskType,
  limits: ScalingLimits,
  rules: ScalingRules,
  machine: MachineProfile,
): ScalingDecision['capacity'] {
  const bounds = [typeBound(type, limits, rules, machine)];
  if (limits.memoryPerAgentBytes !== undefined) bounds.push(memoryBound(limits, rules, machine));
  const { workers } = machine;
  if (workers !== undefined) bounds.push(workersBound(workers));
  const tightest = bounds.reduce((least, bound) => (bound.agents < least.agents ? bound : least));
  return { ...tightest, agents: Math.max(1, Math.floor(tightest.agents)) };
}

function typeBound(type: TaskType, limits: ScalingLimits, rules: ScalingRules, machine: MachineProfile): Bound {
  switch (type) {
    case 'computation': {
      const agents = rules.computationAgentsPerCore * machine.cores;
      return { agents, limit: 'cores', reason: `${rules.computationAgentsPerCore} × ${machine.cores} cores` };
    }
    case 'file_operations': {
      const agents = limits.iops ?? rules.iops;
      return { agents, limit: 'iops', reason: `${formatCount(agents)} file operations a second` };
    }
    case 'api_calls':
      if (limits.ratePerMinute !== undefined) {
        return { agents: limits.ratePerMinute, limit: 'rate', reason: `${formatCount(limits.ratePerMinute)} requests a minute` };
      }
      return connectionBound(limits, rules);
    case 'network_operations':
      return connectionBound(limits, rules);
    case 'database_operations':
    case 'code_analysis':
    case 'general':
      return memoryBound(limits, rules, machine);
  }
}

function connectionBound(limits: ScalingLimits, rules: ScalingRules): Bound {
  const agents = limits.connections ?? rules.connections;
  return { agents, limit: 'connections', reason: `${formatCount(agents)} connections` };
}

function workersBound({ agents, count }: NonNullable<MachineProfile['workers']>): Bound {
  return { agents, limit: 'workers', reason: `of ${formatCount(count)} ${count === 1 ? 'worker' : 'workers'}` };
}

function memoryBound(limits: ScalingLimits, rules: ScalingRules, machine: MachineProfile): Bound {
  const each = limits.memoryPerAgentBytes ?? rules.memoryPerAgentBytes;
  const gigabytes = (machine.memoryBytes / 1e9).toFixed(1);
  return {
    agents: machine.memoryBytes / each,
    limit: 'memory',
    reason: `${gigabytes} GB at ${formatCount(each / 1e6)} MB an agent`,
  };
}
