import { Command, Option } from 'commander';
import { processEnvironment } from '../actions/kept-environment.js';
import { endLeftovers } from '../actions/leftovers.js';
import { acquireLock } from '../checkpoint/lock.js';
import type { RunManifest } from '../checkpoint/run-store.js';
import { openWorkspace, prepareState } from '../checkpoint/workspace.js';
import type { TaskStanding } from '../execute/plan-state.js';
import { startTimeLine } from '../model/clock.js';
import { didYouMean } from '../plan/closest.js';
import { counted, figure } from '../report/figures.js';
import { inertLine } from '../report/inert.js';
import { changedModules } from './changed-modules.js';
import { addExecutionOptions, askAgain, askedOf, type ExecutionOptions, lockWaitOf, readAsked } from './execution-options.js';
import { EXIT } from './exit-code.js';
import { type FoundRun, findRun, placeProblem, stateDirOf } from './find-run.js';
import {
  agentsArgument,
  collectNames,
  collectParam,
  countArgument,
  type LoadedPlan,
  loadFromOptions,
  type PlanOptions,
  prepareFromOptions,
  type SelectionOptions,
  timeoutArgument,
} from './plan-options.js';
import { addRemoteOptions, type RemoteOptions, withRemote } from './remote.js';
import type { RemoteRun } from './remote-run.js';
import { type RunPlanOptions, runLocked, withMask } from './run-plan.js';
import { type RunStanding, selectionOf, standingOf, standingsOf } from './run-standing.js';
import { paramsProblem, unmasked } from './secret-params.js';
import { showRun, showsText } from './show-run.js';
import { printError, printJson, printLine, printNote, printProblem } from './streams.js';

interface ResumeOptions extends ExecutionOptions, RemoteOptions, Partial<PlanOptions> {
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  readonly resumeFailed?: boolean;
  readonly again?: readonly string[];
}

/** `waveplan resume [RUN]`: goes on with a run that did not end, or that failed. */
export function resumeCommand(): Command {
  const command = new Command('resume')
    .description('go on with a run: what it finished counts, and does not run again (without RUN: the last one)')
    .argument('[run]', 'run id')
    .option('--resume-failed', 'run the failed subtasks again too')
    .addOption(new Option('--again <tasks>', 'run these tasks again, and what needs them: a,b').argParser(collectNames))
    .addOption(new Option('--param <name=value>', 'a param that holds a secret, which is kept nowhere').argParser(collectParam))
    .option('-y, --yes', 'answer every question with yes')
    .option('-n, --dry-run', 'say what would run and stop; writes nothing')
    .addOption(new Option('-j, --agents <count>', 'as of `run`').argParser(agentsArgument))
    .addOption(new Option('--retries <n>', 'as of `run`').argParser(countArgument))
    .addOption(new Option('--timeout <duration>', 'as of `run`').argParser(timeoutArgument))
    .option('-C, --cwd <dir>', 'the folder that the run worked in')
    .option('--state-dir <dir>', 'where runs are kept');
  return addRemoteOptions(addExecutionOptions(command)).action(async (run: string | undefined, options: ResumeOptions) => {
    process.exitCode = await resume(run, options);
  });
}

async function resume(named: string | undefined, given: ResumeOptions): Promise<number> {
  const stateDir = stateDirOf(given);
  const found = await findRun(stateDir, named);
  if (!found.ok) {
    printProblem(found.error);
    return EXIT.refused;
  }
  const elsewhere = placeProblem(found.value, given, { acts: true });
  if (elsewhere !== undefined) {
    printProblem(elsewhere);
    return EXIT.refused;
  }
  const { param = {} } = given;
  const { found: whole, missing } = unmasked(found.value, processEnvironment(), param);
  const { run, manifest } = found.value;
  const wanting = paramsProblem(found.value, missing, param);
  if (wanting !== undefined) {
    printProblem(wanting);
    return EXIT.refused;
  }
  const asked = readAsked(manifest.asked ?? {});
  const options: ResumeOptions & PlanOptions & SelectionOptions = {
    ...askAgain(asked, given),
    ...selectionOf(manifest),
    param: {},
    cwd: manifest.folder,
    stateDir,
  };
  const loaded = loadFromOptions(manifest.plan.file, options, { params: whole.manifest.params });
  if (loaded === undefined) {
    printError(
      `waveplan: run ${run} goes on with its plan as it is now; as it was, it is kept at ${found.value.runDir}/plan.yaml`,
    );
    return EXIT.refused;
  }
  const unknown = options.again?.find((name) => !loaded.plan.tasks.some(({ id }) => id === name));
  if (unknown !== undefined) {
    const names = loaded.plan.tasks.map(({ id }) => id);
    printProblem({
      message: `--again: there is no task '${inertLine(unknown)}'`,
      hint: didYouMean(unknown, names) ?? `the tasks are ${names.slice(0, 20).join(', ')}`,
    });
    return EXIT.refused;
  }
  // It writes nothing, a lock neither.
  if (options.dryRun === true) return tellWhatRuns(whole, loaded, options);
  const say = showsText(options) ? printNote : () => {};
  return withRemote(given, say, (remote) => goOn({ whole, kept: manifest }, loaded, options, { stateDir, remote }));
}

/** Goes on with a run: `whole` has the values of all its params, `kept` is the manifest as it is stored, in which secrets are masked. */
async function goOn(
  { whole, kept: manifest }: { readonly whole: FoundRun; readonly kept: RunManifest },
  loaded: LoadedPlan,
  options: ResumeOptions & PlanOptions & SelectionOptions,
  { stateDir, remote }: { readonly stateDir: string; readonly remote: RemoteRun | undefined },
): Promise<number> {
  const { run } = whole;
  const say = showsText(options) ? printNote : () => {};
  const timeLine = startTimeLine();
  const wait = lockWaitOf(options);
  const lock = await acquireLock(stateDir, {
    purpose: `run ${run}`,
    now: timeLine.epochMs,
    wait: wait && { ...wait, isStopped: () => false },
  });
  if (!lock.ok) {
    printProblem(lock.error);
    return EXIT.environment;
  }
  try {
    // What it left behind could go on writing to the files that its successors are about to write.
    const leftovers = await endLeftovers(run);
    if (leftovers.left > 0) {
      printError(
        `waveplan: ${counted(leftovers.left, 'process', 'processes')} of run ${run} cannot be ended; end them, then resume`,
      );
      return EXIT.environment;
    }
    const workspace = openWorkspace({ planFile: manifest.plan.file, cwd: manifest.folder, stateDir });
    const folders = await prepareState(workspace, run);
    const { again } = options;
    const standing = await standingOf(whole, loaded.plan, { repair: true, failedRunAgain: options.resumeFailed === true, again });
    if (!folders.ok || !standing.ok) {
      for (const part of [folders, standing]) if (!part.ok) printProblem(part.error);
      return EXIT.environment;
    }
    const { compiled, newCalibration } = await prepareFromOptions(loaded, options, say, remote?.fleet);
    const { index, outdated, timeoutsRunAgain } = standing.value;
    const failedRunAgain = options.resumeFailed === true;
    const finished = index.finished({ failures: !failedRunAgain, voided: new Set(outdated.keys()), timeoutsRunAgain });
    const soFar = {
      manifest,
      finished,
      counts: countsOf(loaded, standing.value),
      failedRunAgain,
      outdated,
      index,
      ends: index.ends,
      leftovers: leftovers.found,
    };
    const broken = lock.value.broken === undefined ? [] : [lock.value.broken];
    const warnings = [...broken, ...index.warnings, ...modulesText(whole, loaded, standing.value)];
    const runOptions: RunPlanOptions = {
      confirmed: 'flag',
      checkpointFiles: options.checkpointFiles,
      newCalibration,
      keepGoing: options.keepGoing,
      failFast: options.failFast,
      asked: askedOf(options),
      remote,
    };
    try {
      const place = { workspace, run, timeLine, ...folders.value, warnings, soFar };
      return await showRun(manifest.plan.file, options, (ports) =>
        withMask(compiled, (mask) => runLocked(compiled, { ...runOptions, ...ports }, { ...place, mask })),
      );
    } finally {
      finished.close();
    }
  } finally {
    await lock.value.release();
  }
}

function countsOf(
  { plan }: LoadedPlan,
  { index, outdated, timeoutsRunAgain }: RunStanding,
): { readonly finished: number; readonly failed: number } {
  const counting = plan.tasks.flatMap(({ id }) => {
    const records = outdated.has(id) ? undefined : index.tasks.get(id);
    if (records === undefined) return [];
    const again = timeoutsRunAgain.has(id) ? (index.timedOut.get(id) ?? 0) : 0;
    return [{ success: records.success, failed: records.failed - again }];
  });
  const failed = counting.reduce((sum, records) => sum + records.failed, 0);
  return { finished: failed + counting.reduce((sum, records) => sum + records.success, 0), failed };
}

async function tellWhatRuns(found: FoundRun, { plan, methodology }: LoadedPlan, options: ResumeOptions): Promise<number> {
  const failedRunAgain = options.resumeFailed === true;
  const standing = await standingOf(found, plan, { repair: false, failedRunAgain, again: options.again });
  if (!standing.ok) {
    printProblem(standing.error);
    return EXIT.environment;
  }
  const modules = modulesText(found, { plan, methodology }, standing.value);
  for (const warning of [...standing.value.index.warnings, ...modules]) printError(`waveplan: ${warning}`);
  const tasks = standingsOf(plan, standing.value, {
    failedRunAgain,
    majorShare: plan.failure.major ?? methodology.failure.major,
    folder: found.manifest.folder,
  });
  if (options.json === true) printJson({ run: found.run, tasks });
  else for (const task of tasks) printLine(`${inertLine(task.task)}: ${nextText(task)}`);
  return EXIT.done;
}

function modulesText({ run, manifest }: FoundRun, { plan }: LoadedPlan, { index, outdated }: RunStanding): readonly string[] {
  const counts = (task: string) => !outdated.has(task) && (index.tasks.get(task)?.success ?? 0) > 0;
  return changedModules(plan, manifest.modules, { run, counts });
}

/** What becomes of a task, in words. */
export function nextText({ next, subtasks, succeeded, failed }: TaskStanding): string {
  switch (next.kind) {
    case 'finished':
      return failed === 0 ? `does not run: ${allOf(subtasks ?? 0)} finished` : finishedWithFailures(subtasks ?? 0, failed);
    case 'runs': {
      const open = (subtasks ?? 0) - succeeded - failed;
      const parts = [...(open > 0 ? [`${figure(open)} not done`] : []), ...(failed > 0 ? [`${figure(failed)} failed`] : [])];
      return subtasks === 1
        ? `runs: ${failed > 0 ? 'it failed' : 'it is not done'}`
        : `runs: of ${counted(subtasks ?? 0, 'subtask')}, ${parts.join(', ')}`;
    }
    case 'runs-again':
      return `runs again: ${next.reason}`;
    case 'skipped':
      return `is skipped because ${next.reason}`;
    case 'waits':
      return `runs: its items are known when ${next.sources.join(' and ')} ${next.sources.length === 1 ? 'is' : 'are'} done`;
  }
}

function allOf(subtasks: number): string {
  return subtasks === 1 ? 'it is' : `all ${counted(subtasks, 'subtask')} are`;
}

function finishedWithFailures(subtasks: number, failed: number): string {
  const which =
    subtasks === 1
      ? 'it failed, which counts as finished'
      : `${figure(failed)} of ${counted(subtasks, 'subtask')} failed, which count as finished`;
  return `does not run: ${which}; waveplan resume --resume-failed tries again`;
}
