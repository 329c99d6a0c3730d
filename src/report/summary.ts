import type { RunEvent, RunObservations, RunStatus } from '../model/run-event.js';
import { type BarrierCost, type BarrierWave, barrierCost } from './barrier-cost.js';
import { executionChecklist } from './checklist.js';
import { savedShare } from './figures.js';
import { issuesOf, keyOutcomes, taskOutcome } from './outcomes.js';
import { recommendationsOf } from './recommendations.js';
import type { RunFacts, RunSummary, TaskSummary, WaveSummary } from './run-summary.js';
import { RunTally, type TaskTally, type WaveTally } from './run-tally.js';
import { isAmount, type RunScore, scoreRun } from './score.js';

/** What a report needs to know beyond the events. */
export interface SummaryOptions {
  /** Whether the analysis was shown before the run; absent when the caller does not know. */
  readonly planShown?: boolean;
}

/**
 * Folds a run's events, one at a time, into its report; live or from disk, the same events give the same report.
 * A million subtasks take no more memory than a hundred: tasks, waves and causes are counted, subtasks are not kept.
 */
export function createSummary(options: SummaryOptions = {}): SummaryFold {
  return new SummaryFold(options.planShown);
}

/** A report in the making; `result` may be asked for at any moment. */
export class SummaryFold {
  readonly #planShown: boolean | undefined;
  readonly #tally = new RunTally();

  constructor(planShown: boolean | undefined) {
    this.#planShown = planShown;
  }

  /** Takes the next event, in the order of the run. */
  add(event: RunEvent): void {
    this.#tally.add(event);
  }

  /** What only the fold of a live run can know, for the run's last event. */
  get observed(): RunObservations {
    const { events, agents } = this.#tally;
    return { events, peakAgents: agents.peak.source === 'observed' ? agents.peak.agents : 0 };
  }

  /** The report of what has been folded so far. */
  result(): RunSummary {
    const facts = factsOf(this.#tally);
    return {
      ...facts,
      outcomes: keyOutcomes(facts),
      issues: issuesOf(facts),
      recommendations: recommendationsOf(facts),
      checklist: executionChecklist(facts, this.#tally.started?.planShown ?? this.#planShown),
    };
  }
}

const MOST_FINDINGS = 8;

function factsOf(tally: RunTally): RunFacts {
  const { started, finished } = tally;
  const cores = isAmount(started?.cores) && started.cores >= 1 ? started.cores : undefined;
  const score = scoreOf(tally, cores);
  const waves = waveSummaries(tally, score);
  const totalMs = Math.max(0, finished?.durationMs ?? tally.lastAt - (tally.firstAt ?? tally.lastAt));
  const baselineMs = tally.baselineUs / 1000;
  const status: RunStatus | 'running' = finished?.status ?? 'running';
  return {
    run: started?.run,
    plan: started?.plan,
    task: started?.task,
    methodologyHash: started?.methodologyHash,
    confirmed: started?.confirmed,
    mode: tally.decision?.mode,
    decision: tally.decision,
    redecisions: [...tally.redecisions],
    status,
    reason: finished?.reason ?? '',
    events: tally.events,
    waves,
    tasks: [...tally.tasks.entries()].map(([id, state]) => taskSummary(id, state)),
    totals: { ...tally.totals },
    retries: tally.retries,
    resumed: tally.resumed,
    assessments: [...tally.assessments],
    backup: tally.backup?.backup,
    backupMs: tally.backup?.durationMs,
    finally: [...tally.finally],
    failures: tally.failures.groups(),
    otherFailures: tally.failures.others,
    warnings: [...tally.warnings],
    otherWarnings: tally.otherWarnings,
    totalMs,
    wavesMs: wavesTime(tally),
    barrier: barrierOf(tally),
    baselineMs,
    timeSavedMs: baselineMs - totalMs,
    efficiency: savedShare(baselineMs, totalMs),
    peak: tally.agents.peak,
    agentsPlanned: tally.decision?.decided.agents,
    predictedSeconds: started?.predictedSeconds,
    cores,
    score,
    pools: tally.pools,
  };
}

/** Waves of an eager run overlap: their time is that between the first start and the last end. */
function wavesTime(tally: RunTally): number {
  const waves = [...tally.waves.values()].filter(({ durationMs }) => durationMs !== undefined);
  if (tally.started?.sync !== 'eager') return waves.reduce((sum, { durationMs = 0 }) => sum + durationMs, 0);
  const starts = waves.flatMap(({ startedAt }) => startedAt ?? []);
  const ends = waves.map(({ startedAt = 0, durationMs = 0 }) => startedAt + durationMs);
  return starts.length === 0 ? 0 : Math.max(0, Math.max(...ends) - Math.min(...starts));
}

function barrierOf(tally: RunTally): BarrierCost | undefined {
  if (tally.started?.sync === 'eager') return undefined;
  const tasks = [...tally.tasks].map(([id, { needs, spread }]) => {
    return { id, needs, subtasks: spread.count, meanMs: spread.mean };
  });
  const waves = wavesInOrder(tally).flatMap(([, { time, workMs, startedAt = 0, measured }]): BarrierWave[] => {
    if (time === undefined || measured === undefined) return [];
    const { busySeconds, idleSeconds, leadSeconds = 0 } = measured;
    const agentMs = time.total(workMs, startedAt + workMs);
    return [
      {
        agents: Math.max(1, time.agents),
        workMs,
        leadAgentMs: 1000 * leadSeconds,
        besideAgentMs: agentMs - 1000 * (busySeconds + idleSeconds + leadSeconds),
      },
    ];
  });
  return barrierCost(tasks, waves, tally.betweenMs);
}

function scoreOf(tally: RunTally, cores: number | undefined): RunScore | undefined {
  return scoreRun({
    decision: tally.started?.decision,
    predictedSeconds: tally.started?.predictedSeconds,
    cores,
    waves: wavesInOrder(tally).map(([number, wave]) => ({
      number,
      name: wave.name,
      predictedSeconds: wave.predictedSeconds,
      durationMs: wave.durationMs,
      agentMs: wave.agentMs,
      subtasks: wave.counts.success + wave.counts.failed,
      measured: wave.measured,
      decision: wave.decision,
    })),
  });
}

function wavesInOrder(tally: RunTally): readonly (readonly [number, WaveTally])[] {
  return [...tally.waves.entries()].sort(([a], [b]) => a - b);
}

function waveSummaries(tally: RunTally, score: RunScore | undefined): readonly WaveSummary[] {
  const scores = new Map(score?.waves.map((wave) => [wave.wave, wave]));
  const tasksOf = new Map<number, TaskSummary[]>();
  for (const [id, state] of tally.tasks) {
    const list = tasksOf.get(state.wave);
    if (list === undefined) tasksOf.set(state.wave, [taskSummary(id, state)]);
    else list.push(taskSummary(id, state));
  }
  return wavesInOrder(tally).map(([number, wave]) => {
    const tasks = tasksOf.get(number) ?? [];
    const expanded = tasks.reduce((sum, task) => sum + (task.subtasks ?? 0), 0);
    const ended = wave.counts.success + wave.counts.failed + wave.counts.skipped;
    return {
      number,
      name: wave.name,
      agents: wave.agents,
      subtasks: Math.max(wave.planned, expanded, ended),
      ...wave.counts,
      durationMs: wave.durationMs,
      check: wave.check,
      findings: tasks.flatMap(taskOutcome).slice(0, MOST_FINDINGS),
      predictedSeconds: wave.predictedSeconds,
      measured: wave.measured,
      agentsChanges: { count: wave.changes, first: [...wave.firstChanges] },
      score: scores.get(number),
    };
  });
}

function taskSummary(id: string, state: TaskTally): TaskSummary {
  const { spread } = state;
  return {
    id,
    wave: state.wave,
    fanOut: state.fanOut,
    subtasks: state.subtasks,
    ...state.counts,
    busyMs: spread.sum,
    minMs: spread.min,
    meanMs: spread.mean,
    medianMs: spread.median,
    quartileRangeMs: spread.quartileRange,
    maxMs: spread.max,
    says: state.says,
    skippedBecause: state.skippedBecause,
  };
}
