import { listSchedule } from '../graph/list-schedule.js';
import { humanDuration } from './figures.js';

/** A task as it went. */
export interface BarrierTask {
  readonly id: string;
  readonly wave: number;
  readonly needs: readonly string[];
  /** Subtasks that ran. */
  readonly subtasks: number;
  /** Of one of them; undefined where none ran. */
  readonly meanMs: number | undefined;
}

/** What the barriers between waves cost, in seconds. */
export interface BarrierCost {
  /** What they added: the difference of the schedules, and what lay between the waves. */
  readonly seconds: number;
  /** The schedule of the measured durations with barriers and what lay between the waves, and without. */
  readonly waveSeconds: number;
  readonly eagerSeconds: number;
}

/**
 * Plays the durations that were measured through twice, with the barriers and without, on as many agents as the waves had.
 * Both are schedules, so what else the engine took is in neither, and the difference is the barriers' alone. `undefined`
 * where there is no barrier.
 */
export function barrierCost(
  tasks: readonly BarrierTask[],
  agentsOf: (wave: number) => number,
  betweenSeconds = 0,
): BarrierCost | undefined {
  const waves = [...new Set(tasks.map(({ wave }) => wave))];
  if (waves.length < 2) return undefined;
  const position = new Map(tasks.map(({ id }, index) => [id, index]));
  const work = ({ subtasks, meanMs = 0 }: BarrierTask) => ({ count: subtasks, ms: meanMs });
  const scheduleMs = waves.reduce((sum, number) => {
    const inWave = tasks.filter(({ wave }) => wave === number).map((task) => ({ ...work(task), needs: [] }));
    return sum + listSchedule(inWave, agentsOf(number));
  }, 0);
  const all = tasks.map((task) => ({ ...work(task), needs: task.needs.flatMap((need) => position.get(need) ?? []) }));
  const waveMs = scheduleMs + 1000 * betweenSeconds;
  const eagerMs = Math.min(scheduleMs, listSchedule(all, Math.max(...waves.map(agentsOf))));
  return { seconds: (waveMs - eagerMs) / 1000, waveSeconds: waveMs / 1000, eagerSeconds: eagerMs / 1000 };
}

/** What barriers cost, in words. */
export function barrierText({ seconds, eagerSeconds, waveSeconds }: BarrierCost): string {
  const [cost, eager, waves] = [seconds, eagerSeconds, waveSeconds].map((value) => humanDuration(value * 1000));
  return `${cost} (${waves} of work between barriers, ${eager} with --sync eager)`;
}
