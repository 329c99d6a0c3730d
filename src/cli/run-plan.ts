import { processEnvironment } from '../actions/kept-environment.js';
import { endLeftovers } from '../actions/leftovers.js';
import { makeBackup } from '../checkpoint/backup.js';
import { writeCalibration } from '../checkpoint/calibration-store.js';
import { enclosingRuns, whenHolderIsGone } from '../checkpoint/enclosing-runs.js';
import { openJournal } from '../checkpoint/journal.js';
import { acquireLock, type LockWait } from '../checkpoint/lock.js';
import type { EnvironmentProblem } from '../checkpoint/problem.js';
import { createRun, resumeRun, saveIncludes, writeManifest } from '../checkpoint/run-store.js';
import { discardRun, openWorkspace, prepareState } from '../checkpoint/workspace.js';
import { failureRulesOf } from '../execute/failure-policy.js';
import { makeReady } from '../execute/make-ready.js';
import type { RunWavesOptions, RunWavesPorts, WavesEnd } from '../execute/ports.js';
import { RunControl } from '../execute/run-control.js';
import { RunState } from '../execute/run-state.js';
import { runWaves } from '../execute/run-waves.js';
import { startTimeLine, systemClock } from '../model/clock.js';
import { newRunId } from '../model/ids.js';
import type { JsonObject } from '../model/json.js';
import type { Mask } from '../model/mask.js';
import { err, ok, type Result } from '../model/result.js';
import type { RunEvent } from '../model/run-event.js';
import { maskOfSecrets } from '../plan/secrets.js';
import type { Calibration } from '../scaling/calibration.js';
import { type CompiledPlan, expectedMsOf } from './compile-plan.js';
import { openExecution } from './execution.js';
import { finishRun, type RunResult } from './finish-run.js';
import { finishedEarlier, openUpToDate } from './finished-before.js';
import type { RemoteRun } from './remote-run.js';
import { manifestOf } from './run-manifest.js';
import type { RunPlace, RunSoFar } from './run-place.js';
import type { RunSession } from './run-session.js';
import { RunSinks } from './run-sinks.js';

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
  /** Subtasks run on other machines; absent: on threads of this one. */
  readonly remote?: RemoteRun | undefined;
  /** How the lock of the state folder is waited for; absent: not at all. */
  readonly lockWait?: Omit<LockWait, 'isStopped'> | undefined;
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
  const { lockWait, control = new RunControl() } = options;
  const folders = await prepareState(workspace, run);
  if (!folders.ok) return folders;
  const enclosing = await enclosingRuns(workspace.stateDir);
  const lock = await acquireLock(workspace.stateDir, {
    purpose: `run ${run}`,
    now: Date.now(),
    within: enclosing.map((one) => one.run),
    wait: lockWait && { ...lockWait, isStopped: () => control.stopReason !== undefined },
  });
  if (!lock.ok) {
    await discardRun(folders.value);
    return lock;
  }
  // Nobody else is kept from the state folder then.
  const orphaned = () => control.abort({ status: 'stopped', reason: 'the run around it ended' });
  const forget = lock.value.isShared ? whenHolderIsGone(workspace.stateDir, orphaned) : () => {};
  try {
    const within = lock.value.isShared ? enclosing : [];
    const same = within.find(({ plan }) => plan.file === compiled.plan.file);
    if (same !== undefined) {
      await discardRun(folders.value);
      return err({
        message: `the plan ${compiled.plan.file} is running (run ${same.run}), and a task of it cannot run it again`,
        hint: 'let the task run another plan',
      });
    }
    const timeLine = startTimeLine();
    const warnings = lock.value.broken === undefined ? [] : [lock.value.broken];
    const place = { workspace, run, timeLine, mask, ...folders.value, warnings, within: within[0]?.run };
    return await runLocked(compiled, { ...options, control }, place);
  } finally {
    forget();
    await lock.value.release();
  }
}

/** The same for a caller who holds the lock of the state folder and has made the run's folders. */
export async function runLocked(
  compiled: CompiledPlan,
  options: RunPlanOptions,
  place: RunPlace,
): Promise<Result<RunResult, EnvironmentProblem>> {
  const { plan, methodology, analysis, machine } = compiled;
  const { confirmed = 'library', control = new RunControl(), session, onEvent } = options;
  const { workspace, run, runDir, timeLine, mask, soFar } = place;
  const clock = systemClock(timeLine);

  let manifest = manifestOf(compiled, place, options.asked);
  const stored = await (soFar === undefined ? createRun : resumeRun)(runDir, plan.text, manifest);
  if (!stored.ok) return stored;
  const included = await saveIncludes(runDir, plan.includes);
  if (!included.ok) return included;
  // A help for later runs: where it cannot be kept, they measure again.
  if (options.newCalibration !== undefined) await writeCalibration(workspace.stateDir, options.newCalibration);

  const onBroken = (problem: EnvironmentProblem) => control.drain({ status: 'broken', reason: problem.message });
  const journal = await openJournal({ runDir, checkpointFilesDir: options.checkpointFiles, onBroken });
  if (!journal.ok) return journal;

  const opened = await openUpToDate(compiled, { ...options, isShared: place.within !== undefined }, workspace, (message) =>
    onEvent?.({ type: 'warning', at: clock.now(), message: mask.text(message) }),
  );
  if (!opened.ok) return opened;
  const upToDate = opened.value;

  const sinks = new RunSinks(journal.value, compiled, place, { onEvent, upToDate, keepSkips: session !== undefined });
  const emit = (event: RunEvent) => sinks.emit(event);
  const finish = (end: WavesEnd) =>
    finishRun(end, { compiled, place, clock, sinks, manifest, checkpointFiles: options.checkpointFiles });

  const started = {
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
  } as const;
  emit(started);
  for (const message of place.warnings) emit({ type: 'warning', at: clock.now(), message });
  if (soFar !== undefined) emit(resumedEvent(run, soFar, clock.now()));
  const failureRules = failureRulesOf(plan.failure, methodology.failure);
  const opening = clock.now();
  const execution = await openExecution(compiled, place, options, {
    warn: (message) => emit({ type: 'warning', at: clock.now(), message }),
    onNobody: (reason) => control.drain({ status: 'broken', reason }),
  });
  if (!execution.ok) {
    await finish({ status: 'broken', reason: execution.error.message });
    return execution;
  }
  const openedMs = clock.now() - opening;
  const wavesOptions: RunWavesOptions = {
    graph: compiled.graph,
    waves: compiled.waves,
    sync: plan.sync,
    finally: plan.finally,
    planned: analysis.decision,
    surroundings: { params: plan.params, env: processEnvironment(), folder: workspace.folder, secrets: plan.secrets, run },
    ratePerMinute: plan.limits.ratePerMinute,
    pools: plan.pools,
    majorShare: failureRules.major,
    failure: { rules: failureRules, keepGoing: options.keepGoing === true, failFast: options.failFast === true },
    ...finishedEarlier(soFar?.finished, upToDate),
  };
  const ports: RunWavesPorts = {
    ...execution.value,
    clock,
    random: Math.random,
    control,
    expectedMs: (task) => expectedMsOf(compiled, task),
    emit,
    records: sinks,
    verifyWave: (wave) => sinks.verifyWave(wave),
  };
  const state = new RunState(wavesOptions, ports);
  // While the backup is made, threads start.
  makeReady({ options: wavesOptions, ports, state });

  const backup = await backUp(compiled, place, session);
  if (!backup.ok) {
    await ports.executor.close();
    // Ctrl-C ends git as well. The problem that git then reports is no news.
    if (control.stopReason?.status === 'stopped') return ok(await finish(control.stopReason));
    await finish({ status: 'broken', reason: backup.error.message });
    return backup;
  }
  manifest = { ...manifest, backup: backup.value };
  const recorded = await writeManifest(runDir, manifest);
  if (!recorded.ok) {
    await ports.executor.close();
    return recorded;
  }
  if (session !== undefined) session.backup = backup.value;
  emit({ type: 'backup-made', at: clock.now(), durationMs: clock.now() - timeLine.epochMs - openedMs, backup: backup.value });

  const end = await runWaves(wavesOptions, ports, state);
  if (session === undefined) {
    await ports.executor.close();
    await endLeftovers(run);
  }
  const settled = await sinks.settle();
  const result = await finish(settled.ok ? end : { status: 'broken', reason: settled.error.message });
  session?.keep({ compiled, place, manifest, options: wavesOptions, ports, state, sinks, started });
  return ok(result);
}

/** The backup of wave 0, or the one that stands from an earlier part of the run or of its session, or of the run around it. */
async function backUp(
  { plan }: CompiledPlan,
  { workspace, run, soFar, within }: RunPlace,
  session: RunSession | undefined,
): ReturnType<typeof makeBackup> {
  if (within !== undefined) return ok({ mode: 'none' });
  const standing = soFar?.manifest.backup ?? session?.backup;
  return standing === undefined ? makeBackup({ mode: plan.backup, workspace, run, name: plan.name }) : ok(standing);
}

function resumedEvent(run: string, soFar: RunSoFar, at: number): RunEvent {
  const { counts, failedRunAgain, outdated, leftovers } = soFar;
  const tasks = [...outdated].map(([task, reason]) => ({ task, reason }));
  return { type: 'run-resumed', at, run, ...counts, failedRunAgain, outdated: tasks, leftovers };
}
