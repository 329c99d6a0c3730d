import { type Checkpoint, toMicroseconds } from '../model/checkpoint.js';
import type { FailureAssessment } from '../model/failure-assessment.js';
import { unreachable } from '../model/result.js';
import type { Backup, PoolUse, RunEvent, WaveCheck, WaveMeasures } from '../model/run-event.js';
import type { ScalingDecision } from '../model/scaling-decision.js';
import { AgentTime } from './agent-time.js';
import { AgentsAtWork } from './agents-at-work.js';
import { DurationSpread } from './duration-spread.js';
import { FailureGroups } from './failure-groups.js';
import { inertFirstLine, inertLine, shorten } from './inert.js';
import type { AgentsChange, FinallySummary, OutcomeCounts } from './run-summary.js';
import { saidBy } from './said-by.js';
import { isAmount } from './score.js';

/**
 * What of a run's events is kept, one event at a time: tasks, waves and causes of failures are counted, subtasks are not
 * kept, so that a million of them take no more memory than a hundred. What it means is the summary's business.
 */
export class RunTally {
  readonly waves = new Map<number, WaveTally>();
  readonly tasks = new Map<string, TaskTally>();
  readonly failures = new FailureGroups();
  readonly agents = new AgentsAtWork();
  readonly warnings: string[] = [];
  readonly finally: FinallySummary[] = [];
  readonly assessments: FailureAssessment[] = [];
  readonly redecisions: { readonly wave: number; readonly agents: number; readonly reason: string }[] = [];
  readonly totals: Counts = noCounts();
  started: Extract<RunEvent, { type: 'run-started' }> | undefined;
  finished: Extract<RunEvent, { type: 'run-finished' }> | undefined;
  backup: { readonly backup: Backup; readonly durationMs: number } | undefined;
  decision: ScalingDecision | undefined;
  /** Between the end of each wave's work and the next wave's beginning. */
  betweenMs = 0;
  pools: readonly PoolUse[] = [];
  otherWarnings = 0;
  retries = 0;
  /** Whole microseconds, as records keep them: exact, and the same in any order. */
  baselineUs = 0;
  resumed = 0;
  events = 0;
  firstAt: number | undefined;
  lastAt = 0;
  /** When the last wave's work was over. */
  #workEndedAt: number | undefined;

  /** Takes the next event, in the order of the run. */
  add(event: RunEvent): void {
    this.events += 1;
    this.firstAt ??= event.at;
    this.lastAt = event.at;
    switch (event.type) {
      case 'run-started':
        this.#start(event);
        return;
      case 'run-resumed':
      case 'records-dropped':
        return;
      case 'failure-assessed':
        if (this.assessments.length < MOST_ASSESSMENTS) this.assessments.push(event);
        return;
      case 'backup-made':
        this.backup = event;
        return;
      case 'decision-taken':
        this.decision = event.decision;
        this.redecisions.push({
          wave: event.wave,
          agents: event.decision.decided.agents,
          reason: inertLine(event.decision.decided.reason),
        });
        this.#changeDecision(event.wave, event.decision);
        return;
      case 'wave-started': {
        const wave = this.#wave(event.wave);
        wave.name = event.name;
        wave.agents = event.agents;
        wave.planned = event.subtasks;
        wave.predictedSeconds = isAmount(event.predictedSeconds) ? event.predictedSeconds : undefined;
        wave.time = new AgentTime(event.agents, event.at);
        wave.startedAt = event.at;
        if (this.#workEndedAt !== undefined) this.betweenMs += Math.max(0, event.at - this.#workEndedAt);
        wave.decision = this.decision;
        this.agents.waveStarted();
        return;
      }
      case 'agents-changed':
        this.#changeAgents(event);
        return;
      case 'task-expanded':
        this.#task(event.task, event.wave).subtasks = event.subtasks;
        return;
      case 'subtask-started':
        this.agents.started(event.agent);
        return;
      case 'subtasks-started':
        this.agents.started(event.agent, event.count);
        return;
      case 'subtasks-returned':
        this.agents.ended(event.agent, event.count);
        return;
      case 'subtasks-finished':
        this.#finishGroup(event);
        return;
      case 'subtasks-up-to-date':
        this.resumed += event.count;
        for (const counts of [this.totals, this.#wave(event.wave).counts, this.#task(event.task, event.wave).counts])
          counts.success += event.count;
        return;
      case 'attempt-failed':
        this.agents.ended(event.agent);
        return;
      case 'subtask-retried':
        this.retries += 1;
        if (event.late !== true) this.agents.ended(event.agent);
        return;
      case 'subtask-finished':
        this.#finish(event);
        return;
      case 'subtask-cancelled':
        this.agents.ended(event.checkpoint.agent_id);
        return;
      case 'subtask-skipped':
        this.agents.ended(event.agent);
        this.totals.skipped += 1;
        this.#wave(event.wave).counts.skipped += 1;
        this.#skip(this.#task(event.task, event.wave), event);
        return;
      case 'wave-finished': {
        const wave = this.#wave(event.wave);
        wave.durationMs = Math.max(0, event.durationMs);
        wave.check = event.check;
        wave.measured = sane(event.measured);
        this.#workEndedAt = event.at - 1000 * (wave.measured?.checkSeconds ?? 0);
        wave.agentMs = wave.time?.total(wave.durationMs, event.at) ?? 0;
        wave.workMs = Math.max(0, this.#workEndedAt - (wave.startedAt ?? event.at));
        return;
      }
      case 'finally-finished':
        this.finally.push(finallySummary(event.task, event.checkpoint));
        return;
      case 'warning':
        if (this.warnings.length < MOST_WARNINGS) this.warnings.push(shorten(inertLine(event.message), 500));
        else this.otherWarnings += 1;
        return;
      case 'pools-observed':
        this.pools = event.pools;
        return;
      case 'run-finished':
        this.finished = event;
        if (event.observed !== undefined) {
          this.agents.observed(event.observed.peakAgents);
          this.events = Math.max(this.events, event.observed.events + 1);
        }
        return;
      default:
        unreachable(event);
    }
  }

  #skip(task: TaskTally, { task: id, subtask, reason }: Extract<RunEvent, { type: 'subtask-skipped' }>): void {
    task.counts.skipped += 1;
    if (subtask === id) task.skippedBecause = shorten(inertLine(reason), 300);
  }

  #start(event: Extract<RunEvent, { type: 'run-started' }>): void {
    this.started = event;
    this.decision = event.decision;
    for (const wave of event.waves) {
      this.#wave(wave.number).name = wave.name;
      for (const task of wave.tasks) {
        const state = this.#task(task.id, wave.number);
        state.fanOut = task.fanOut;
        state.needs = task.needs ?? [];
        state.subtasks = task.subtasks;
      }
    }
  }

  #changeAgents({ wave: number, at, from, to, reason }: Extract<RunEvent, { type: 'agents-changed' }>): void {
    const wave = this.#wave(number);
    wave.time?.change(to, at);
    wave.changes += 1;
    if (wave.firstChanges.length < MOST_CHANGES) wave.firstChanges.push({ from, to, reason: shorten(inertLine(reason), 200) });
  }

  /** A decision in the middle of a wave holds for the rest of it. */
  #changeDecision(number: number, decision: ScalingDecision): void {
    const wave = this.waves.get(number);
    if (wave?.time !== undefined) wave.decision = decision;
  }

  #finish({ task: taskId, checkpoint, resumed, late }: Extract<RunEvent, { type: 'subtask-finished' }>): void {
    const wave = this.#wave(checkpoint.wave);
    const task = this.#task(taskId, checkpoint.wave);
    if (resumed !== undefined) this.resumed += 1;
    else {
      // What was done before the run was resumed took none of the time that is reported.
      if (late !== true) this.agents.ended(checkpoint.agent_id);
      this.agents.reported(checkpoint.agent_id);
      task.spread.add(toMicroseconds(checkpoint.duration_ms));
      this.#addToBaseline(checkpoint.duration_ms);
    }
    const outcome = checkpoint.status === 'success' ? 'success' : 'failed';
    const retried = outcome === 'success' && checkpoint.attempt > 1;
    for (const counts of [this.totals, wave.counts, task.counts]) {
      counts[outcome] += 1;
      if (retried) counts.retried += 1;
    }
    if (outcome === 'failed') {
      this.failures.add(checkpoint.task_id, checkpoint.error ?? UNKNOWN_FAILURE, checkpoint.partial ?? checkpoint.results);
    } else if (!task.fanOut) task.says = saidBy(checkpoint.results);
  }

  #finishGroup({ task: id, wave: number, agent, count, durationsMs }: Extract<RunEvent, { type: 'subtasks-finished' }>): void {
    const task = this.#task(id, number);
    this.agents.ended(agent, count);
    this.agents.reported(agent);
    for (const ms of durationsMs) {
      task.spread.add(toMicroseconds(ms));
      this.#addToBaseline(ms);
    }
    for (const counts of [this.totals, this.#wave(number).counts, task.counts]) counts.success += count;
  }

  #addToBaseline(ms: number): void {
    if (Number.isFinite(ms)) this.baselineUs += Math.round(Math.max(0, ms) * 1000);
  }

  #wave(number: number): WaveTally {
    const known = this.waves.get(number);
    if (known !== undefined) return known;
    const wave: WaveTally = {
      name: `Wave ${number}`,
      agents: 0,
      planned: 0,
      counts: noCounts(),
      startedAt: undefined,
      durationMs: undefined,
      workMs: 0,
      check: undefined,
      predictedSeconds: undefined,
      time: undefined,
      agentMs: 0,
      measured: undefined,
      decision: undefined,
      changes: 0,
      firstChanges: [],
    };
    this.waves.set(number, wave);
    return wave;
  }

  #task(id: string, wave: number): TaskTally {
    const known = this.tasks.get(id);
    if (known !== undefined) return known;
    const task: TaskTally = {
      wave,
      fanOut: true,
      needs: [],
      subtasks: undefined,
      counts: noCounts(),
      spread: new DurationSpread(),
      says: [],
      skippedBecause: undefined,
    };
    this.tasks.set(id, task);
    return task;
  }
}

/** Outcomes, counted up. */
export type Counts = { -readonly [Key in keyof OutcomeCounts]: number };

/** A wave by what its events told. */
export interface WaveTally {
  name: string;
  agents: number;
  planned: number;
  readonly counts: Counts;
  startedAt: number | undefined;
  durationMs: number | undefined;
  /** From when its agents were ready until its last subtask ended. */
  workMs: number;
  check: WaveCheck | undefined;
  predictedSeconds: number | undefined;
  /** Absent until it started. */
  time: AgentTime | undefined;
  agentMs: number;
  measured: WaveMeasures | undefined;
  decision: ScalingDecision | undefined;
  changes: number;
  readonly firstChanges: AgentsChange[];
}

/** A task by what its events told. */
export interface TaskTally {
  readonly wave: number;
  fanOut: boolean;
  needs: readonly string[];
  subtasks: number | undefined;
  readonly counts: Counts;
  readonly spread: DurationSpread;
  says: readonly string[];
  /** There where the task as a whole did not run, and not only some of its subtasks. */
  skippedBecause: string | undefined;
}

const MOST_WARNINGS = 50;
const MOST_ASSESSMENTS = 50;
const MOST_CHANGES = 5;
const UNKNOWN_FAILURE = { kind: 'module', message: 'failed without a message' } as const;

function noCounts(): Counts {
  return { success: 0, failed: 0, skipped: 0, retried: 0 };
}

/** What was measured, if all of it can be: a record from elsewhere may hold anything. */
function sane(measured: WaveMeasures | undefined): WaveMeasures | undefined {
  if (measured === undefined) return undefined;
  const { cpuSeconds, busySeconds, idleSeconds, checkSeconds = 0, leadSeconds = 0 } = measured;
  const known = { cpuSeconds, busySeconds, idleSeconds, checkSeconds, leadSeconds };
  return Object.values(known).every(isAmount) ? known : undefined;
}

function finallySummary(task: string, checkpoint: Checkpoint): FinallySummary {
  const success = checkpoint.status === 'success';
  return {
    task,
    success,
    durationMs: Math.max(0, checkpoint.duration_ms),
    message: success ? undefined : inertFirstLine((checkpoint.error ?? UNKNOWN_FAILURE).message, 300),
  };
}
