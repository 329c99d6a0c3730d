import type { ScalingDecision } from '../model/scaling-decision.js';
import { type FitInput, fitAgents, predictWave, type WaveWork } from '../scaling/fit.js';

/** What is known of a wave after it ended. Seconds. */
export interface EndedWave {
  /** That were used, on average. */
  readonly agents: number;
  /** That ended. */
  readonly subtasks: number;
  readonly durationSeconds: number;
  readonly busySeconds: number;
  readonly cpuSeconds: number;
  /** In force when it ended. */
  readonly decision: ScalingDecision;
}

/** The number of agents that would have been best, judged after the fact. Seconds. */
export interface Hindsight {
  /** `unexplained`: the model is too far from what was measured to judge. */
  readonly verdict: 'right' | 'better' | 'unexplained';
  /** The count that was used: of several waves, the greatest. */
  readonly used: number;
  /** The count that the model prefers; the used one unless `better`. */
  readonly agents: number;
  /** What `agents` would have saved, by the model; 0 unless `better`. */
  readonly savedSeconds: number;
  /** What the model says that the used counts take. */
  readonly modelSeconds: number;
}

/** Less than this share, and less than these seconds, is no reason to prefer another count. */
export const LEAST_SHARE = 0.05;
export const LEAST_SECONDS = 1;
/** Of two counts that are so close, the smaller one is named: the default tolerance of the fit. */
const TOLERANCE = 0.02;
/** A model that is further than this from what was measured says nothing about other counts. */
const EXPLAINS = 0.25;

/**
 * Judges the number of agents of ended waves: the model of the fit, fed with the mean duration and the share of CPU that
 * were measured, says what each count up to the formula's ceiling would have taken. One count is sought for all waves
 * together. `undefined` where a figure is missing or makes no sense.
 *
 * What the model leaves out:
 * - Every subtask takes the mean, so a long one at the end of a wave is not seen.
 * - Durations were measured under the load of the used count. Fewer agents would have had faster subtasks where cores,
 *   disks or servers were contended; more agents would have had slower ones.
 * - The start of agents, dispatch, the barrier, and waiting for retries; of coordination, it knows the decision's overhead.
 * - A rate is known only where it is what bounds the capacity, and other plans' work on the machine never is.
 *
 * Hence the guard: where the model, at the used counts, is off by more than 25% (and a second) from what the waves took,
 * nothing is claimed.
 */
export function judgeAgents(waves: readonly EndedWave[], cores: number | undefined): Hindsight | undefined {
  const machine = { cores: cores ?? Number.NaN, memoryBytes: 0 };
  const decision = waves.at(-1)?.decision;
  if (decision === undefined || !(machine.cores >= 1) || !Number.isFinite(machine.cores)) return undefined;
  const worked = waves.filter(({ subtasks }) => subtasks > 0);
  if (worked.length === 0 || !worked.every(hasFigures)) return undefined;
  const works = worked.map(workOf);
  const input: FitInput = { waves: works, overhead: decision.overhead, ratePerMinute: rateOf(decision), cpuShare: 0 };
  const used = worked.reduce((most, { agents }) => Math.max(most, agents), 1);
  const took = worked.reduce((sum, { durationSeconds }) => sum + durationSeconds, 0);
  const modelSeconds = works.reduce(
    (sum, work, position) => sum + predictWave(worked[position]?.agents ?? used, work, input, machine).seconds,
    0,
  );
  const ceiling = worked.reduce((most, wave) => Math.max(most, ceilingOf(wave.decision)), used);
  const best = fitAgents(ceiling, TOLERANCE, input, machine);
  const saved = modelSeconds - best.seconds;
  if (!Number.isFinite(saved)) return undefined;
  const judged = { used, agents: used, savedSeconds: 0, modelSeconds };
  if (Math.abs(modelSeconds - took) > Math.max(EXPLAINS * took, LEAST_SECONDS)) return { ...judged, verdict: 'unexplained' };
  if (saved <= Math.max(LEAST_SHARE * modelSeconds, LEAST_SECONDS)) return { ...judged, verdict: 'right' };
  return { ...judged, verdict: 'better', agents: best.agents, savedSeconds: saved };
}

function hasFigures({ agents, durationSeconds, decision: { overhead } }: EndedWave): boolean {
  const figures = [durationSeconds, overhead.secondsPerAgent, overhead.secondsPerWave];
  return Number.isSafeInteger(agents) && agents >= 1 && figures.every((value) => Number.isFinite(value) && value >= 0);
}

function workOf({ subtasks, busySeconds, cpuSeconds }: EndedWave): WaveWork {
  const cpuShare = busySeconds > 0 ? Math.min(1, cpuSeconds / busySeconds) : 0;
  return { subtasks, seconds: busySeconds / subtasks, cpuShare };
}

/** The most agents that the decision could have chosen. */
function ceilingOf({ formula, capacity }: ScalingDecision): number {
  const most = Math.min(formula.agents, capacity.agents);
  return Number.isSafeInteger(most) ? most : 1;
}

function rateOf({ capacity }: ScalingDecision): number | undefined {
  return capacity.limit === 'rate' && capacity.agents > 0 ? capacity.agents : undefined;
}
