import { makeBackup } from '../checkpoint/backup.js';
import { writeCalibration } from '../checkpoint/calibration-store.js';
import { EVENTS_FILE, EventLog } from '../checkpoint/event-log.js';
import type { FingerprintIndex } from '../checkpoint/fingerprint-index.js';
import type { JournalEnds } from '../checkpoint/finished-index.js';
import { appendHistory } from '../checkpoint/history-store.js';
import { openJournal } from '../checkpoint/journal.js';
import { RUN_VARIABLE } from '../checkpoint/leftovers.js';
import { acquireLock } from '../checkpoint/lock.js';
import { type EnvironmentProblem, systemProblem } from '../checkpoint/problem.js';
import { OutcomeTally } from '../checkpoint/read-journal.js';
import {
  createRun,
  type RunManifest,
  type RunResume,
  resumeRun,
  saveIncludes,
  writeManifest,
  writeReportFile,
} from '../checkpoint/run-store.js';
import type { UpToDate, WatchMemory } from '../checkpoint/up-to-date.js';
import { verifyWave } from '../checkpoint/verify-wave.js';
import { discardRun, openWorkspace, prepareState, type RunFolders, type Workspace } from '../checkpoint/workspace.js';
import { totalCpuSeconds } from '../execute/cpu-time.js';
import { failureRulesOf } from '../execute/failure-policy.js';
import { eitherFinished, type FinishedSubtasks } from '../execute/finished.js';
import { readHeadroom } from '../execute/headroom.js';
import { InlineExecutor } from '../execute/inline-executor.js';
import { layoutAgents, maxThreads } from '../execute/layout.js';
import type { WavesEnd } from '../execute/ports.js';
import { RunControl } from '../execute/run-control.js';
import { runWaves } from '../execute/run-waves.js';
import { SwitchingExecutor } from '../execute/switching-executor.js';
import { parseCheckpoints } from '../model/checkpoint.js';
import { startTimeLine, systemClock, type TimeLine } from '../model/clock.js';
import { newRunId } from '../model/ids.js';
import type { JsonObject } from '../model/json.js';
import { type Mask, NO_MASK } from '../model/mask.js';
import { maskEvent } from '../model/mask-event.js';
import { err, ok, type Result } from '../model/result.js';
import type { Backup, RunEvent } from '../model/run-event.js';
import { writtenFilter } from '../plan/item-filter.js';
import { maskOfSecrets } from '../plan/secrets.js';
import type { Selection, TaskDefinition } from '../plan/valid-plan.js';
import { inertJson } from '../report/inert.js';
import { toReportJson } from '../report/report-json.js';
import { renderMarkdown } from '../report/report-markdown.js';
import type { RunSummary } from '../report/run-summary.js';
import { createSummary } from '../report/summary.js';
import { ThreadStarts } from '../scaling/calibrated.js';
import type { Calibration } from '../scaling/calibration.js';
import { machineKey } from '../scaling/history.js';
import { fingerprintOf } from '../scaling/machine.js';
import { waveKey } from '../scaling/workload.js';
import { processEnvironment } from '../worker/environment.js';
import { type CompiledPlan, decideFor, expectedMsOf, isUnknownTo, predictWaveFor, runsInline } from './compile-plan.js';
import { Lessons } from './lessons.js';
import { packageVersion } from './package-version.js';
import { SubtaskLogs } from './subtask-logs.js';

/** What a run of a compiled plan may be told. */
export interface RunPlanOptions {
  /** How the user agreed; a library's caller has by calling. */
  readonly confirmed?: 'prompt' | 'flag' | 'library';
  /** Whether the analysis was shown before. */
  readonly planShown?: boolean;
  /** The folder to work in; the plan's git root, else its folder, by default. */
  readonly cwd?: string | undefined;
  readonly stateDir?: string | undefined;
  /** Also writes each checkpoint as a file of its own there. */
  readonly checkpointFiles?: string | undefined;
  /** Told of everything that happens, as it happens. */
  readonly onEvent?: (event: RunEvent) => void;
  /** Through which the run can be asked to stop. */
  readonly control?: RunControl;
  /** Just measured: kept for later runs. */
  readonly newCalibration?: Calibration | undefined;
  /** Thresholds of failure do not stop the run: whatever has what it needs runs. */
  readonly keepGoing?: boolean | undefined;
  /** The first failure that is not tried again ends the run, and the work that is running. */
  readonly failFast?: boolean | undefined;
  /** What is up to date runs as well. */
  readonly force?: boolean | undefined;
  /** This run is one of a session. */
  readonly session?: RunSession | undefined;
  /** What was asked for beyond the plan; kept in the manifest, for a resume. */
  readonly asked?: JsonObject | undefined;
}

/** What the runs of one session share. */
export interface RunSession {
  readonly memory: WatchMemory;
  /** The index, as long as nobody else writes to it. */
  index: FingerprintIndex | undefined;
  /** Made by the session's first run; the later ones go without. */
  backup: Backup | undefined;
}

/** What a run that is resumed has behind it. */
export interface RunSoFar {
  readonly manifest: RunManifest;
  readonly finished: FinishedSubtasks;
  /** Subtasks with a record that counts, and the failed among them. */
  readonly counts: { readonly finished: number; readonly failed: number };
  readonly failedRunAgain: boolean;
  readonly outdated: ReadonlyMap<string, string>;
  readonly ends: JournalEnds;
  readonly leftovers: number;
}

/** A run that took place, however it ended. */
export interface RunResult {
  readonly run: string;
  /** Where its records are. */
  readonly folder: string;
  readonly end: WavesEnd;
  readonly summary: RunSummary;
  /** The records that could not be written, or not in whole, such as 'report.md' or 'checkpoints'; each with a warning. */
  readonly unsaved: readonly string[];
}

/**
 * Runs a compiled plan: state, backup, waves, report. The error is what kept it from starting, before any subtask ran;
 * a run that started always ends with a result, and with its report on disk if the disk takes it.
 */
export async function runPlan(
  compiled: CompiledPlan,
  options: RunPlanOptions = {},
): Promise<Result<RunResult, EnvironmentProblem>> {
  return withMask(compiled, (mask) => runMasked(compiled, options, mask));
}

/** Lets something be done with the mask for a plan's secrets, which is laid over what goes wrong with it too. */
export async function withMask<Value>(
  { plan }: CompiledPlan,
  work: (mask: Mask) => Promise<Result<Value, EnvironmentProblem>>,
): Promise<Result<Value, EnvironmentProblem>> {
  const mask = maskOfSecrets(plan.secrets, processEnvironment());
  if (!mask.ok) return mask;
  const done = await work(mask.value);
  return done.ok ? done : err({ message: mask.value.text(done.error.message), hint: mask.value.text(done.error.hint) });
}

async function runMasked(
  compiled: CompiledPlan,
  options: RunPlanOptions,
  mask: Mask,
): Promise<Result<RunResult, EnvironmentProblem>> {
  const workspace = openWorkspace({ planFile: compiled.plan.file, cwd: options.cwd, stateDir: options.stateDir });
  const run = newRunId();
  const timeLine = startTimeLine();
  const folders = await prepareState(workspace, run);
  if (!folders.ok) return folders;
  const lock = await acquireLock(workspace.stateDir, { purpose: `run ${run}`, now: timeLine.epochMs });
  if (!lock.ok) {
    await discardRun(folders.value);
    return lock;
  }
  try {
    const warnings = lock.value.broken === undefined ? [] : [lock.value.broken];
    return await runLocked(compiled, options, { workspace, run, timeLine, mask, ...folders.value, warnings });
  } finally {
    await lock.value.release();
  }
}

/** What a run has when its state folder is locked. */
export interface RunPlace extends RunFolders {
  readonly workspace: Workspace;
  readonly run: string;
  readonly timeLine: TimeLine;
  readonly mask: Mask;
  readonly warnings: readonly string[];
  /** Absent in a run that begins. */
  readonly soFar?: RunSoFar;
}

/** The same for a caller who holds the lock of the state folder and has made the run's folders. */
export async function runLocked(
  compiled: CompiledPlan,
  options: RunPlanOptions,
  place: RunPlace,
): Promise<Result<RunResult, EnvironmentProblem>> {
  const { plan, methodology, analysis, machine } = compiled;
  const { confirmed = 'library', control = new RunControl() } = options;
  const { workspace, run, runDir, timeLine, mask, soFar } = place;
  const clock = systemClock(timeLine);
  const elapsed = () => clock.now() - timeLine.epochMs;

  const { end: _, ...before }: Partial<RunManifest> = soFar?.manifest ?? {};
  let manifest: RunManifest = {
    ...before,
    version: 1,
    run,
    plan: { name: plan.name, file: plan.file },
    folder: workspace.folder,
    params: soFar?.manifest.params ?? (mask.json(plan.params) as JsonObject),
    tasks: Object.fromEntries(plan.tasks.map(({ id, hash }) => [id, hash])),
    ...(plan.selection && { selection: manifestSelection(plan.selection) }),
    created: before.created ?? new Date(timeLine.epochMs).toISOString(),
    waveplan: packageVersion(),
    node: process.version,
    methodologyHash: methodology.hash,
    ...(options.asked && { asked: options.asked }),
    ...(soFar && { resumes: [...(before.resumes ?? []), resumeOf(soFar, timeLine)] }),
  };
  const stored = await (soFar === undefined ? createRun : resumeRun)(runDir, plan.text, manifest);
  if (!stored.ok) return stored;
  const included = await saveIncludes(runDir, plan.includes);
  if (!included.ok) return included;
  // A help for later runs: where it cannot be kept, they measure again.
  if (options.newCalibration !== undefined) await writeCalibration(workspace.stateDir, options.newCalibration);

  const onBroken = (problem: EnvironmentProblem) => control.drain({ status: 'broken', reason: problem.message });
  const journal = await openJournal({ runDir, checkpointFilesDir: options.checkpointFiles, onBroken });
  if (!journal.ok) return journal;

  const upToDate = await openUpToDate(compiled, options, workspace, (message) =>
    options.onEvent?.({ type: 'warning', at: clock.now(), message: mask.text(message) }),
  );
  if (!upToDate.ok) return upToDate;
  const upToDateTasks = upToDate.value;
  let skipped = 0;

  const summary = createSummary();
  const lessons = new Lessons(compiled);
  const logs = new SubtaskLogs(runDir);
  /** In a run that was resumed: the subtasks that this part of it told of, in whose files there may be others. */
  const seen = new OutcomeTally();
  const eventLog = new EventLog(runDir);
  /** The one way to everything that is told or stored. */
  const emit = (raw: RunEvent) => {
    const event = mask === NO_MASK ? raw : maskEvent(raw, mask);
    if (event.type === 'subtasks-finished') {
      journal.value.append(event.wave, event.lines, event.count);
      if (soFar !== undefined) for (const { task_id } of parseCheckpoints(event.lines)) seen.add(task_id, true);
      if (upToDateTasks?.knows(event.task) === true)
        for (const checkpoint of parseCheckpoints(event.lines)) upToDateTasks.ended(checkpoint);
    }
    if (event.type === 'subtask-finished' || event.type === 'finally-finished') {
      const { checkpoint } = event;
      if (soFar !== undefined) seen.add(checkpoint.task_id, checkpoint.status === 'success');
      if (!('resumed' in event) || event.resumed !== 'as-is') journal.value.record(checkpoint);
      if ('resumed' in event && event.resumed === 'up-to-date') skipped += 1;
      else if (event.type === 'subtask-finished') upToDateTasks?.ended(checkpoint);
      if (event.log !== undefined) logs.save(event.checkpoint.task_id, event.log);
    }
    summary.add(event);
    eventLog.record(event);
    lessons.add(event);
    options.onEvent?.(event);
  };
  const finish = async (unmasked: WavesEnd): Promise<Result<RunResult, EnvironmentProblem>> => {
    const end = { ...unmasked, reason: mask.text(unmasked.reason) };
    const { status, reason } = end;
    const { observed } = summary;
    emit({ type: 'run-finished', at: clock.now(), status, reason, durationMs: elapsed(), observed });
    const result = summary.result();
    manifest = { ...manifest, end: { ...end, ended: new Date(clock.now()).toISOString() } };
    const fingerprint = fingerprintOf(machine, packageVersion());
    // Waves of which a part was done earlier tell nothing of what a whole one takes.
    const records =
      soFar !== undefined || skipped > 0
        ? []
        : lessons.records(result, machineKey(fingerprint), new Date(clock.now()).toISOString());
    const saves = [
      { name: 'manifest.json', saving: writeManifest(runDir, manifest) },
      { name: EVENTS_FILE, saving: eventLog.close() },
      { name: 'history.ndjson', saving: appendHistory(workspace.stateDir, records) },
      ...saveReports(runDir, result),
    ];
    const unsaved = journal.value.problem === undefined ? [] : ['checkpoints'];
    for (const { name, saving } of saves) {
      const saved = await saving;
      if (saved.ok) continue;
      unsaved.push(name);
      options.onEvent?.({ type: 'warning', at: clock.now(), message: mask.text(saved.error.message) });
    }
    return ok({ run, folder: runDir, end, summary: result, unsaved });
  };

  emit({
    type: 'run-started',
    at: clock.now(),
    run,
    plan: plan.name,
    task: analysis.task,
    methodologyHash: methodology.hash,
    waves: analysis.waves,
    decision: analysis.decision,
    sync: plan.sync,
    predictedSeconds: analysis.predictedSeconds,
    confirmed,
    cores: machine.cores,
    planShown: options.planShown === true,
  });
  for (const message of place.warnings) emit({ type: 'warning', at: clock.now(), message });
  if (soFar !== undefined) emit(resumedEvent(run, soFar, clock.now()));
  const standing = soFar?.manifest.backup ?? options.session?.backup;
  const backup = standing === undefined ? await makeBackup({ mode: plan.backup, workspace, run, name: plan.name }) : ok(standing);
  if (!backup.ok) {
    await finish({ status: 'broken', reason: backup.error.message });
    return backup;
  }
  if (options.session !== undefined) options.session.backup = backup.value;
  manifest = { ...manifest, backup: backup.value };
  const recorded = await writeManifest(runDir, manifest);
  if (!recorded.ok) return recorded;
  emit({ type: 'backup-made', at: clock.now(), durationMs: elapsed(), backup: backup.value });

  const failureRules = failureRulesOf(plan.failure, methodology.failure);
  process.env[RUN_VARIABLE] = run;
  const onStray = (message: string) => emit({ type: 'warning', at: clock.now(), message });
  const makePool = async () => {
    const { PiscinaExecutor } = await import('../execute/piscina-executor.js');
    return new PiscinaExecutor(maxThreads(plan.type, machine.cores), timeLine, onStray);
  };
  const executor = new SwitchingExecutor(new InlineExecutor(timeLine, onStray), makePool);
  const threadStarts = new ThreadStarts(compiled.calibration);
  // A module that is changed between the runs of a session could not be loaded anew in this thread.
  const mayRunInline = (task: TaskDefinition) =>
    runsInline(compiled, task) && (options.session === undefined || task.work.kind !== 'module');
  const end = await runWaves(
    {
      graph: compiled.graph,
      waves: compiled.waves,
      sync: plan.sync,
      finally: plan.finally,
      surroundings: { params: plan.params, env: processEnvironment(), folder: workspace.folder, secrets: plan.secrets, run },
      ratePerMinute: plan.limits.ratePerMinute,
      pools: plan.pools,
      majorShare: failureRules.major,
      failure: { rules: failureRules, keepGoing: options.keepGoing === true, failFast: options.failFast === true },
      ...finishedEarlier(soFar?.finished, upToDateTasks),
    },
    {
      executor,
      clock,
      random: Math.random,
      control,
      expectedMs: (task) => expectedMsOf(compiled, task),
      decide: (counts, probes) => decideFor(compiled, counts, probes),
      layout: (agents, tasks) =>
        agents === 1 && tasks.every(mayRunInline) ? { agents, threads: 0 } : layoutAgents(agents, plan.type, machine.cores),
      steering: {
        cpuSeconds: totalCpuSeconds,
        headroom: () => readHeadroom(memoryPerAgent(compiled)),
        isUnknown: (task) => isUnknownTo(compiled, task),
        predict: (wave, room, counts, probes) =>
          threadStarts.next(room.threads) + predictWaveFor(compiled, wave, room.agents, counts, probes),
        probeSize: PROBE_SUBTASKS_PER_CORE * machine.cores,
        cores: machine.cores,
        startAtMost: (wave) => (knowsWave(compiled, wave) ? Number.POSITIVE_INFINITY : FIRST_AGENTS_PER_CORE * machine.cores),
      },
      emit,
      verifyWave: (wave) => verifyWave(journal.value, runDir, wave, soFar && ((subtask) => seen.has(subtask))),
    },
  );
  await executor.close();
  upToDateTasks?.close();
  delete process.env[RUN_VARIABLE];
  const closed = await journal.value.close();
  await logs.settled();
  return finish(closed.ok ? end : { status: 'broken', reason: closed.error.message });
}

/** undefined for a plan in which no task names its inputs. */
async function openUpToDate(
  { plan }: CompiledPlan,
  { force = false, session }: RunPlanOptions,
  { stateDir, folder }: Workspace,
  onProblem: (message: string) => void,
): Promise<Result<UpToDate | undefined, EnvironmentProblem>> {
  const { tasks, params, secrets } = plan;
  if (session === undefined && tasks.every(({ inputs }) => inputs === undefined)) return ok(undefined);
  const { FingerprintIndex } = await import('../checkpoint/fingerprint-index.js');
  const { UpToDate } = await import('../checkpoint/up-to-date.js');
  try {
    const kept = session?.index;
    const index = kept?.isCurrent() === true ? kept : FingerprintIndex.open(stateDir, { make: true });
    if (session !== undefined) session.index = index;
    const env = processEnvironment();
    return ok(new UpToDate({ index, tasks, folder, params, env, secrets, force, session: session?.memory, onProblem }));
  } catch (error) {
    return err(systemProblem(`keep what is up to date in ${stateDir}`, error));
  }
}

function finishedEarlier(
  inThisRun: FinishedSubtasks | undefined,
  inOthers: FinishedSubtasks | undefined,
): { readonly finished?: FinishedSubtasks } {
  const finished = inThisRun && inOthers ? eitherFinished(inThisRun, inOthers) : (inThisRun ?? inOthers);
  return finished === undefined ? {} : { finished };
}

function resumeOf({ outdated, ends }: RunSoFar, timeLine: TimeLine): RunResume {
  return { at: new Date(timeLine.epochMs).toISOString(), tasks: [...outdated.keys()], ends };
}

function resumedEvent(run: string, soFar: RunSoFar, at: number): RunEvent {
  const { counts, failedRunAgain, outdated, leftovers } = soFar;
  const tasks = [...outdated].map(([task, reason]) => ({ task, reason }));
  return { type: 'run-resumed', at, run, ...counts, failedRunAgain, outdated: tasks, leftovers };
}

/** Subtasks of unknown duration that are measured before the number of agents is decided again. */
const PROBE_SUBTASKS_PER_CORE = 4;

/** Agents that a wave begins with where nobody has seen yet that more of them help. */
const FIRST_AGENTS_PER_CORE = 16;

function knowsWave({ history, waves }: CompiledPlan, wave: number): boolean {
  return history?.knowsWave(waveKey(waves[wave - 1]?.nodes.map(({ task }) => task) ?? [])) === true;
}

/** What a module's function, or the pipes of a command, take beside its own thread, in bytes. */
const LIGHT_AGENT_BYTES = 8e6;

/** Memory that one more agent is given: the declared amount, the methodology's where memory bounds the work, else little. */
function memoryPerAgent({ plan, methodology, analysis }: CompiledPlan): number {
  const usual = analysis.decision.capacity.limit === 'memory' ? methodology.memoryPerAgentBytes : LIGHT_AGENT_BYTES;
  return plan.limits.memoryPerAgentBytes ?? usual;
}

function manifestSelection({ only, until, filters }: Selection): NonNullable<RunManifest['selection']> {
  return { ...(only && { only }), ...(until && { until }), ...(filters && { filter: filters.map(writtenFilter) }) };
}

/** A record on its way to the disk. */
interface Saving {
  readonly name: string;
  readonly saving: Promise<Result<void, EnvironmentProblem>>;
}

function saveReports(runDir: string, summary: RunSummary): readonly Saving[] {
  const reports = { 'report.json': `${inertJson(toReportJson(summary), 2)}\n`, 'report.md': renderMarkdown(summary) };
  return Object.entries(reports).map(([name, text]) => ({ name, saving: writeReportFile(runDir, name, text) }));
}
