import { join } from 'node:path';
import { ok, type Result } from '../model/result.js';
import type { Backup } from '../model/run-event.js';
import { commitEverything } from './commit-backup.js';
import { git } from './git.js';
import type { EnvironmentProblem } from './problem.js';
import { MESSAGE_START, nameBackup, saveUnderRef } from './ref-backup.js';
import { openRepository, type Repository } from './repository.js';
import { recordSurroundings } from './surroundings.js';
import { readStatus, unsavableState, type WorkTreeStatus } from './work-tree-status.js';
import type { Workspace } from './workspace.js';

const WITHOUT_BACKUP = 'or run without a backup: --backup none';

/** What to back up, and how. */
export interface BackupOptions {
  readonly mode: Backup['mode'];
  readonly workspace: Workspace;
  /** The run's id. Its folder must exist (`prepareState`). */
  readonly run: string;
  /** What the run is called, for the commit's message. */
  readonly name: string;
}

/**
 * Saves the whole repository's files before a run changes them. Ignored files, the state folder and empty folders are in
 * no backup. A state that allows none is a problem, found before anything was changed, and a backup that fails
 * half-way leaves branch, index and files as they were. What is saved are the bytes of the files, whatever git would
 * convert.
 */
export async function makeBackup(options: BackupOptions): Promise<Result<Backup, EnvironmentProblem>> {
  const { mode, workspace } = options;
  if (mode === 'none') return ok({ mode });
  const repository = await openRepository(workspace, WITHOUT_BACKUP);
  if (!repository.ok) return repository;
  const status = await readStatus(repository.value, WITHOUT_BACKUP);
  if (!status.ok) return status;
  const unsavable = await unsavableState(repository.value, status.value, WITHOUT_BACKUP);
  if (unsavable !== undefined) return { ok: false, error: unsavable };
  return mode === 'commit'
    ? backUpAsCommit(repository.value, status.value, options)
    : backUpUnderRef(repository.value, status.value, options);
}

async function backUpUnderRef(
  repository: Repository,
  status: WorkTreeStatus,
  options: BackupOptions,
): Promise<Result<Backup, EnvironmentProblem>> {
  const recorded = await recordSurroundings(repository, runDirOf(options), { branch: status.branch });
  if (!recorded.ok) return recorded;
  const saved = await saveUnderRef(repository, { run: options.run, message: messageOf(options), head: status.head });
  if (!saved.ok) return saved;
  if (saved.value === undefined) throw new Error('Internal error: the work tree was not saved');
  return ok({ mode: 'ref', commit: saved.value.commit, ref: saved.value.ref });
}

/**
 * The commit holds what git makes of the files. The run's ref names the bytes of the files where those differ, and the
 * commit where they do not, so that a backup is found without the state folder.
 */
async function backUpAsCommit(
  repository: Repository,
  status: WorkTreeStatus,
  options: BackupOptions,
): Promise<Result<Backup, EnvironmentProblem>> {
  const message = messageOf(options);
  let ref: string | undefined;
  const dropBytes = async () => {
    if (ref !== undefined) await git(repository.root, ['update-ref', '-d', ref]);
    ref = undefined;
  };
  const keepBytes = async (tree: string): Promise<Result<void, EnvironmentProblem>> => {
    await dropBytes();
    const saved = await saveUnderRef(repository, { run: options.run, message, head: status.head, unlike: tree });
    if (!saved.ok) return saved;
    ref = saved.value?.ref;
    return recordSurroundings(repository, runDirOf(options), { branch: status.branch, bytes: saved.value?.tree });
  };
  const made = await commitEverything(repository, status, { message, keepBytes });
  if (!made.ok) {
    await dropBytes();
    return made;
  }
  if (ref !== undefined) return made;
  const named = await nameBackup(repository, options.run, made.value.commit);
  return named.ok ? made : named;
}

function runDirOf({ workspace, run }: BackupOptions): string {
  return join(workspace.stateDir, 'runs', run);
}

function messageOf({ name }: BackupOptions): string {
  return `${MESSAGE_START}${name.replace(/\s+/g, ' ').trim()}`;
}
