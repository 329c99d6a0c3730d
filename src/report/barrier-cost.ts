import { listSchedule } from '../graph/list-schedule.js';
import { humanDuration } from './figures.js';

/** A task as it went. */
export interface BarrierTask {
  readonly id: string;
  readonly needs: readonly string[];
  /** Subtasks that ran. */
  readonly subtasks: number;
  /** Of one of them; undefined where none ran. */
  readonly meanMs: number | undefined;
}

/** A wave as it went. Milliseconds. */
export interface BarrierWave {
  /** In the end. */
  readonly agents: number;
  /** From when its agents were ready until its last subtask ended. */
  readonly workMs: number;
  /** Agents × time in `workMs` before each agent's first subtask began. */
  readonly leadAgentMs: number;
  /** Agents × time in `workMs` in which they neither worked nor waited for the wave to begin or to end. */
  readonly besideAgentMs: number;
}

/** What the barriers between waves cost, in seconds. */
export interface BarrierCost {
  readonly seconds: number;
  /** What the work took, from its first subtask's begin to its last one's end, barriers and all. */
  readonly waveSeconds: number;
  /** What it would have taken without them. */
  readonly eagerSeconds: number;
}

/**
 * What the work took, against the same work without barriers: the durations that were measured, played through on as many
 * agents as the waves had, with the time that passed between two subtasks of an agent. What passes before the first subtasks
 * of a wave is the barrier's, but for the first wave. `undefined` where there is no barrier.
 *
 * @param betweenMs from the end of each wave's work to the next one's begin.
 */
export function barrierCost(
  tasks: readonly BarrierTask[],
  waves: readonly BarrierWave[],
  betweenMs: number,
): BarrierCost | undefined {
  const [first] = waves;
  if (first === undefined || waves.length < 2) return undefined;
  const workMs = waves.reduce((sum, wave) => sum + wave.workMs, 0);
  const waveMs = Math.max(0, workMs + betweenMs - first.leadAgentMs / first.agents);
  const subtasks = tasks.reduce((total, task) => total + task.subtasks, 0);
  const besideAgentMs = waves.reduce((sum, wave) => sum + wave.besideAgentMs, 0);
  const gapMs = Math.max(0, besideAgentMs) / Math.max(1, subtasks);
  const position = new Map(tasks.map(({ id }, index) => [id, index]));
  const schedule = tasks.map(({ needs, subtasks: count, meanMs = 0 }) => ({
    needs: needs.flatMap((need) => position.get(need) ?? []),
    count,
    ms: meanMs + gapMs,
  }));
  const eagerMs = Math.min(waveMs, listSchedule(schedule, Math.max(...waves.map(({ agents }) => agents))));
  return { seconds: (waveMs - eagerMs) / 1000, waveSeconds: waveMs / 1000, eagerSeconds: eagerMs / 1000 };
}

/** What barriers cost, in words. */
export function barrierText({ seconds, eagerSeconds, waveSeconds }: BarrierCost): string {
  const [cost, eager, waves] = [seconds, eagerSeconds, waveSeconds].map((value) => humanDuration(value * 1000));
  return `${cost} (${waves} of work between barriers, ${eager} with --sync eager)`;
}
