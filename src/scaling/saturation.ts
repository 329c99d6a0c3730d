import type { TaskType } from '../model/scaling-decision.js';
import { waitingByItself } from './shared-cores.js';

/** From this share of all cores on, a machine counts as busy: work then takes longer because it waits for a core. */
export const SATURATED = 0.85;
/** From this share on, what work takes by itself can no longer be told from its wait for a core. */
const FULL = 0.95;

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

/** Whether the cores were busy all together while it was observed. */
export function isSaturated(
  { cpuSeconds, wallSeconds }: Pick<ObservedWork, 'cpuSeconds' | 'wallSeconds'>,
  cores: number,
): boolean {
  return cpuSeconds >= SATURATED * wallSeconds * cores;
}

/**
 * What one subtask takes by itself, from what was observed. On a busy machine durations say how many agents shared the
 * cores, not how long the work is. Work that computes is then taken to be its processor time and nothing else. What other work
 * waited for a core is taken off by the same model that predicts it; where the cores were full, nobody can tell how much that is, and its
 * durations are kept: the number of agents that kept the cores busy is not given up for a guess, and comes down from run to run
 * for as long as they stay busy.
 */
export function workByItself(
  observed: ObservedWork,
  type: TaskType,
  cores: number,
): { readonly seconds: number; readonly cpuShare: number } {
  const { subtasks, busySeconds, cpuSeconds, wallSeconds } = observed;
  if (subtasks <= 0 || busySeconds <= 0) return { seconds: 0, cpuShare: 0 };
  const seconds = busySeconds / subtasks;
  const computing = Math.min(seconds, cpuSeconds / subtasks);
  if (isComputing(type) && isSaturated(observed, cores)) return { seconds: computing, cpuShare: 1 };
  if (computing === 0 || cpuSeconds >= FULL * wallSeconds * cores) return { seconds, cpuShare: computing / seconds };
  const alone = computing + waitingByItself(seconds, computing, busySeconds / wallSeconds, cores);
  return { seconds: alone, cpuShare: computing / alone };
}
