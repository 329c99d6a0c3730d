import type { FailureKind } from '../model/failure.js';
import type { FailureAssessment } from '../model/failure-assessment.js';
import type { Backup, PoolUse, RunStatus, WaveCheck, WaveMeasures } from '../model/run-event.js';
import type { ScalingDecision, ScalingMode } from '../model/scaling-decision.js';
import type { BarrierCost } from './barrier-cost.js';
import type { RunScore, WaveScore } from './score.js';

/** How many subtasks ended in which way. */
export interface OutcomeCounts {
  readonly success: number;
  readonly failed: number;
  readonly skipped: number;
  /** Of `success`: those that needed more than one attempt, which the panel calls tasks with warnings. */
  readonly retried: number;
}

/** One wave of a run, as far as it got. */
export interface WaveSummary extends OutcomeCounts {
  readonly number: number;
  readonly name: string;
  /** 0 when it never started. */
  readonly agents: number;
  readonly subtasks: number;
  /** Absent when it never ended. */
  readonly durationMs: number | undefined;
  /** Absent when it was never checked. */
  readonly check: WaveCheck | undefined;
  /** What its tasks found. */
  readonly findings: readonly string[];
  /** What it was expected to take when it started; absent when nobody predicted. */
  readonly predictedSeconds: number | undefined;
  /** Absent when it never ended, or nobody measured. */
  readonly measured: WaveMeasures | undefined;
  readonly agentsChanges: AgentsChanges;
  /** Its prediction against what it took; absent when it was not predicted or never ended. */
  readonly score: WaveScore | undefined;
}

/** How the number of agents followed the work of a wave. */
export interface AgentsChanges {
  readonly count: number;
  /** The first few. */
  readonly first: readonly AgentsChange[];
}

/** One change of the number of agents while a wave ran. */
export interface AgentsChange {
  readonly from: number;
  readonly to: number;
  readonly reason: string;
}

/** One task of a run, over all its subtasks. Durations are of the last attempts, in milliseconds. */
export interface TaskSummary extends OutcomeCounts {
  readonly id: string;
  readonly wave: number;
  readonly fanOut: boolean;
  /** Absent when its fan-out never expanded. */
  readonly subtasks: number | undefined;
  readonly busyMs: number;
  /** Absent, like the next four, when no subtask ended. */
  readonly minMs: number | undefined;
  readonly meanMs: number | undefined;
  /** To within 1%. */
  readonly medianMs: number | undefined;
  /** Between the quarter that was fastest and the quarter that was slowest, each bound to within 1%. */
  readonly quartileRangeMs: number | undefined;
  readonly maxMs: number | undefined;
  /** What the task itself says: the `summary` of its result. */
  readonly says: readonly string[];
  /** Why the task as a whole did not run, in words; absent where it ran, or only some of its subtasks were skipped. */
  readonly skippedBecause: string | undefined;
}

/** Failures of one cause: the same kind, exit code and signal, and the same message but for numbers. */
export interface FailureGroup {
  readonly kind: FailureKind;
  /** The first line of their message, with `N` for each number if they differ. */
  readonly message: string;
  readonly count: number;
  /** The first few subtasks. */
  readonly subtasks: readonly string[];
  /** The ends of what the first few commands among them printed. */
  readonly outputs: readonly FailureLog[];
}

/** The end of what a failed subtask said: text as it came, to be made inert by whoever shows it. */
export interface FailureLog {
  readonly subtask: string;
  readonly text: string;
}

/** A task under `finally`. */
export interface FinallySummary {
  readonly task: string;
  readonly success: boolean;
  readonly durationMs: number;
  /** Absent when it succeeded. */
  readonly message: string | undefined;
}

/** Something that the user should know went wrong, or nearly. */
export interface Issue {
  readonly severity: 'error' | 'warning';
  readonly text: string;
}

/** What to do next, and the fact that it follows from. */
export interface Recommendation {
  readonly action: string;
  readonly reason: string;
}

/** A point of the methodology's execution checklist, with the fact that settles it. */
export interface ChecklistPoint {
  readonly point: string;
  readonly done: boolean | 'not applicable';
  readonly evidence: string;
}

/** The facts of a run, folded from its events. Bounded: its size follows the plan, not the number of subtasks. */
export interface RunFacts {
  /** Absent, like other facts of the start, when the start is not among the events. */
  readonly run: string | undefined;
  readonly plan: string | undefined;
  readonly task: string | undefined;
  readonly methodologyHash: string | undefined;
  readonly confirmed: 'prompt' | 'flag' | 'library' | undefined;
  readonly mode: ScalingMode | undefined;
  /** The last one taken. */
  readonly decision: ScalingDecision | undefined;
  readonly redecisions: readonly { readonly wave: number; readonly agents: number; readonly reason: string }[];
  readonly status: RunStatus | 'running';
  readonly reason: string;
  readonly events: number;
  readonly waves: readonly WaveSummary[];
  readonly tasks: readonly TaskSummary[];
  readonly totals: OutcomeCounts;
  /** Attempts that failed and were made again. */
  readonly retries: number;
  /** Subtasks that were finished before the run was resumed. */
  readonly resumed: number;
  /** The passes in which something failed, with the diagnosis and the response; the first few. */
  readonly assessments: readonly FailureAssessment[];
  readonly backup: Backup | undefined;
  readonly backupMs: number | undefined;
  readonly finally: readonly FinallySummary[];
  readonly failures: readonly FailureGroup[];
  /** Failures beyond the causes that are listed. */
  readonly otherFailures: number;
  readonly warnings: readonly string[];
  readonly otherWarnings: number;
  /** Of the whole run; of a run that has not ended, so far. */
  readonly totalMs: number;
  /** Sum of the ended waves' durations; in an eager run, whose waves overlap, from the first start to the last end. */
  readonly wavesMs: number;
  /** What the barriers between waves cost; absent in an eager run, and where there is no barrier. */
  readonly barrier: BarrierCost | undefined;
  /** Sum of the subtasks' durations: what one agent would have needed, but for its waiting. */
  readonly baselineMs: number;
  /** Negative when the run took longer than its subtasks one after another. */
  readonly timeSavedMs: number;
  /** Share of the baseline that was saved; absent when no work was done. */
  readonly efficiency: number | undefined;
  /** Agents seen at work: at one moment (`observed`), or in one wave where no starts were recorded (`wave`). */
  readonly peak: { readonly agents: number; readonly source: 'observed' | 'wave' };
  readonly agentsPlanned: number | undefined;
  readonly predictedSeconds: number | undefined;
  /** That the run could use; absent when the record does not tell. */
  readonly cores: number | undefined;
  /** The run's prediction against what it took; absent when nothing was predicted, or nothing of it ended. */
  readonly score: RunScore | undefined;
  /** The plan's pools, and what was seen of each. */
  readonly pools: readonly PoolUse[];
}

/** A run's report as data; the panel, JSON and Markdown show it. */
export interface RunSummary extends RunFacts {
  readonly outcomes: readonly string[];
  readonly issues: readonly Issue[];
  readonly recommendations: readonly Recommendation[];
  readonly checklist: readonly ChecklistPoint[];
}
