import type { WaveMeasures } from '../model/run-event.js';
import type { ScalingDecision } from '../model/scaling-decision.js';
import { type EndedWave, type Hindsight, judgeAgents } from './hindsight.js';

/** A prediction against what came of it. What could not be measured or compared is absent. */
export interface PredictionScore {
  readonly predictedSeconds: number;
  readonly actualSeconds: number;
  /** |predicted − actual| / actual. */
  readonly errorShare: number | undefined;
  readonly overhead: OverheadScore;
  readonly roi: RoiScore;
  /** Agent seconds without work at the barrier, while others still worked. */
  readonly idleSeconds: number | undefined;
  readonly hindsight: Hindsight | undefined;
}

/** The coordination overhead: what the decision said, and everything that agents did beside their subtasks. */
export interface OverheadScore {
  /** Of the decision: how much longer the work takes for being coordinated. */
  readonly predictedSeconds: number | undefined;
  /** The same of the measured overhead: agent seconds over agents. */
  readonly actualSeconds: number | undefined;
  /**
   * Agents × duration − the subtasks' durations. Dispatch and barriers are in it, and so is waiting for cores, for the
   * rate, for retries and for the slowest subtask.
   */
  readonly agentSeconds: number | undefined;
  /** Of the agents' time. */
  readonly share: number | undefined;
}

/** Time saved over overhead. */
export interface RoiScore {
  /** Of the decision, for the plan as a whole: the methodology counts the overhead of all waves once. */
  readonly predicted: number | undefined;
  /** (busy − duration) / (overhead / agents); -1 for one agent, as in the formula. Absent without overhead. */
  readonly actual: number | undefined;
}

/** The score of one wave. */
export interface WaveScore extends PredictionScore {
  readonly wave: number;
  readonly name: string;
}

/** The score of a run. Measured figures are there only when every wave that counts has them. */
export interface RunScore extends PredictionScore {
  /**
   * `start`: the prediction that the run started with, for all of its waves. `waves`: the sum of those that its waves
   * started with, where sizes were open at the start, or where the run ended early; only ended waves count.
   */
  readonly basis: 'start' | 'waves';
  readonly waves: readonly WaveScore[];
}

/** What the fold knows of a wave. */
export interface WaveRecord {
  readonly number: number;
  readonly name: string;
  readonly predictedSeconds: number | undefined;
  /** Absent when it never ended. */
  readonly durationMs: number | undefined;
  /** Agents × time, in milliseconds. */
  readonly agentMs: number;
  /** That ended. */
  readonly subtasks: number;
  readonly measured: WaveMeasures | undefined;
  /** In force when it ended. */
  readonly decision: ScalingDecision | undefined;
}

/** What the fold knows of the run. */
export interface RunRecord {
  /** The decision and the prediction that the run started with. */
  readonly decision: ScalingDecision | undefined;
  readonly predictedSeconds: number | undefined;
  readonly cores: number | undefined;
  readonly waves: readonly WaveRecord[];
}

/** Scores a run and its waves; absent where nothing that was predicted has ended. */
export function scoreRun(run: RunRecord): RunScore | undefined {
  const waves = run.waves.flatMap((wave) => scoreWave(wave, run.cores) ?? []);
  const whole = run.waves.length > 0 && run.waves.every((wave) => wave.durationMs !== undefined);
  const fromStart = whole && isAmount(run.predictedSeconds) ? run.predictedSeconds : undefined;
  const scored = new Set(waves.map(({ wave }) => wave));
  const counting = fromStart === undefined ? run.waves.filter(({ number }) => scored.has(number)) : run.waves;
  const measures = total(counting.map(measure));
  const actualSeconds = sum(counting.map(({ durationMs }) => (durationMs ?? 0) / 1000));
  const predictedSeconds = fromStart ?? sum(waves.map((wave) => wave.predictedSeconds));
  if ((fromStart === undefined && waves.length === 0) || !isAmount(actualSeconds) || !isAmount(predictedSeconds))
    return undefined;
  const decision = fromStart === undefined ? counting.at(-1)?.decision : run.decision;
  return {
    basis: fromStart === undefined ? 'waves' : 'start',
    predictedSeconds,
    actualSeconds,
    errorShare: errorShare(predictedSeconds, actualSeconds),
    ...returns(decision, amount(decision && decision.roi.overheadMinutes * 60), measures),
    idleSeconds: measures?.idleSeconds,
    hindsight: judge(counting, run.cores),
    waves,
  };
}

function scoreWave(wave: WaveRecord, cores: number | undefined): WaveScore | undefined {
  const { number, name, predictedSeconds, durationMs, decision } = wave;
  if (!isAmount(predictedSeconds) || !isAmount(durationMs)) return undefined;
  const measures = measure(wave);
  const actualSeconds = durationMs / 1000;
  const perAgent = decision && (decision.roi.overheadMinutes * 60) / decision.roi.agents;
  return {
    wave: number,
    name,
    predictedSeconds,
    actualSeconds,
    errorShare: errorShare(predictedSeconds, actualSeconds),
    ...returns(decision, amount(perAgent === undefined ? undefined : perAgent * agentsOf(wave)), measures),
    idleSeconds: measures?.idleSeconds,
    hindsight: judge([wave], cores),
  };
}

/** What was measured of a wave, or of several. */
interface Measures {
  readonly durationSeconds: number;
  readonly agentSeconds: number;
  readonly busySeconds: number;
  readonly idleSeconds: number;
  readonly overheadAgentSeconds: number;
  readonly overheadSeconds: number;
}

function measure(wave: WaveRecord): Measures | undefined {
  const { measured, durationMs, agentMs } = wave;
  if (measured === undefined || !isAmount(durationMs) || !isAmount(agentMs)) return undefined;
  const overheadAgentSeconds = Math.max(0, agentMs / 1000 - measured.busySeconds);
  return {
    durationSeconds: durationMs / 1000,
    agentSeconds: agentMs / 1000,
    busySeconds: measured.busySeconds,
    idleSeconds: measured.idleSeconds,
    overheadAgentSeconds,
    overheadSeconds: durationMs === 0 ? 0 : overheadAgentSeconds / (agentMs / durationMs || 1),
  };
}

/** The sum of all of them; absent where one is, since a part would pass for the whole. */
function total(all: readonly (Measures | undefined)[]): Measures | undefined {
  const known = all.filter((measures) => measures !== undefined);
  if (known.length === 0 || known.length < all.length) return undefined;
  return known.reduce((a, b) => ({
    durationSeconds: a.durationSeconds + b.durationSeconds,
    agentSeconds: a.agentSeconds + b.agentSeconds,
    busySeconds: a.busySeconds + b.busySeconds,
    idleSeconds: a.idleSeconds + b.idleSeconds,
    overheadAgentSeconds: a.overheadAgentSeconds + b.overheadAgentSeconds,
    overheadSeconds: a.overheadSeconds + b.overheadSeconds,
  }));
}

function returns(
  decision: ScalingDecision | undefined,
  predictedSeconds: number | undefined,
  measures: Measures | undefined,
): { readonly overhead: OverheadScore; readonly roi: RoiScore } {
  const ratio = decision?.roi.ratio;
  return {
    overhead: {
      predictedSeconds,
      actualSeconds: amount(measures?.overheadSeconds),
      agentSeconds: amount(measures?.overheadAgentSeconds),
      share: amount(measures && measures.overheadAgentSeconds / measures.agentSeconds),
    },
    roi: {
      // Without any overhead the decision's ratio is the largest number there is.
      predicted: ratio !== undefined && Number.isFinite(ratio) && ratio < Number.MAX_VALUE ? ratio : undefined,
      actual: finite(measures && (measures.busySeconds - measures.durationSeconds) / measures.overheadSeconds),
    },
  };
}

function judge(waves: readonly WaveRecord[], cores: number | undefined): Hindsight | undefined {
  const ended: EndedWave[] = [];
  for (const wave of waves) {
    const { measured, durationMs, decision, subtasks } = wave;
    if (measured === undefined || durationMs === undefined || decision === undefined) return undefined;
    const { busySeconds, cpuSeconds } = measured;
    const agents = Math.max(1, Math.round(agentsOf(wave)));
    ended.push({ agents, subtasks, durationSeconds: durationMs / 1000, busySeconds, cpuSeconds, decision });
  }
  return judgeAgents(ended, cores);
}

/** The agents of a wave, on average over its time. */
function agentsOf({ agentMs, durationMs }: WaveRecord): number {
  return durationMs === undefined || durationMs <= 0 ? 1 : agentMs / durationMs;
}

function errorShare(predicted: number, actual: number): number | undefined {
  return finite(Math.abs(predicted - actual) / actual);
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

/** Whether `value` is a figure of the kind that is measured: finite, and not below 0. */
export function isAmount(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value) && value >= 0;
}

function amount(value: number | undefined): number | undefined {
  return isAmount(value) ? value : undefined;
}

function finite(value: number | undefined): number | undefined {
  return value !== undefined && Number.isFinite(value) ? value : undefined;
}
