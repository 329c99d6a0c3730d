import type { DependencyClass } from '../graph/task-graph.js';
import type { TaskOutline, WaveOutline } from '../model/run-event.js';
import type { ScalingDecision, TaskType } from '../model/scaling-decision.js';
import type { EstimateSource } from '../scaling/workload.js';

/** A wave as planned, with what it is expected to need. */
export interface WaveAnalysis extends WaveOutline {
  /** Agents that will have work at once. */
  readonly agents: number;
  /** Absent while a fan-out's size, or a task's duration, is not known. */
  readonly predictedMinutes: number | undefined;
}

/** A fan-out whose size only the run tells. */
export interface ExpandingTask {
  readonly task: string;
  /** The wave after which its items are known. */
  readonly afterWave: number;
}

/** The same work on this machine and on others. Predicted seconds. */
export interface OtherMachines {
  /** Where it is about to run. */
  readonly on: 'this' | 'workers';
  /** Workers: those that are there, or one more machine like this one. */
  readonly workers: number;
  readonly here: { readonly agents: number; readonly seconds: number };
  readonly there: { readonly agents: number; readonly seconds: number };
}

/** Everything that is shown before a run starts. Plain data, so that the panel and `plan --json` agree. */
export interface PlanAnalysis {
  /** What the user asked for, in their words. */
  readonly task: string;
  /** The shape of the graph, or a name for it. */
  readonly pattern: string;
  /** Subtasks known before the run; with `expanding`, a lower bound. */
  readonly subtasks: number;
  readonly expanding: readonly ExpandingTask[];
  readonly dependencies: DependencyClass;
  readonly type: TaskType;
  /** Minutes per subtask, and where they come from; the worst source of any task's. */
  readonly average: { readonly minutes: number | undefined; readonly source: EstimateSource };
  readonly decision: ScalingDecision;
  readonly waves: readonly WaveAnalysis[];
  readonly backup: 'commit' | 'ref' | 'none';
  /** Run after the waves, whatever happened. */
  readonly finally: readonly TaskOutline[];
  /** For all waves, in seconds; absent while something is not known. */
  readonly predictedSeconds: number | undefined;
  /** All known subtasks one after another; absent where no duration is known. */
  readonly sequentialMinutes: number | undefined;
  /** What the same plan is predicted to take elsewhere; absent where nobody knows what that costs, or how much work there is. */
  readonly otherMachines?: OtherMachines;
  /** The most agents that work at once, and in which wave. */
  readonly peak: { readonly agents: number; readonly wave: number };
  /** Waves of tasks; the backup, wave 0, is not counted. */
  readonly totalWaves: number;
}
