import { type Checkpoint, toMicroseconds } from '../model/checkpoint.js';
import type { FailureAssessment } from '../model/failure-assessment.js';
import { isJsonObject, type JsonValue } from '../model/json.js';
import { unreachable } from '../model/result.js';
import type { Backup, PoolUse, RunEvent, RunObservations, RunStatus, WaveCheck, WaveMeasures } from '../model/run-event.js';
import type { ScalingDecision } from '../model/scaling-decision.js';
import { AgentTime } from './agent-time.js';
import { AgentsAtWork } from './agents-at-work.js';
import { type BarrierCost, barrierCost } from './barrier-cost.js';
import { executionChecklist } from './checklist.js';
import { DurationSpread } from './duration-spread.js';
import { FailureGroups } from './failure-groups.js';
import { savedShare } from './figures.js';
import { inertFirstLine, inertLine, shorten } from './inert.js';
import { issuesOf, keyOutcomes, taskOutcome } from './outcomes.js';
import { recommendationsOf } from './recommendations.js';
import type {
  AgentsChange,
  FinallySummary,
  OutcomeCounts,
  RunFacts,
  RunSummary,
  TaskSummary,
  WaveSummary,
} from './run-summary.js';
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
  readonly #waves = new Map<number, WaveState>();
  readonly #tasks = new Map<string, TaskState>();
  readonly #failures = new FailureGroups();
  readonly #agents = new AgentsAtWork();
  readonly #warnings: string[] = [];
  readonly #finally: FinallySummary[] = [];
  readonly #assessments: FailureAssessment[] = [];
  readonly #redecisions: { readonly wave: number; readonly agents: number; readonly reason: string }[] = [];
  readonly #totals: Counts = noCounts();
  #started: Extract<RunEvent, { type: 'run-started' }> | undefined;
  #finished: Extract<RunEvent, { type: 'run-finished' }> | undefined;
  #backup: { readonly backup: Backup; readonly durationMs: number } | undefined;
  #decision: ScalingDecision | undefined;
  /** When the last wave's work was over, and the time between such ends and the next wave's beginning. */
  #workEndedAt: number | undefined;
  #betweenMs = 0;
  #pools: readonly PoolUse[] = [];
  #otherWarnings = 0;
  #retries = 0;
  /** Whole microseconds, as records keep them: exact, and the same in any order. */
  #baselineUs = 0;
  #resumed = 0;
  #events = 0;
  #firstAt: number | undefined;
  #lastAt = 0;

  constructor(planShown: boolean | undefined) {
    this.#planShown = planShown;
  }

  /** Takes the next event, in the order of the run. */
  add(event: RunEvent): void {
    this.#events += 1;
    this.#firstAt ??= event.at;
    this.#lastAt = event.at;
    switch (event.type) {
      case 'run-started':
        this.#start(event);
        return;
      case 'run-resumed':
        return;
      case 'failure-assessed':
        if (this.#assessments.length < MOST_ASSESSMENTS) this.#assessments.push(event);
        return;
      case 'backup-made':
        this.#backup = event;
        return;
      case 'decision-taken':
        this.#decision = event.decision;
        this.#redecisions.push({
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
        if (this.#workEndedAt !== undefined) this.#betweenMs += Math.max(0, event.at - this.#workEndedAt);
        wave.decision = this.#decision;
        this.#agents.waveStarted();
        return;
      }
      case 'agents-changed':
        this.#changeAgents(event);
        return;
      case 'task-expanded':
        this.#task(event.task, event.wave).subtasks = event.subtasks;
        return;
      case 'subtask-started':
        this.#agents.started(event.agent);
        return;
      case 'subtasks-started':
        this.#agents.started(event.agent, event.count);
        return;
      case 'subtasks-returned':
        this.#agents.ended(event.agent, event.count);
        return;
      case 'subtasks-finished':
        this.#finishGroup(event);
        return;
      case 'attempt-failed':
        this.#agents.ended(event.agent);
        return;
      case 'subtask-retried':
        this.#retries += 1;
        if (event.late !== true) this.#agents.ended(event.agent);
        return;
      case 'subtask-finished':
        this.#finish(event);
        return;
      case 'subtask-skipped':
        this.#agents.ended(event.agent);
        this.#totals.skipped += 1;
        this.#wave(event.wave).counts.skipped += 1;
        this.#task(event.task, event.wave).counts.skipped += 1;
        return;
      case 'wave-finished': {
        const wave = this.#wave(event.wave);
        wave.durationMs = Math.max(0, event.durationMs);
        wave.check = event.check;
        wave.measured = sane(event.measured);
        this.#workEndedAt = event.at - 1000 * (wave.measured?.checkSeconds ?? 0);
        wave.agentMs = wave.time?.total(wave.durationMs, event.at) ?? 0;
        return;
      }
      case 'finally-finished':
        this.#finally.push(finallySummary(event.task, event.checkpoint));
        return;
      case 'warning':
        if (this.#warnings.length < MOST_WARNINGS) this.#warnings.push(shorten(inertLine(event.message), 500));
        else this.#otherWarnings += 1;
        return;
      case 'pools-observed':
        this.#pools = event.pools;
        return;
      case 'run-finished':
        this.#finished = event;
        if (event.observed !== undefined) {
          this.#agents.observed(event.observed.peakAgents);
          this.#events = Math.max(this.#events, event.observed.events + 1);
        }
        return;
      default:
        unreachable(event);
    }
  }

  /** What only the fold of a live run can know, for the run's last event. */
  get observed(): RunObservations {
    return { events: this.#events, peakAgents: this.#agents.peak.source === 'observed' ? this.#agents.peak.agents : 0 };
  }

  /** The report of what has been folded so far. */
  result(): RunSummary {
    const facts = this.#facts();
    return {
      ...facts,
      outcomes: keyOutcomes(facts),
      issues: issuesOf(facts),
      recommendations: recommendationsOf(facts),
      checklist: executionChecklist(facts, this.#started?.planShown ?? this.#planShown),
    };
  }

  #start(event: Extract<RunEvent, { type: 'run-started' }>): void {
    this.#started = event;
    this.#decision = event.decision;
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
    const wave = this.#waves.get(number);
    if (wave?.time !== undefined) wave.decision = decision;
  }

  #finish({ task: taskId, checkpoint, resumed, late }: Extract<RunEvent, { type: 'subtask-finished' }>): void {
    const wave = this.#wave(checkpoint.wave);
    const task = this.#task(taskId, checkpoint.wave);
    if (resumed !== undefined) this.#resumed += 1;
    else {
      // What was done before the run was resumed took none of the time that is reported.
      if (late !== true) this.#agents.ended(checkpoint.agent_id);
      this.#agents.reported(checkpoint.agent_id);
      task.spread.add(toMicroseconds(checkpoint.duration_ms));
      this.#addToBaseline(checkpoint.duration_ms);
    }
    const outcome = checkpoint.status === 'success' ? 'success' : 'failed';
    const retried = outcome === 'success' && checkpoint.attempt > 1;
    for (const counts of [this.#totals, wave.counts, task.counts]) {
      counts[outcome] += 1;
      if (retried) counts.retried += 1;
    }
    if (outcome === 'failed') {
      this.#failures.add(checkpoint.task_id, checkpoint.error ?? UNKNOWN_FAILURE, checkpoint.results);
    } else if (!task.fanOut) task.says = saidBy(checkpoint.results);
  }

  #finishGroup({ task: id, wave: number, agent, count, durationsMs }: Extract<RunEvent, { type: 'subtasks-finished' }>): void {
    const task = this.#task(id, number);
    this.#agents.ended(agent, count);
    this.#agents.reported(agent);
    for (const ms of durationsMs) {
      task.spread.add(toMicroseconds(ms));
      this.#addToBaseline(ms);
    }
    for (const counts of [this.#totals, this.#wave(number).counts, task.counts]) counts.success += count;
  }

  #addToBaseline(ms: number): void {
    if (Number.isFinite(ms)) this.#baselineUs += Math.round(Math.max(0, ms) * 1000);
  }

  #facts(): RunFacts {
    const started = this.#started;
    const finished = this.#finished;
    const cores = isAmount(started?.cores) && started.cores >= 1 ? started.cores : undefined;
    const score = this.#score(cores);
    const waves = this.#waveSummaries(score);
    const totalMs = Math.max(0, finished?.durationMs ?? this.#lastAt - (this.#firstAt ?? this.#lastAt));
    const baselineMs = this.#baselineUs / 1000;
    const status: RunStatus | 'running' = finished?.status ?? 'running';
    return {
      run: started?.run,
      plan: started?.plan,
      task: started?.task,
      methodologyHash: started?.methodologyHash,
      confirmed: started?.confirmed,
      mode: this.#decision?.mode,
      decision: this.#decision,
      redecisions: [...this.#redecisions],
      status,
      reason: finished?.reason ?? '',
      events: this.#events,
      waves,
      tasks: [...this.#tasks.entries()].map(([id, state]) => taskSummary(id, state)),
      totals: { ...this.#totals },
      retries: this.#retries,
      resumed: this.#resumed,
      assessments: [...this.#assessments],
      backup: this.#backup?.backup,
      backupMs: this.#backup?.durationMs,
      finally: [...this.#finally],
      failures: this.#failures.groups(),
      otherFailures: this.#failures.others,
      warnings: [...this.#warnings],
      otherWarnings: this.#otherWarnings,
      totalMs,
      wavesMs: this.#wavesMs(),
      barrier: this.#barrier(waves),
      baselineMs,
      timeSavedMs: baselineMs - totalMs,
      efficiency: savedShare(baselineMs, totalMs),
      peak: this.#agents.peak,
      agentsPlanned: this.#decision?.decided.agents,
      predictedSeconds: started?.predictedSeconds,
      cores,
      score,
      pools: this.#pools,
    };
  }

  /** Waves of an eager run overlap: their time is that between the first start and the last end. */
  #wavesMs(): number {
    const waves = [...this.#waves.values()].filter(({ durationMs }) => durationMs !== undefined);
    if (this.#started?.sync !== 'eager') return waves.reduce((sum, { durationMs = 0 }) => sum + durationMs, 0);
    const starts = waves.flatMap(({ startedAt }) => startedAt ?? []);
    const ends = waves.map(({ startedAt = 0, durationMs = 0 }) => startedAt + durationMs);
    return starts.length === 0 ? 0 : Math.max(0, Math.max(...ends) - Math.min(...starts));
  }

  #barrier(waves: readonly WaveSummary[]): BarrierCost | undefined {
    if (this.#started?.sync === 'eager') return undefined;
    const agents = new Map(waves.map((wave) => [wave.number, wave.agents]));
    const tasks = [...this.#tasks].map(([id, { wave, needs, counts, spread }]) => {
      const subtasks = counts.success + counts.failed;
      return { id, wave, needs, subtasks, meanMs: spread.mean };
    });
    return barrierCost(tasks, (wave) => Math.max(1, agents.get(wave) ?? 1), this.#betweenMs / 1000);
  }

  #score(cores: number | undefined): RunScore | undefined {
    return scoreRun({
      decision: this.#started?.decision,
      predictedSeconds: this.#started?.predictedSeconds,
      cores,
      waves: this.#wavesInOrder().map(([number, wave]) => ({
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

  #wavesInOrder(): readonly (readonly [number, WaveState])[] {
    return [...this.#waves.entries()].sort(([a], [b]) => a - b);
  }

  #waveSummaries(score: RunScore | undefined): readonly WaveSummary[] {
    const scores = new Map(score?.waves.map((wave) => [wave.wave, wave]));
    const tasksOf = new Map<number, TaskSummary[]>();
    for (const [id, state] of this.#tasks) {
      const list = tasksOf.get(state.wave);
      if (list === undefined) tasksOf.set(state.wave, [taskSummary(id, state)]);
      else list.push(taskSummary(id, state));
    }
    return this.#wavesInOrder().map(([number, wave]) => {
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

  #wave(number: number): WaveState {
    const known = this.#waves.get(number);
    if (known !== undefined) return known;
    const wave: WaveState = {
      name: `Wave ${number}`,
      agents: 0,
      planned: 0,
      counts: noCounts(),
      startedAt: undefined,
      durationMs: undefined,
      check: undefined,
      predictedSeconds: undefined,
      time: undefined,
      agentMs: 0,
      measured: undefined,
      decision: undefined,
      changes: 0,
      firstChanges: [],
    };
    this.#waves.set(number, wave);
    return wave;
  }

  #task(id: string, wave: number): TaskState {
    const known = this.#tasks.get(id);
    if (known !== undefined) return known;
    const task: TaskState = {
      wave,
      fanOut: true,
      needs: [],
      subtasks: undefined,
      counts: noCounts(),
      spread: new DurationSpread(),
      says: [],
    };
    this.#tasks.set(id, task);
    return task;
  }
}

type Counts = { -readonly [Key in keyof OutcomeCounts]: number };

interface WaveState {
  name: string;
  agents: number;
  planned: number;
  readonly counts: Counts;
  startedAt: number | undefined;
  durationMs: number | undefined;
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

interface TaskState {
  readonly wave: number;
  fanOut: boolean;
  needs: readonly string[];
  subtasks: number | undefined;
  readonly counts: Counts;
  readonly spread: DurationSpread;
  says: readonly string[];
}

const MOST_WARNINGS = 50;
const MOST_ASSESSMENTS = 50;
const MOST_FINDINGS = 8;
const MOST_SAID = 10;
/** A command's output beyond this is data, not a word to its user. */
const MOST_OUTPUT = 200;
const MOST_CHANGES = 5;
const UNKNOWN_FAILURE = { kind: 'module', message: 'failed without a message' } as const;

function noCounts(): Counts {
  return { success: 0, failed: 0, skipped: 0, retried: 0 };
}

function taskSummary(id: string, state: TaskState): TaskSummary {
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
  };
}

/** What was measured, if all of it can be: a record from elsewhere may hold anything. */
function sane(measured: WaveMeasures | undefined): WaveMeasures | undefined {
  if (measured === undefined) return undefined;
  const { cpuSeconds, busySeconds, idleSeconds, checkSeconds = 0 } = measured;
  const known = { cpuSeconds, busySeconds, idleSeconds, checkSeconds };
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

/** What a task says about its result: its `summary`, a text or a list of texts; of a command, its output, if that is one line. */
function saidBy(results: JsonValue): readonly string[] {
  if (!isJsonObject(results)) return [];
  if (!Object.hasOwn(results, 'summary')) {
    const stdout = Object.hasOwn(results, 'stdout') ? results['stdout'] : undefined;
    if (typeof stdout !== 'string' || stdout.length > MOST_OUTPUT || !Object.hasOwn(results, 'exitCode')) return [];
    const text = stdout.trim();
    return text === '' || text.includes('\n') ? [] : [shorten(inertLine(text), 300)];
  }
  const { summary } = results;
  const lines = Array.isArray(summary) ? summary : [summary];
  return lines
    .filter((said): said is string => typeof said === 'string' && said.trim() !== '')
    .slice(0, MOST_SAID)
    .map((said) => shorten(inertLine(said.slice(0, 2000)), 300));
}
