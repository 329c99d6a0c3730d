import { Command } from 'commander';
import { acquireLock } from '../checkpoint/lock.js';
import {
  type FileCount,
  type HeadPlace,
  planRestore,
  type Restored,
  type RestoreOptions,
  type RestorePlan,
  restore,
} from '../checkpoint/restore.js';
import { openWorkspace } from '../checkpoint/workspace.js';
import type { Backup } from '../model/run-event.js';
import { inertLine } from '../report/inert.js';
import { confirm } from './confirm.js';
import { type LockWaitOptions, lockWaitOf, lockWaitOption } from './execution-options.js';
import { EXIT } from './exit-code.js';
import { findRun, placeProblem, type RunPlaceOptions, stateDirOf } from './find-run.js';
import { printError, printLine, printProblem } from './streams.js';

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
  const stateDir = stateDirOf(options);
  // Without a name, the last run that got as far as its backup: one that was refused before changed nothing.
  const found = await findRun(stateDir, named, (manifest) => manifest.backup !== undefined);
  if (!found.ok) {
    printProblem(found.error);
    return EXIT.refused;
  }
  const elsewhere = placeProblem(found.value, options, { acts: true });
  if (elsewhere !== undefined) {
    printProblem(elsewhere);
    return EXIT.refused;
  }
  const { run, manifest } = found.value;
  const { backup, folder } = manifest;
  if (backup === undefined || backup.mode === 'none') {
    printError(`waveplan: run ${run} made no backup: there is nothing to restore from`);
    return EXIT.refused;
  }
  const target = { backup, run, workspace: openWorkspace({ planFile: manifest.plan.file, cwd: folder, stateDir }) };
  // It writes nothing, a lock neither.
  if (options.dryRun === true) return restoreTo(target, options);
  const wait = lockWaitOf(options);
  const lock = await acquireLock(stateDir, {
    purpose: `restore of run ${run}`,
    now: Date.now(),
    wait: wait && { ...wait, isStopped: () => false },
  });
  if (!lock.ok) {
    printProblem(lock.error);
    return EXIT.environment;
  }
  if (lock.value.broken !== undefined) printError(`waveplan: ${lock.value.broken}`);
  try {
    return await restoreTo(target, options);
  } finally {
    await lock.value.release();
  }
}

async function restoreTo(target: RestoreOptions, options: RestoreVerbOptions): Promise<number> {
  const planned = await planRestore(target);
  if (!planned.ok) {
    printProblem(planned.error);
    return EXIT.environment;
  }
  printLine(describe(target, planned.value));
  if (options.dryRun === true || isNothing(planned.value)) return EXIT.done;
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

function isNothing({ added, displaced, modified, deleted }: RestorePlan): boolean {
  return added.count + displaced.count + modified.count + deleted.count === 0;
}

function describe({ run, workspace }: RestoreOptions, plan: RestorePlan): string {
  const folder = inertLine(workspace.gitRoot ?? workspace.folder);
  const left = plan.left.map((name) => `  left as it is: ${inertLine(name)}`);
  if (isNothing(plan)) {
    const nothing = `The files of ${folder} are as they were before run ${run}: there is nothing to restore. Ignored files are not looked at.`;
    return [nothing, ...left].join('\n');
  }
  const { added, displaced, modified, deleted } = plan;
  const rows = [
    [added, `removed, because the backup does not have ${added.count === 1 ? 'it' : 'them'}`],
    [modified, `put back to ${modified.count === 1 ? 'its' : 'their'} content`],
    [deleted, 'brought back'],
  ] as const;
  const lines = rows.flatMap(([files, what]) =>
    files.count === 0 ? [] : [`  ${count(files, 'file')} ${what}: ${names(files)}`],
  );
  return [
    `Restoring the files of ${folder} to what they were before run ${run}:`,
    ...lines,
    ...left,
    ...describeDisplaced(displaced),
  ].join('\n');
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
function describeRestored({ kept, displaced, heads }: Restored, backup: Backup): string {
  const lines = [`Restored. What was there before is kept under ${kept}.`];
  if (displaced.count > 0) {
    lines.push(`Ignored files that were in the way are kept there too: git show ${kept}:FILE prints one.`);
  }
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
