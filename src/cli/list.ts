import { join } from 'node:path';
import { Command } from 'commander';
import { currentHolder } from '../checkpoint/lock.js';
import { listRuns, type RunManifest, readManifest } from '../checkpoint/run-store.js';
import { inertLine } from '../report/inert.js';
import { EXIT } from './exit-code.js';
import { type RunPlaceOptions, stateDirOf } from './find-run.js';
import { printError, printJson, printLine, printProblem } from './streams.js';

/** How a run stands: how it ended, or that it goes on, or that it was killed. */
export type RunState = NonNullable<RunManifest['end']>['status'] | 'running' | 'killed';

/** `waveplan list`: the runs of a state folder. */
export function listCommand(): Command {
  return new Command('list')
    .description('list the runs, the last one last')
    .option('--json', 'print one JSON array')
    .option('-C, --cwd <dir>', 'the folder that the runs worked in')
    .option('--state-dir <dir>', 'where runs are kept')
    .action(async (options: RunPlaceOptions & { readonly json?: boolean }) => {
      process.exitCode = await list(options);
    });
}

async function list(options: RunPlaceOptions & { readonly json?: boolean }): Promise<number> {
  const stateDir = stateDirOf(options);
  const runs = await listRuns(stateDir);
  if (!runs.ok) {
    printProblem(runs.error);
    return EXIT.environment;
  }
  const rows = [];
  for (const { run, runDir } of runs.value) {
    const manifest = await readManifest(runDir);
    if (!manifest.ok) {
      printError(`waveplan: ${manifest.error.message}`);
      continue;
    }
    const { plan, created, end, backup } = manifest.value;
    const state = await runState(stateDir, manifest.value);
    rows.push({ run, plan: plan.name, file: plan.file, created, state, reason: end?.reason ?? null, backup: backup ?? null });
  }
  if (options.json === true) printJson(rows);
  else if (rows.length === 0) printLine(`There is no run in ${stateDir} yet.`);
  else for (const row of rows) printLine(`${row.run}  ${row.state.padEnd(7)}  ${inertLine(row.plan)}`);
  return EXIT.done;
}

/** How a run stands. One without an end was killed, unless it holds the lock, or the run whose task started it does. */
export async function runState(stateDir: string, { run, end, within }: RunManifest): Promise<RunState> {
  if (end !== undefined) return end.status;
  const holder = await currentHolder(stateDir);
  if (holder?.purpose === `run ${run}`) return 'running';
  const around = within === undefined ? undefined : await readManifest(join(stateDir, 'runs', within));
  return around?.ok === true && (await runState(stateDir, around.value)) === 'running' ? 'running' : 'killed';
}
