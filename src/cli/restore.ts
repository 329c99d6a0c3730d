import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { type FileCount, isRestored, type RestorePlan } from '../checkpoint/compare-backup.js';
import { acquireLock } from '../checkpoint/lock.js';
import type { EnvironmentProblem } from '../checkpoint/problem.js';
import { countWorkTrees, namedBackups } from '../checkpoint/ref-backup.js';
import { type HeadPlace, planRestore, type Restored, type RestoreOptions, restore } from '../checkpoint/restore.js';
import { listRuns, readManifest } from '../checkpoint/run-store.js';
import { openWorkspace, prepareState } from '../checkpoint/workspace.js';
import { err, ok, type Result } from '../model/result.js';
import type { Backup } from '../model/run-event.js';
import { inertLine } from '../report/inert.js';
import { commandName } from './command-name.js';
import { confirm } from './confirm.js';
import { type LockWaitOptions, lockWaitOf, lockWaitOption } from './execution-options.js';
import { EXIT } from './exit-code.js';
import { findRun, placeProblem, type RunPlaceOptions, stateDirOf } from './find-run.js';
import { printError, printLine, printNote, printProblem } from './streams.js';

interface RestoreVerbOptions extends RunPlaceOptions, LockWaitOptions {
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

/** `waveplan restore [RUN]`: brings the files back to what they were before a run. */
export function restoreCommand(): Command {
  return new Command('restore')
    .description("bring the files back to a run's backup (without RUN: the last run's)")
    .argument('[run]', 'run id')
    .option('-y, --yes', 'answer every question with yes')
    .option('-n, --dry-run', 'say what would change and stop; writes nothing')
    .addOption(lockWaitOption())
    .option('-C, --cwd <dir>', 'the folder that the run worked in')
    .option('--state-dir <dir>', 'where runs are kept')
    .action(async (run: string | undefined, options: RestoreVerbOptions) => {
      process.exitCode = await restoreRun(run, options);
    });
}

async function restoreRun(named: string | undefined, options: RestoreVerbOptions): Promise<number> {
  const target = await findTarget(named, options);
  if (!target.ok) {
    printProblem(target.error);
    return EXIT.refused;
  }
  // It writes nothing, a lock neither.
  if (options.dryRun === true) return restoreTo(target.value, options);
  const { run, workspace } = target.value;
  const { stateDir } = workspace;
  const wait = lockWaitOf(options);
  const state = existsSync(stateDir) ? ok(undefined) : await prepareState(workspace, run);
  const lock = state.ok
    ? await acquireLock(stateDir, {
        purpose: `restore of run ${run}`,
        now: Date.now(),
        wait: wait && { ...wait, isStopped: () => false },
      })
    : state;
  if (!lock.ok) {
    printProblem(lock.error);
    return EXIT.environment;
  }
  if (lock.value.broken !== undefined) printError(`waveplan: ${lock.value.broken}`);
  try {
    return await restoreTo(target.value, options);
  } finally {
    await lock.value.release();
  }
}

/** The backup of the named run, or of the last one that has any: by the state folder, else by the repository's refs. */
async function findTarget(
  named: string | undefined,
  options: RestoreVerbOptions,
): Promise<Result<RestoreOptions, EnvironmentProblem>> {
  const stateDir = stateDirOf(options);
  // Without a name, the last run that got as far as its backup: one that was refused before changed nothing.
  const found = await findRun(stateDir, named, (manifest) => manifest.backup !== undefined);
  if (!found.ok) return (await isDamaged(stateDir, named)) ? found : ((await findByRef(named, options)) ?? found);
  const elsewhere = placeProblem(found.value, options, { acts: true });
  if (elsewhere !== undefined) return err(elsewhere);
  const { run, manifest } = found.value;
  const { backup, folder } = manifest;
  if (backup === undefined || backup.mode === 'none') {
    return err({ message: `run ${run} made no backup: there is nothing to restore from`, hint: 'use git to undo its changes' });
  }
  return ok({ backup, run, workspace: openWorkspace({ planFile: manifest.plan.file, cwd: folder, stateDir }) });
}

/** Whether there are records of the named run, or of any, that cannot be read. */
async function isDamaged(stateDir: string, named: string | undefined): Promise<boolean> {
  const runs = await listRuns(stateDir);
  if (!runs.ok) return true;
  for (const { run, runDir } of runs.value) {
    if ((named === undefined || run === named) && !(await readManifest(runDir)).ok) return true;
  }
  return false;
}

/** A backup whose state folder is gone, as after `git clean -fdx`; undefined where the repository has no ref for one. */
async function findByRef(
  named: string | undefined,
  { cwd, stateDir }: RestoreVerbOptions,
): Promise<Result<RestoreOptions, EnvironmentProblem> | undefined> {
  const workspace = openWorkspace({ planFile: join(process.cwd(), 'plan.yaml'), cwd, stateDir });
  if (workspace.gitRoot === undefined) return undefined;
  const backups = await namedBackups(workspace.gitRoot);
  const found = backups.ok ? backups.value.findLast(({ run }) => named === undefined || run === named) : undefined;
  if (found === undefined) return undefined;
  const { run, backup } = found;
  // Work trees of one repository share their refs, and nothing says for which of them a backup was made.
  if (named === undefined && (await countWorkTrees(workspace.gitRoot)) > 1) {
    return err({
      message: `the records of the runs are gone, and the repository of ${workspace.gitRoot} has several work trees`,
      hint: `name the run whose backup belongs here, such as the last one: ${commandName()} restore ${run}`,
    });
  }
  printNote(`There is no record of the backup of run ${run}; it was found under ${backup.ref}.`);
  return ok({ backup, run, workspace });
}

async function restoreTo(target: RestoreOptions, options: RestoreVerbOptions): Promise<number> {
  const planned = await planRestore(target);
  if (!planned.ok) {
    printProblem(planned.error);
    return EXIT.environment;
  }
  printLine(describe(target, planned.value));
  if (options.dryRun === true || isRestored(planned.value)) return EXIT.done;
  if (options.yes !== true) {
    if (!(process.stdin.isTTY && process.stdout.isTTY)) {
      printError('waveplan: there is no terminal to ask for confirmation: answer with --yes, or look first with --dry-run');
      return EXIT.refused;
    }
    if (!(await confirm(process.stdin, process.stdout))) {
      printError('Not confirmed: nothing was done.');
      return EXIT.refused;
    }
  }
  const restored = await restore(target);
  if (!restored.ok) {
    printProblem(restored.error);
    return EXIT.environment;
  }
  printLine(describeRestored(restored.value, target.backup));
  return EXIT.done;
}

function describe({ run, workspace }: RestoreOptions, plan: RestorePlan): string {
  const folder = inertLine(workspace.gitRoot ?? workspace.folder);
  const left = [...plan.left.map((name) => `  left as it is: ${inertLine(name)}`), ...describeUnsaved(plan)];
  if (isRestored(plan)) {
    return [`The files of ${folder} are as they were before run ${run}: there is nothing to restore.`, ...left].join('\n');
  }
  const { added, displaced, modified, deleted, modes, missingFolders, surplusFolders } = plan;
  const rows = [
    [added, 'file', `removed, because the backup does not have ${added.count === 1 ? 'it' : 'them'}`],
    [modified, 'file', `put back to ${modified.count === 1 ? 'its' : 'their'} content`],
    [deleted, 'file', 'brought back'],
    [modes, 'permission', 'put back'],
    [missingFolders, 'empty folder', 'brought back'],
    [surplusFolders, 'empty folder', 'removed'],
  ] as const;
  const lines = rows.flatMap(([files, kind, what]) =>
    files.count === 0 ? [] : [`  ${count(files, kind)} ${what}: ${names(files)}`],
  );
  return [
    `Restoring the files of ${folder} to what they were before run ${run}:`,
    ...lines,
    ...(plan.index ? ['  the git index is put back'] : []),
    ...left,
    ...describeDisplaced(displaced),
  ].join('\n');
}

/** Ignored files that a restore does not bring back. */
function describeUnsaved({ lost, overwritten }: RestorePlan): readonly string[] {
  return [
    ...(lost.count === 0 ? [] : [`  not in the backup, because ignored, and gone: ${names(lost)}`]),
    ...(overwritten.count === 0 ? [] : [`  not in the backup, because ignored, and changed: ${names(overwritten)}`]),
  ];
}

function describeDisplaced(displaced: FileCount): readonly string[] {
  if (displaced.count === 0) return [];
  const them = displaced.count === 1 ? 'it' : 'them';
  return [
    '',
    `ATTENTION: ${count(displaced, 'ignored file')} in the way and will be removed: ${names(displaced)}`,
    `  No backup has ${them}. The restore keeps ${them} with what it overwrites, under a ref that it names at the end;`,
    `  to keep ${them} in the folder, answer no and move ${them} elsewhere first.`,
  ];
}

function count({ count }: FileCount, what: string): string {
  return count === 1 ? `1 ${what} is` : `${count} ${what}s are`;
}

function names({ count, first }: FileCount): string {
  const more = count > first.length ? `, and ${count - first.length} more` : '';
  return `${first.map((name) => inertLine(name)).join(', ')}${more}`;
}

/** Where HEAD is not where it was, the files no longer belong to what git compares them with. */
function describeRestored(restored: Restored, backup: Backup): string {
  const { kept, displaced, heads } = restored;
  const lines = [`Restored. What was there before is kept under ${kept}.`];
  if (displaced.count > 0) {
    lines.push(`Ignored files that were in the way are kept there too: git show ${kept}:FILE prints one.`);
  }
  lines.push(...describeUnsaved(restored));
  const { atBackup, now } = heads;
  if (atBackup.branch === now.branch && atBackup.commit === now.commit) return lines.join('\n');
  lines.push(`This was done on ${place(now)}; the backup was made on ${place(atBackup)}. The restore moved no branch.`);
  if (backup.mode === 'commit') lines.push(`The index is that of the backup commit ${backup.commit.slice(0, 12)}.`);
  return lines.join('\n');
}

function place({ branch, commit }: HeadPlace): string {
  const where = branch === undefined ? 'no branch (detached HEAD)' : `branch ${inertLine(branch)}`;
  return `${where} at ${commit === undefined ? 'no commit' : commit.slice(0, 12)}`;
}
