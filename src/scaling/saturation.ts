import type { TaskType } from '../model/scaling-decision.js';

/** From this share of all cores on, a machine counts as busy: work then takes longer because it waits for a core. */
const SATURATED = 0.85;

/** What a number of subtasks took together. Seconds. */
export interface ObservedWork {
  readonly subtasks: number;
  /** Sum of their durations. */
  readonly busySeconds: number;
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
}

/** Types of work that mostly compute: what is not processor time of theirs is waiting for a core. */
const COMPUTING: ReadonlySet<TaskType> = new Set(['computation', 'code_analysis']);

/** Whether work of this type mostly computes. */
export function isComputing(type: TaskType): boolean {
  return COMPUTING.has(type);
}

/**
 * What one subtask takes by itself, from what was observed. On a busy machine durations say how many agents shared the
 * cores, not how long the work is. Work that computes is then taken to be its processor time and nothing else; other
 * work may also wait, nobody knows how long, so that its durations are kept: the number of agents that kept the cores
 * busy is not given up for a guess, and comes down from run to run for as long as they stay busy.
 */
export function workByItself(
  observed: ObservedWork,
  type: TaskType,
  cores: number,
): { readonly seconds: number; readonly cpuShare: number } {
  const { subtasks, busySeconds, cpuSeconds, wallSeconds } = observed;
  if (subtasks <= 0 || busySeconds <= 0) return { seconds: 0, cpuShare: 0 };
  const seconds = busySeconds / subtasks;
  if (isComputing(type) && cpuSeconds >= SATURATED * wallSeconds * cores) {
    return { seconds: Math.min(seconds, cpuSeconds / subtasks), cpuShare: 1 };
  }
  return { seconds, cpuShare: Math.min(1, cpuSeconds / busySeconds) };
}
