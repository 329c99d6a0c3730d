import { Command } from 'commander';
import { processEnvironment } from '../actions/kept-environment.js';
import { didYouMean } from '../plan/closest.js';
import { inertLine } from '../report/inert.js';
import { readAsked } from './execution-options.js';
import { EXIT } from './exit-code.js';
import { upToDateOf } from './explain-up-to-date.js';
import { findRun, placeProblem, type RunPlaceOptions, stateDirOf } from './find-run.js';
import { loadFromOptions } from './plan-options.js';
import { nextText } from './resume.js';
import { selectionOf, standingOf, standingsOf } from './run-standing.js';
import { unmasked } from './secret-params.js';
import { printError, printJson, printLine, printProblem } from './streams.js';

interface ExplainOptions extends RunPlaceOptions {
  readonly run?: string;
  readonly resumeFailed?: boolean;
  readonly json?: boolean;
}

/** `waveplan explain TASK`: why a task will run when its run is resumed, or why not. */
export function explainCommand(): Command {
  return new Command('explain')
    .description('say why a task will run when the last run is resumed, or why not')
    .argument('<task>', "a task's name")
    .option('--run <run>', 'another run than the last one')
    .option('--resume-failed', 'as of `resume`')
    .option('--json', 'print one JSON object')
    .option('-C, --cwd <dir>', 'the folder that the run worked in')
    .option('--state-dir <dir>', 'where runs are kept')
    .action(async (task: string, options: ExplainOptions) => {
      process.exitCode = await explain(task, options);
    });
}

async function explain(name: string, options: ExplainOptions): Promise<number> {
  const found = await findRun(stateDirOf(options), options.run);
  if (!found.ok) {
    printProblem(found.error);
    return EXIT.refused;
  }
  const elsewhere = placeProblem(found.value, options, { acts: false });
  if (elsewhere !== undefined) {
    printProblem(elsewhere);
    return EXIT.refused;
  }
  const { found: whole } = unmasked(found.value, processEnvironment());
  const { run, manifest } = whole;
  const loaded = loadFromOptions(
    manifest.plan.file,
    { param: {}, ...readAsked(manifest.asked ?? {}), ...selectionOf(manifest) },
    { params: manifest.params },
  );
  if (loaded === undefined) return EXIT.refused;
  const { plan } = loaded;
  if (!plan.tasks.some(({ id }) => id === name)) {
    const hint =
      didYouMean(
        name,
        plan.tasks.map(({ id }) => id),
      ) ?? `its tasks: ${plan.tasks.map(({ id }) => id).join(', ')}`;
    printProblem({ message: `the plan ${manifest.plan.file} has no task '${inertLine(name)}'`, hint });
    return EXIT.refused;
  }
  const failedRunAgain = options.resumeFailed === true;
  const standing = await standingOf(whole, plan, { repair: false, failedRunAgain });
  if (!standing.ok) {
    printProblem(standing.error);
    return EXIT.environment;
  }
  const majorShare = plan.failure.major ?? loaded.methodology.failure.major;
  const upToDate = await upToDateOf(plan, { task: name, stateDir: stateDirOf(options), folder: manifest.folder });
  const inspect = upToDate?.inspect;
  const task = standingsOf(plan, standing.value, {
    failedRunAgain,
    majorShare,
    folder: manifest.folder,
    ...(inspect && { inspect }),
  }).find((one) => one.task === name);
  if (task === undefined) throw new Error('Internal error: a task without a wave');
  for (const warning of standing.value.index.warnings) printError(`waveplan: ${warning}`);
  if (options.json === true) printJson({ run, ...task, text: nextText(task), ...(upToDate && { newRun: upToDate.text() }) });
  else {
    printLine(`${name} ${nextText(task)}.`);
    if (upToDate !== undefined) printLine(`In a new run it ${upToDate.text()}.`);
    printLine(`  (run ${run}, task of wave ${task.wave}; its plan: ${manifest.plan.file})`);
  }
  return EXIT.done;
}
