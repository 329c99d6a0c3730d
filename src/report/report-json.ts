import type { Backup, PoolUse } from '../model/run-event.js';
import type { ScalingDecision } from '../model/scaling-decision.js';
import type { BarrierCost } from './barrier-cost.js';
import type { Hindsight } from './hindsight.js';
import type { ChecklistPoint, FailureGroup, FinallySummary, Issue, Recommendation, RunSummary } from './run-summary.js';
import type { PredictionScore, RunScore } from './score.js';

/** A run's report for programs: `report.json`. Field names are a contract; absent figures are null, never left out. Durations in milliseconds unless a name says otherwise. */
export interface ReportJson {
  readonly version: 1;
  readonly run: string | null;
  readonly plan: string | null;
  readonly task: string | null;
  readonly status: RunSummary['status'];
  readonly reason: string;
  readonly mode: string | null;
  readonly methodologyHash: string | null;
  readonly decision: DecisionJson | null;
  readonly redecisions: RunSummary['redecisions'];
  readonly statistics: {
    readonly totalWaves: number;
    readonly totalTasks: number;
    readonly subtasks: { readonly success: number; readonly failed: number; readonly skipped: number; readonly retried: number };
    readonly retries: number;
    /** Finished before the run was resumed. */
    readonly resumed: number;
    readonly peakAgents: number;
    readonly peakAgentsSource: 'observed' | 'wave';
    readonly agentsPlanned: number | null;
    readonly totalMs: number | null;
    readonly wavesMs: number | null;
    readonly sequentialBaselineMs: number | null;
    readonly timeSavedMs: number | null;
    /** Share of the baseline that was saved, from 0 to 1; negative when the run was slower. */
    readonly efficiency: number | null;
    readonly predictedSeconds: number | null;
  };
  /** What the barriers between waves cost, in seconds; null in an eager run, and where there is none. */
  readonly barrier: BarrierCost | null;
  /** The plan's pools: limits, the most that was held at once, and starts. */
  readonly pools: readonly PoolUse[];
  /** The run's prediction against what came of it; null where nothing was predicted, or nothing of it ended. */
  readonly prediction: PredictionJson | null;
  readonly backup: (Backup & { readonly durationMs: number | null }) | null;
  readonly waves: readonly WaveJson[];
  readonly tasks: readonly TaskJson[];
  readonly finally: readonly (Omit<FinallySummary, 'message'> & { readonly message: string | null })[];
  readonly outcomes: readonly string[];
  readonly failures: readonly Omit<FailureGroup, 'outputs'>[];
  readonly otherFailures: number;
  /** Passes with failures: how bad, the diagnosis with its evidence, the response. */
  readonly assessments: RunSummary['assessments'];
  readonly warnings: readonly string[];
  readonly otherWarnings: number;
  readonly issues: readonly Issue[];
  readonly recommendations: readonly Recommendation[];
  readonly checklist: readonly ChecklistPoint[];
}

/** A prediction against what came of it, in seconds; what the figures are is said at `PredictionScore`. */
interface ScoreJson {
  readonly predictedSeconds: number | null;
  readonly actualSeconds: number | null;
  /** |predicted − actual| / actual. */
  readonly errorShare: number | null;
  readonly overhead: {
    readonly predictedSeconds: number | null;
    readonly actualSeconds: number | null;
    readonly agentSeconds: number | null;
    readonly share: number | null;
  };
  readonly roi: { readonly predicted: number | null; readonly actual: number | null };
  readonly idleSeconds: number | null;
  readonly hindsight: Hindsight | null;
}

interface PredictionJson extends ScoreJson {
  readonly basis: RunScore['basis'];
  readonly waves: readonly (ScoreJson & { readonly wave: number; readonly name: string })[];
}

/** The decision with `requested` as null where the user asked for no number. */
type DecisionJson = Omit<ScalingDecision, 'requested'> & { readonly requested: number | null };

interface WaveJson {
  readonly number: number;
  readonly name: string;
  readonly agents: number;
  readonly subtasks: number;
  readonly success: number;
  readonly failed: number;
  readonly skipped: number;
  readonly retried: number;
  readonly durationMs: number | null;
  readonly check: RunSummary['waves'][number]['check'] | null;
  readonly findings: readonly string[];
  readonly predictedSeconds: number | null;
  readonly measured: RunSummary['waves'][number]['measured'] | null;
  readonly agentsChanges: RunSummary['waves'][number]['agentsChanges'];
}

interface TaskJson {
  readonly id: string;
  readonly wave: number;
  readonly fanOut: boolean;
  readonly subtasks: number | null;
  readonly success: number;
  readonly failed: number;
  readonly skipped: number;
  readonly retried: number;
  readonly busyMs: number | null;
  readonly minMs: number | null;
  readonly medianMs: number | null;
  readonly meanMs: number | null;
  readonly quartileRangeMs: number | null;
  readonly maxMs: number | null;
  readonly summary: readonly string[];
  readonly skippedBecause: string | null;
}

/** The report as data with stable names. Print it with `inertJson`. */
export function toReportJson(summary: RunSummary): ReportJson {
  const { decision, backup } = summary;
  return {
    version: 1,
    run: summary.run ?? null,
    plan: summary.plan ?? null,
    task: summary.task ?? null,
    status: summary.status,
    reason: summary.reason,
    mode: summary.mode ?? null,
    methodologyHash: summary.methodologyHash ?? null,
    decision: decision === undefined ? null : { ...decision, requested: decision.requested ?? null },
    redecisions: summary.redecisions,
    statistics: {
      totalWaves: summary.waves.length,
      totalTasks: summary.tasks.length,
      subtasks: summary.totals,
      retries: summary.retries,
      resumed: summary.resumed,
      peakAgents: summary.peak.agents,
      peakAgentsSource: summary.peak.source,
      agentsPlanned: summary.agentsPlanned ?? null,
      totalMs: finite(summary.totalMs),
      wavesMs: finite(summary.wavesMs),
      sequentialBaselineMs: finite(summary.baselineMs),
      timeSavedMs: finite(summary.timeSavedMs),
      efficiency: finite(summary.efficiency),
      predictedSeconds: finite(summary.predictedSeconds),
    },
    barrier: summary.barrier ?? null,
    pools: summary.pools,
    prediction: summary.score === undefined ? null : predictionJson(summary.score),
    backup: backup === undefined ? null : { ...backup, durationMs: finite(summary.backupMs) },
    waves: summary.waves.map((wave) => ({
      number: wave.number,
      name: wave.name,
      agents: wave.agents,
      subtasks: wave.subtasks,
      success: wave.success,
      failed: wave.failed,
      skipped: wave.skipped,
      retried: wave.retried,
      durationMs: finite(wave.durationMs),
      check: wave.check ?? null,
      findings: wave.findings,
      predictedSeconds: finite(wave.predictedSeconds),
      measured: wave.measured ?? null,
      agentsChanges: wave.agentsChanges,
    })),
    tasks: summary.tasks.map((task) => ({
      id: task.id,
      wave: task.wave,
      fanOut: task.fanOut,
      subtasks: task.subtasks ?? null,
      success: task.success,
      failed: task.failed,
      skipped: task.skipped,
      retried: task.retried,
      busyMs: finite(task.busyMs),
      minMs: finite(task.minMs),
      medianMs: finite(task.medianMs),
      meanMs: finite(task.meanMs),
      quartileRangeMs: finite(task.quartileRangeMs),
      maxMs: finite(task.maxMs),
      summary: task.says,
      skippedBecause: task.success + task.failed > 0 ? null : (task.skippedBecause ?? null),
    })),
    finally: summary.finally.map((task) => ({ ...task, message: task.message ?? null })),
    outcomes: summary.outcomes,
    failures: summary.failures.map(({ outputs: _, ...group }) => group),
    otherFailures: summary.otherFailures,
    assessments: summary.assessments,
    warnings: summary.warnings,
    otherWarnings: summary.otherWarnings,
    issues: summary.issues,
    recommendations: summary.recommendations,
    checklist: summary.checklist,
  };
}

function predictionJson(score: RunScore): PredictionJson {
  return {
    basis: score.basis,
    ...scoreJson(score),
    waves: score.waves.map((wave) => ({ wave: wave.wave, name: wave.name, ...scoreJson(wave) })),
  };
}

function scoreJson({ overhead, roi, ...score }: PredictionScore): ScoreJson {
  return {
    predictedSeconds: finite(score.predictedSeconds),
    actualSeconds: finite(score.actualSeconds),
    errorShare: finite(score.errorShare),
    overhead: {
      predictedSeconds: finite(overhead.predictedSeconds),
      actualSeconds: finite(overhead.actualSeconds),
      agentSeconds: finite(overhead.agentSeconds),
      share: finite(overhead.share),
    },
    roi: { predicted: finite(roi.predicted), actual: finite(roi.actual) },
    idleSeconds: finite(score.idleSeconds),
    hindsight: score.hindsight ?? null,
  };
}

function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}
