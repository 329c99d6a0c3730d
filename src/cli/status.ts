import { Command } from 'commander';
import { processEnvironment } from '../actions/kept-environment.js';
import { currentHolder } from '../checkpoint/lock.js';
import type { TaskStanding } from '../execute/plan-state.js';
import { loadMethodology } from '../plan/methodology.js';
import { figure } from '../report/figures.js';
import { inertLine } from '../report/inert.js';
import { commandName } from './command-name.js';
import { readAsked } from './execution-options.js';
import { EXIT } from './exit-code.js';
import { findRun, placeProblem, type RunPlaceOptions, stateDirOf } from './find-run.js';
import { runState } from './list.js';
import { planOfRun, standingOf, standingsOf } from './run-standing.js';
import { unmasked } from './secret-params.js';
import { printError, printJson, printLine, printProblem } from './streams.js';

/** `waveplan status [RUN]`: how far a run is, by its records. */
export function statusCommand(): Command {
  return new Command('status')
    .description('show how far a run is, task by task (without RUN: the last one)')
    .argument('[run]', 'run id')
    .option('--json', 'print one JSON object')
    .option('-C, --cwd <dir>', 'the folder that the run worked in')
    .option('--state-dir <dir>', 'where runs are kept')
    .action(async (run: string | undefined, options: RunPlaceOptions & { readonly json?: boolean }) => {
      process.exitCode = await status(run, options);
    });
}

async function status(named: string | undefined, options: RunPlaceOptions & { readonly json?: boolean }): Promise<number> {
  const stateDir = stateDirOf(options);
  const found = await findRun(stateDir, named);
  if (!found.ok) {
    printProblem(found.error);
    return EXIT.refused;
  }
  const elsewhere = placeProblem(found.value, options, { acts: false });
  if (elsewhere !== undefined) {
    printProblem(elsewhere);
    return EXIT.refused;
  }
  const { run, runDir, manifest } = found.value;
  const whole = unmasked(found.value, processEnvironment()).found;
  const plan = await planOfRun(whole);
  if (plan === undefined) {
    printProblem({ message: `the plan of run ${run} cannot be read`, hint: `look at ${runDir}/plan.yaml` });
    return EXIT.environment;
  }
  const standing = await standingOf(whole, plan, { repair: false, failedRunAgain: false });
  if (!standing.ok) {
    printProblem(standing.error);
    return EXIT.environment;
  }
  const state = await runState(stateDir, manifest);
  const pid = state === 'running' ? ((await currentHolder(stateDir))?.pid ?? null) : null;
  const { methodology: file } = readAsked(manifest.asked ?? {});
  const methodology = loadMethodology(typeof file === 'string' ? file : undefined);
  const majorShare = plan.failure.major ?? (methodology.ok ? methodology.value.failure.major : 0.1);
  const tasks = standingsOf(plan, standing.value, { failedRunAgain: false, majorShare, folder: manifest.folder });
  // While it runs, the end of a file may be a record that is just being written.
  const warnings = state === 'running' ? [] : standing.value.index.warnings;
  if (options.json === true) {
    const { created, end, backup, resumes } = manifest;
    const reason = end?.reason ?? null;
    const resumed = resumes?.length ?? 0;
    printJson({ run, plan: manifest.plan, state, pid, reason, created, resumed, backup: backup ?? null, tasks, warnings });
    return EXIT.done;
  }
  const process = pid === null ? '' : ` (process ${pid})`;
  printLine(
    `Run ${run} of ${inertLine(plan.name)}: ${state}${process}${manifest.end === undefined ? '' : `, ${inertLine(manifest.end.reason)}`}`,
  );
  for (const task of tasks) printLine(`  wave ${task.wave}  ${inertLine(task.task)}: ${progressText(task)}`);
  for (const warning of warnings) printError(`waveplan: ${warning}`);
  if (state !== 'running' && state !== 'done') printLine(`Go on: ${commandName()} resume ${run}`);
  return EXIT.done;
}

function progressText({ subtasks, succeeded, failed, next }: TaskStanding): string {
  const all = subtasks === undefined ? '?' : figure(subtasks);
  const failures = failed === 0 ? '' : `, ${figure(failed)} failed`;
  if (next.kind === 'skipped' && succeeded + failed === 0) return `skipped because ${next.reason}`;
  const skipped = next.kind === 'skipped' ? `, skipped because ${next.reason}` : '';
  return `${figure(succeeded)} of ${all} done${failures}${skipped}`;
}
