import type { TaskGraph, TaskNode, Wave } from '../graph/task-graph.js';
import { contentHash } from '../model/ids.js';
import { startsCommand, type TaskDefinition } from '../plan/valid-plan.js';
import type { WaveWork, WorkCost } from './fit.js';
import type { History } from './history.js';

/** The duration that a subtask is taken to have where nothing is known of it, in milliseconds. */
export const ASSUMED_SUBTASK_MS = 1000;

/** Where a duration comes from, the best first: measured in this run or in earlier ones, said by the plan, or made up. */
export type EstimateSource = 'probe' | 'history' | 'estimate' | 'assumed';

const SOURCES: readonly EstimateSource[] = ['probe', 'history', 'estimate', 'assumed'];

/** What a subtask of a task is expected to take. */
export interface TaskEstimate {
  readonly seconds: number;
  /** Share of it that keeps a core busy; undefined where it was never measured. */
  readonly cpuShare: number | undefined;
  /** Of the longest subtask, where it was measured. */
  readonly longest?: number;
  /** The middle one of all durations, where they were measured. */
  readonly usual?: number;
  readonly source: EstimateSource;
}

/** The two kinds of work whose coordination costs differ. */
export type WorkKind = 'modules' | 'commands';

/** What is known beside the plan. */
export interface Knowledge {
  readonly history?: History | undefined;
  /** Measured in this run, by position of the task in the graph. */
  readonly probes?: ReadonlyMap<number, TaskEstimate> | undefined;
  /** Measured costs of each kind of work. */
  readonly costs?: Readonly<Record<WorkKind, WorkCost>> | undefined;
}

/** A plan's work in the figures that the formula takes. */
export interface Workload {
  readonly subtasks: number;
  readonly widestWave: number;
  /** In order. */
  readonly waves: readonly WaveWork[];
  /** Over all subtasks. */
  readonly averageMinutes: number;
  /** The worst source of any task's duration: one that is made up makes the whole uncertain. */
  readonly averageSource: EstimateSource;
  /** What most subtasks are. */
  readonly kind: WorkKind;
}

/** What a subtask of the task is expected to take: measured now, measured before, declared, or assumed. */
export function estimateTask(node: TaskNode, { history, probes }: Knowledge): TaskEstimate {
  return probes?.get(node.index) ?? estimateBefore(node.task, history);
}

/** The same before anything of it ran. */
export function estimateBefore(task: TaskDefinition, history: History | undefined): TaskEstimate {
  const known = history?.task(task.hash);
  if (known !== undefined)
    return {
      seconds: known.meanSeconds,
      cpuShare: known.cpuShare,
      longest: known.longestSeconds,
      usual: known.medianSeconds,
      source: 'history',
    };
  const { estimateMs } = task;
  if (estimateMs !== undefined) return { seconds: estimateMs / 1000, cpuShare: undefined, source: 'estimate' };
  return { seconds: ASSUMED_SUBTASK_MS / 1000, cpuShare: undefined, source: 'assumed' };
}

/**
 * Sums a plan's work up. `counts` holds the subtasks of each task by its position in the graph; a task
 * that is not in it, a fan-out whose items the run will tell, counts as one subtask.
 */
export function summarizeWorkload(
  graph: TaskGraph,
  waves: readonly Wave[],
  counts: ReadonlyMap<number, number>,
  knowledge: Knowledge = {},
): Workload {
  const works = waves.map((wave) => waveWork(wave, counts, knowledge));
  const subtasks = works.reduce((sum, wave) => sum + wave.subtasks, 0);
  const seconds = works.reduce((sum, wave) => sum + wave.subtasks * wave.seconds, 0);
  const sources = new Set(graph.nodes.map((node) => estimateTask(node, knowledge).source));
  return {
    subtasks,
    widestWave: works.reduce((widest, wave) => Math.max(widest, wave.subtasks), 0),
    waves: works,
    averageMinutes: subtasks === 0 ? 0 : seconds / 60 / subtasks,
    averageSource: SOURCES.findLast((source) => sources.has(source)) ?? 'estimate',
    kind: kindOf(graph.nodes, counts),
  };
}

function waveWork(wave: Wave, counts: ReadonlyMap<number, number>, knowledge: Knowledge): WaveWork {
  let subtasks = 0;
  let seconds = 0;
  let busySeconds: number | undefined = 0;
  let longest = 0;
  let usual = 0;
  let isMeasuredNow = false;
  for (const node of wave.nodes) {
    const count = counts.get(node.index) ?? 1;
    const estimate = estimateTask(node, knowledge);
    isMeasuredNow ||= estimate.source === 'probe';
    longest = Math.max(longest, estimate.longest ?? 0);
    usual += count * (estimate.usual ?? estimate.seconds);
    subtasks += count;
    seconds += count * estimate.seconds;
    if (estimate.cpuShare === undefined) busySeconds = undefined;
    else if (busySeconds !== undefined) busySeconds += count * estimate.seconds * estimate.cpuShare;
  }
  const cost = knowledge.costs?.[kindOf(wave.nodes, counts)];
  const key = waveKey(wave.nodes.map(({ task }) => task));
  // What was seen of the wave was seen of work as the history has it.
  const seen = isMeasuredNow ? undefined : knowledge.history;
  const extraSeconds = seen?.extraSeconds(key) ?? 0;
  const usefulAgents = seen?.usefulAgents(key);
  return {
    subtasks,
    seconds: subtasks === 0 ? 0 : seconds / subtasks,
    ...(busySeconds !== undefined && seconds > 0 && { cpuShare: busySeconds / seconds }),
    ...(cost !== undefined && { cost }),
    ...(longest > 0 && subtasks > 0 && { longest, usual: usual / subtasks }),
    ...(extraSeconds !== 0 && { extraSeconds }),
    ...(usefulAgents !== undefined && { usefulAgents }),
  };
}

/** Under which a wave's records stand in the history. */
export function waveKey(tasks: readonly TaskDefinition[]): string {
  return contentHash(tasks.map(({ hash }) => hash).join(' '));
}

function kindOf(nodes: readonly TaskNode[], counts: ReadonlyMap<number, number>): WorkKind {
  const size = (of: readonly TaskNode[]) => of.reduce((sum, node) => sum + (counts.get(node.index) ?? 1), 0);
  const modules = nodes.filter(({ task }) => !startsCommand(task.work));
  return 2 * size(modules) >= size(nodes) ? 'modules' : 'commands';
}
