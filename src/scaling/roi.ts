import type { Roi, RoiBand } from '../model/scaling-decision.js';
import type { ScalingRules } from './rules.js';

/** The work that a return is computed for. */
export interface RoiInput {
  readonly subtasks: number;
  readonly averageMinutes: number;
  readonly overheadSeconds: number;
}

/**
 * The return of `agents` on their overhead, by the methodology: overhead = o·n/60,
 * saved = d·S − (ceil(S/n)·d + overhead), ratio = saved / overhead.
 * Without overhead the ratio has no value; it is then 0, or the largest number there is when time is saved.
 */
export function returnOnAgents(
  agents: number,
  { subtasks, averageMinutes, overheadSeconds }: RoiInput,
  rules: ScalingRules,
): Roi {
  const overheadMinutes = (overheadSeconds * agents) / 60;
  const timeSavedMinutes = averageMinutes * subtasks - (Math.ceil(subtasks / agents) * averageMinutes + overheadMinutes);
  const ratio = timeSavedMinutes === 0 ? 0 : Math.min(timeSavedMinutes / overheadMinutes, Number.MAX_VALUE);
  return { agents, ratio, band: roiBand(ratio, rules), timeSavedMinutes, overheadMinutes };
}

function roiBand(ratio: number, { roiBands }: ScalingRules): RoiBand {
  if (ratio > roiBands.excellent) return 'EXCELLENT';
  if (ratio > roiBands.good) return 'GOOD';
  return ratio > roiBands.marginal ? 'MARGINAL' : 'POOR';
}
