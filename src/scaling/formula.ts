import type { FormulaPhase, TaskType } from '../model/scaling-decision.js';
import type { MachineProfile } from './machine.js';
import type { ScalingLimits, ScalingRules } from './rules.js';

/** What the formula takes. Minutes, but for the overhead per agent in seconds, as in the methodology. */
export interface FormulaInput {
  readonly subtasks: number;
  /** The most subtasks in one wave. */
  readonly widestWave: number;
  readonly averageMinutes: number;
  readonly type: TaskType;
  readonly overheadSeconds: number;
  readonly limits: ScalingLimits;
}

/**
 * The methodology's formula: the ceiling for the number of agents, and the rule that settled it.
 * The order of the floating-point operations is part of the definition: the golden cases depend on it.
 */
export function formulaAgents(
  input: FormulaInput,
  rules: ScalingRules,
  machine: MachineProfile,
): { readonly agents: number; readonly phase: FormulaPhase } {
  const { subtasks, widestWave, averageMinutes, overheadSeconds } = input;
  if (widestWave <= 1) return { agents: 1, phase: 'sequential' };

  const overhead = (overheadSeconds * widestWave) / 60;
  const sequential = averageMinutes * subtasks;
  const saved = sequential - (averageMinutes + overhead);
  if (saved <= overhead) return { agents: findOptimal(input), phase: 'find_optimal' };

  if (averageMinutes > rules.longTask.aboveMinutes) return { agents: widestWave, phase: 'long_task' };
  const capped = Math.max(1, Math.min(widestWave, typeCap(input, rules, machine)));
  if (averageMinutes < rules.microTask.belowMinutes) {
    const most = Math.max(1, Math.trunc((sequential * rules.microTask.overheadShare) / (overheadSeconds / 60)));
    if (most < capped) return { agents: most, phase: 'micro_task' };
  }
  return { agents: capped, phase: 'task_type' };
}

/** The count from 1 to the widest wave with the least `ceil(S/n)·d + o·n/60`; the smallest on a tie. */
function findOptimal({ subtasks, widestWave, averageMinutes, overheadSeconds }: FormulaInput): number {
  let best = 1;
  let least = Number.POSITIVE_INFINITY;
  // From where the overhead alone takes longer than the best, no count can be better.
  for (let n = 1; n <= widestWave && (overheadSeconds * n) / 60 < least; n++) {
    const minutes = Math.ceil(subtasks / n) * averageMinutes + (overheadSeconds * n) / 60;
    if (minutes < least) {
      least = minutes;
      best = n;
    }
  }
  return best;
}

function typeCap({ type, limits }: FormulaInput, rules: ScalingRules, machine: MachineProfile): number {
  switch (type) {
    case 'file_operations':
      return Math.floor(limits.iops ?? rules.iops);
    case 'api_calls':
      return Math.floor(limits.ratePerMinute ?? limits.connections ?? rules.connections);
    case 'computation':
      return Math.floor(rules.computationAgentsPerCore * machine.cores);
    case 'network_operations':
      return Math.floor(limits.connections ?? rules.connections);
    case 'database_operations':
    case 'code_analysis':
    case 'general':
      return Number.POSITIVE_INFINITY;
  }
}
