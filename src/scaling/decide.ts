import type { Overhead, ScalingDecision, ScalingMode, TaskType } from '../model/scaling-decision.js';
import { capacityOf } from './capacity.js';
import { formatCount } from './figures.js';
import { type Bottleneck, type FitInput, fitAgents, predictWave, USUAL_CPU_SHARE, type WaveWork, widestWave } from './fit.js';
import { formulaAgents } from './formula.js';
import type { MachineProfile } from './machine.js';
import { returnOnAgents } from './roi.js';
import type { ScalingLimits, ScalingRules } from './rules.js';

/** What a user asks for: so many agents, or a share of the capacity (above 0, 1 is all of it). */
export type RequestedAgents =
  | { readonly kind: 'count'; readonly agents: number }
  | { readonly kind: 'share'; readonly share: number };

/** The work to decide for. All figures are positive and finite: the caller has checked them. */
export interface ScalingInput {
  /** Absent: the decision is ours. */
  readonly requested: RequestedAgents | undefined;
  readonly subtasks: number;
  readonly widestWave: number;
  readonly averageMinutes: number;
  /** The waves one by one, for the predicted time. */
  readonly waves: readonly WaveWork[];
  readonly type: TaskType;
  readonly overhead: Overhead;
  readonly limits: ScalingLimits;
  /** What starting so many agents costs once in a run, in seconds, where it was measured. */
  readonly startSeconds?: (agents: number) => number;
  /** Whether one agent would work in the coordinator's own thread. */
  readonly inline?: boolean;
  /** `formula` runs the formula's own number instead of the fit below it. */
  readonly policy?: ScalingPolicy;
}

/** Which automatic number runs. */
export type ScalingPolicy = 'fit' | 'formula';

/**
 * Decides how many agents run: a user's number as it is, with warnings above the capacity; else the fit
 * below the formula's ceiling and the capacity.
 */
export function decideScaling(input: ScalingInput, rules: ScalingRules, machine: MachineProfile): ScalingDecision {
  const { subtasks, widestWave, averageMinutes, type, overhead, limits } = input;
  const overheadSeconds = overhead.secondsPerAgent;
  const formula = formulaAgents({ subtasks, widestWave, averageMinutes, type, overheadSeconds, limits }, rules, machine);
  const capacity = capacityOf(type, limits, rules, machine);
  const fit = fitAgents(Math.min(formula.agents, capacity.agents), rules.fitTolerance, fitInput(input), machine);
  const requested = input.requested === undefined ? undefined : requestedAgents(input.requested, capacity.agents);
  const automatic = input.policy === 'formula' ? formula.agents : fit.agents;
  // There are no more on other machines than their workers have.
  const agents = Math.min(requested ?? automatic, machine.workers?.agents ?? Number.POSITIVE_INFINITY);
  const work = { subtasks, averageMinutes, overheadSeconds };
  const mode: ScalingMode = requested === undefined ? 'AUTOMATIC_SCALING' : 'USER_OVERRIDE';
  return {
    mode,
    subtasks,
    widestWave,
    averageMinutes,
    type,
    overhead,
    sequentialMinutes: averageMinutes * subtasks,
    formula,
    capacity,
    fit,
    requested,
    decided: {
      agents,
      reason:
        requested === undefined
          ? fitReason(input, { formula, capacity, fit }, rules, machine)
          : requestedReason(requested, agents),
    },
    roi: returnOnAgents(agents, work, rules),
    formulaRoi: returnOnAgents(formula.agents, work, rules),
    warnings:
      requested === undefined && input.policy !== 'formula' ? [] : overrideWarnings(requested ?? agents, agents, capacity.agents),
  };
}

/** What the fit takes of a decision's input. */
export function fitInput({ waves, overhead, limits, type, startSeconds, inline }: ScalingInput): FitInput {
  const cpuShare = USUAL_CPU_SHARE[type];
  return {
    waves,
    overhead,
    ratePerMinute: limits.ratePerMinute,
    cpuShare,
    ...(startSeconds && { startSeconds }),
    ...(inline && { inline }),
  };
}

function requestedAgents(requested: RequestedAgents, capacity: number): number {
  return requested.kind === 'count' ? requested.agents : Math.max(1, Math.floor(requested.share * capacity));
}

function requestedReason(requested: number, agents: number): string {
  if (agents === requested) return `${formatCount(agents)} as requested`;
  return `${formatCount(requested)} as requested; the workers have ${formatCount(agents)}`;
}

function overrideWarnings(requested: number, agents: number, capacity: number): readonly string[] {
  if (requested <= capacity) return [];
  return [
    `Requested ${formatCount(requested)} agents exceeds safe capacity (${formatCount(capacity)})`,
    `Recommend: Use auto-scaling or reduce to ${formatCount(capacity)}`,
    agents < requested
      ? `Proceeding with the ${formatCount(agents)} that there are...`
      : `Proceeding with ${formatCount(agents)} as requested...`,
  ];
}

function fitReason(
  input: ScalingInput,
  { formula, capacity, fit }: Pick<ScalingDecision, 'formula' | 'capacity' | 'fit'>,
  rules: ScalingRules,
  machine: MachineProfile,
): string {
  if (input.policy === 'formula') return `${formatCount(formula.agents)} by formula, as asked`;
  if (formula.phase === 'sequential') return 'sequential: no two subtasks can run at once';
  const ceiling = `${formatCount(formula.agents)} by formula`;
  const carried = capacity.agents < formula.agents ? `; ${formatCount(capacity.agents)} are carried (${capacity.reason})` : '';
  if (fit.agents > 1 && fit.agents === Math.min(formula.agents, capacity.agents)) return `${ceiling}${carried}`;
  // One agent more would be held up by this, or saves less than the tolerance.
  const { bottleneck } = predictWave(fit.agents + 1, widestWave(input.waves), fitInput(input), machine);
  const why: Readonly<Record<Bottleneck, string>> = {
    rate: `keep the ${formatCount(input.limits.ratePerMinute ?? 0)}/min limit busy`,
    cores: `keep ${machine.cores} ${machine.cores === 1 ? 'core' : 'cores'} busy`,
    dispatch: 'keep the coordinator busy',
    agents: `are within ${formatCount(rules.fitTolerance * 100)}% of the best predicted time`,
  };
  if (fit.agents === 1 && bottleneck !== 'cores')
    return `${ceiling}${carried}; one after another, because more agents would save less than they cost`;
  return `${ceiling}${carried}; ${formatCount(fit.agents)} ${why[bottleneck]}`;
}
