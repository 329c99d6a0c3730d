/** What a plan's work is, which decides the resource that limits it. */
export type TaskType =
  | 'file_operations'
  | 'api_calls'
  | 'computation'
  | 'network_operations'
  | 'database_operations'
  | 'code_analysis'
  | 'general';

export const TASK_TYPES: readonly TaskType[] = [
  'file_operations',
  'api_calls',
  'computation',
  'network_operations',
  'database_operations',
  'code_analysis',
  'general',
];

/** Who chose the number of agents: we, or the user. */
export type ScalingMode = 'AUTOMATIC_SCALING' | 'USER_OVERRIDE';

/** The rule of the formula that settled its number. */
export type FormulaPhase = 'sequential' | 'find_optimal' | 'task_type' | 'micro_task' | 'long_task';

/** What the return on the coordination overhead is worth: above 100, above 10, above 2, else. */
export type RoiBand = 'EXCELLENT' | 'GOOD' | 'MARGINAL' | 'POOR';

/** What bounds how many agents this machine, or the workers on others, carry. */
export type CapacityLimit = 'cores' | 'memory' | 'iops' | 'connections' | 'rate' | 'workers';

/** Seconds of coordination per agent, and where the figure comes from. */
export interface Overhead {
  readonly secondsPerAgent: number;
  /** The fixed cost of a wave, in seconds. */
  readonly secondsPerWave: number;
  readonly source: 'methodology' | 'given' | 'measured';
  /** Where a measured figure comes from: when, how, for which kind of work. */
  readonly origin?: string;
}

/** The return on the coordination overhead of a count of agents. */
export interface Roi {
  readonly agents: number;
  /** Time saved over overhead; -1 for one agent, by the formula. */
  readonly ratio: number;
  readonly band: RoiBand;
  readonly timeSavedMinutes: number;
  readonly overheadMinutes: number;
}

/** How many agents run, and every figure that led there. Minutes, as in the methodology, unless a name says otherwise. */
export interface ScalingDecision {
  readonly mode: ScalingMode;
  readonly subtasks: number;
  /** The most subtasks in one wave. */
  readonly widestWave: number;
  readonly averageMinutes: number;
  readonly type: TaskType;
  readonly overhead: Overhead;
  readonly sequentialMinutes: number;
  readonly formula: { readonly agents: number; readonly phase: FormulaPhase };
  readonly capacity: { readonly agents: number; readonly limit: CapacityLimit; readonly reason: string };
  /** The smallest count at or below formula and capacity whose predicted time is within 2% of the best. */
  readonly fit: { readonly agents: number; readonly seconds: number };
  /** What the user asked for; absent in automatic mode. */
  readonly requested: number | undefined;
  readonly decided: { readonly agents: number; readonly reason: string };
  /** Of the decided count. */
  readonly roi: Roi;
  /** Of the formula's count, which the methodology's cases state. */
  readonly formulaRoi: Roi;
  readonly warnings: readonly string[];
}
