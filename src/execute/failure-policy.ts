import type { FailureLevel, FailureResponse } from '../model/failure-assessment.js';
import type { PlanFailure } from '../plan/valid-plan.js';

/** The shares of a wave's subtasks, from 0 to 1, at which the response changes, and what it is above `major`. */
export interface FailureRules {
  readonly minor: number;
  readonly major: number;
  readonly critical: number;
  /** The share of the agents that is given up above `minor`. */
  readonly agentsReduction: number;
  readonly onMajor: 'sequential' | 'abort';
}

/** How a wave stands at the end of a pass. */
export interface PassState {
  readonly subtasks: number;
  readonly failed: number;
  readonly agents: number;
}

/** How bad a share of failures is. */
export function failureLevel({ subtasks, failed }: Omit<PassState, 'agents'>, rules: FailureRules): FailureLevel {
  if (failed === 0) return 'none';
  // Counts, not shares, are compared: 3 of 30 are 10%, which 3 / 30 need not be.
  if (isAbove(failed, subtasks, rules.critical)) return 'critical';
  if (isAbove(failed, subtasks, rules.major)) return 'major';
  return isAbove(failed, subtasks, rules.minor) ? 'moderate' : 'minor';
}

/** Whether `failed` of `subtasks` are more than `share`, without the rounding of a division. */
export function isAbove(failed: number, subtasks: number, share: number): boolean {
  return failed > share * subtasks * (1 + Number.EPSILON * 4);
}

/**
 * The methodology's response to the failures of a pass:
 *
 *     up to minor   retry the failed
 *     up to major   fewer agents, retry the failed
 *     above major   one agent, or stop, as the plan says
 *     above critical  stop and report
 *
 * What is worth a retry at all is the diagnosis's to say.
 */
export function respond(state: PassState, rules: FailureRules): FailureResponse {
  const level = failureLevel(state, rules);
  switch (level) {
    case 'none':
      return { kind: 'accept' };
    case 'minor':
      return { kind: 'retry', agents: state.agents };
    case 'moderate':
      return { kind: 'reduce', agents: fewerAgents(state.agents, rules.agentsReduction) };
    case 'major':
      return rules.onMajor === 'sequential' ? { kind: 'sequential', agents: 1 } : { kind: 'stop' };
    case 'critical':
      return { kind: 'stop' };
  }
}

/** A share fewer, rounded in favour of fewer, but at least one. */
export function fewerAgents(agents: number, reduction: number): number {
  return Math.max(1, Math.floor(agents * (1 - reduction)));
}

/** The plan's shares, where it states any, over the methodology's. A share that is alone keeps the others in order. */
export function failureRulesOf(
  plan: PlanFailure,
  methodology: Pick<FailureRules, 'minor' | 'major' | 'critical' | 'agentsReduction'>,
): FailureRules {
  const major = plan.major ?? Math.min(Math.max(methodology.major, plan.minor ?? 0), plan.critical ?? 1);
  return {
    minor: Math.min(plan.minor ?? methodology.minor, major),
    major,
    critical: Math.max(plan.critical ?? methodology.critical, major),
    agentsReduction: methodology.agentsReduction,
    onMajor: plan.onMajor,
  };
}
