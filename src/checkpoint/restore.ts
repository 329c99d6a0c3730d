import { join } from 'node:path';
import { err, ok, type Result } from '../model/result.js';
import type { Backup } from '../model/run-event.js';
import { CHECK, type ComparedBackup, compareWithBackup, type RestorePlan } from './compare-backup.js';
import { type GitFailure, git, gitProblem, gitText, readableName } from './git.js';
import type { EnvironmentProblem } from './problem.js';
import { openRawIndex } from './raw-index.js';
import { backupRef, INDEX_START, saveTrees } from './ref-backup.js';
import { openRepository, type Repository, type ScratchIndex, withScratchFolder } from './repository.js';
import { readSurroundings, restoreSurroundings } from './surroundings.js';
import type { Surroundings } from './surroundings-text.js';
import { firstNames, readStatus, type WorkTreeStatus } from './work-tree-status.js';
import type { Workspace } from './workspace.js';

/** What to restore. */
export interface RestoreOptions {
  readonly backup: Backup;
  readonly workspace: Workspace;
  /** The run that the backup was made for. */
  readonly run: string;
}

/** What a restore did. */
export interface Restored extends RestorePlan {
  /** The ref that holds what was overwritten or removed. */
  readonly kept: string;
  /** Where HEAD was at the backup and is now; a restore moves nothing. */
  readonly heads: { readonly atBackup: HeadPlace; readonly now: HeadPlace };
}

/** Where HEAD is. */
export interface HeadPlace {
  /** Undefined on a detached HEAD. */
  readonly branch: string | undefined;
  /** Undefined before the first commit. */
  readonly commit: string | undefined;
}

/** Says what a restore would change, and changes nothing. */
export function planRestore(options: RestoreOptions): Promise<Result<RestorePlan, EnvironmentProblem>> {
  return withDifference(options, async (difference) => ok(difference.plan));
}

/**
 * Brings the files back to what they were at the backup, and first keeps what it overwrites or removes under
 * `refs/waveplan/before-restore/<run>`. Files that the backup's own rules ignore stay untouched, except where one stands
 * in the way of a file of the backup (`displaced`). Files get the bytes that they had, whatever git would convert. The branch is never moved; the index returns to what it was (`ref`) or to the
 * backup's tree (`commit`). It can be repeated when it was cut short.
 */
export function restore(options: RestoreOptions): Promise<Result<Restored, EnvironmentProblem>> {
  return withDifference(options, async (difference) => {
    const kept = await keepPresent(difference, options.run);
    if (!kept.ok) return kept;
    const { index, target, repository } = difference;
    // The index describes the files as they are, so git rewrites only those that differ and removes those it does not want.
    const written = await index.git(['read-tree', '--reset', '-u', target.tree]);
    if (!written.ok) return err(keptProblem(gitProblem('put the files back', written.error, CHECK), kept.value));
    const different = await stillDifferent(index);
    if (!different.ok) return different;
    if (different.value.length > 0) {
      const message = `files could not be put back: ${firstNames(different.value)}`;
      return err(keptProblem({ message, hint: CHECK }, kept.value));
    }
    const indexed = await putIndexBack(repository, target.indexTree);
    if (!indexed.ok) return err(keptProblem(gitProblem('put the index back', indexed.error, CHECK), kept.value));
    if (difference.surroundings !== undefined) {
      const put = await restoreSurroundings(repository, difference.surroundings, difference.files);
      if (!put.ok) return err(keptProblem(put.error, kept.value));
    }
    const now = { branch: difference.status.branch, commit: difference.status.head };
    return ok({ ...difference.plan, kept: kept.value, heads: { atBackup: target.head, now } });
  });
}

/** The trees that a restore goes back to. */
interface Target {
  readonly tree: string;
  readonly indexTree: string;
  readonly head: HeadPlace;
}

/** The backup against the work tree. */
interface Difference extends ComparedBackup {
  readonly repository: Repository;
  readonly status: WorkTreeStatus;
  readonly target: Target;
  /** Holds the backup's tree, with the stat of files that are unchanged. */
  readonly index: ScratchIndex;
  readonly surroundings: Surroundings | undefined;
}

async function withDifference<Value>(
  options: RestoreOptions,
  use: (difference: Difference) => Promise<Result<Value, EnvironmentProblem>>,
): Promise<Result<Value, EnvironmentProblem>> {
  const { backup, workspace } = options;
  if (backup.mode === 'none') {
    return err({
      message: 'the run was made without a backup, so there is nothing to restore',
      hint: 'use git to undo its changes',
    });
  }
  const opened = await openRepository(workspace, 'then restore again');
  if (!opened.ok) return opened;
  const repository = opened.value;
  const status = await readStatus(repository, 'then restore again');
  if (!status.ok) return status;
  if (status.value.unmerged.length > 0) {
    return err({
      message: `there are unmerged files: ${firstNames(status.value.unmerged)}`,
      hint: 'resolve the conflicts and git add the files, then restore again',
    });
  }
  const read = await readSurroundings(join(workspace.stateDir, 'runs', options.run));
  if (!read.ok) return read;
  const surroundings = read.value;
  const branch = surroundings === undefined ? status.value.branch : surroundings.branch;
  const target = await findTarget(repository, { backup, run: options.run, surroundings, branch });
  if (!target.ok) return target;
  return withScratchFolder(async (scratch) => {
    const index = await openRawIndex(repository, scratch, target.value.tree);
    if (!index.ok) return index;
    const { indexTree } = target.value;
    const compared = await compareWithBackup(index.value, { surroundings, folder: join(scratch, 'rules'), indexTree });
    if (!compared.ok) return compared;
    return use({ repository, status: status.value, target: target.value, index: index.value, surroundings, ...compared.value });
  });
}

async function findTarget(
  repository: Repository,
  saved: {
    readonly backup: Exclude<Backup, { readonly mode: 'none' }>;
    readonly run: string;
    readonly surroundings: Surroundings | undefined;
    /** Where HEAD was, as far as anybody knows. */
    readonly branch: string | undefined;
  },
): Promise<Result<Target, EnvironmentProblem>> {
  const { backup, run, surroundings, branch } = saved;
  const found = await gitText(repository.root, [
    'log',
    '-1',
    '--no-show-signature',
    '--format=%T %P',
    '--end-of-options',
    backup.commit,
    '--',
  ]);
  const [tree, ...parents] = found.ok ? found.value.split(' ') : [];
  if (tree === undefined) {
    return err({
      message: `the backup ${backup.commit} is not in the repository ${repository.root}`,
      hint: 'look for it with git fsck --lost-found',
    });
  }
  if (backup.mode === 'commit') {
    const head = { branch: backup.branch, commit: backup.commit };
    const named = surroundings?.bytes ?? backupRef(run);
    const bytes = await gitText(repository.root, ['rev-parse', '--verify', '--quiet', `${named}^{tree}`]);
    if (bytes.ok) return ok({ tree: bytes.value, indexTree: tree, head });
    // Without such a record, the commit holds the bytes of all files.
    if (surroundings?.bytes === undefined) return ok({ tree, indexTree: tree, head });
    return err({
      message: `the saved bytes of the files, ${backupRef(run)}, are not in the repository any more`,
      hint: `git can give its own form of the files, with other line ends or unfiltered: git restore --source ${backup.commit} .`,
    });
  }
  const last = parents.at(-1);
  const about =
    last === undefined
      ? undefined
      : await gitText(repository.root, ['log', '-1', '--no-show-signature', '--format=%s', last, '--']);
  // The ref of a backup by a commit names that commit, whose tree is that of the index as well.
  if (about === undefined || (about.ok && !about.value.startsWith(INDEX_START))) {
    return ok({ tree, indexTree: tree, head: { branch, commit: backup.commit } });
  }
  const indexTree = await gitText(repository.root, ['rev-parse', '--verify', `${last}^{tree}`]);
  if (!indexTree.ok) return err(gitProblem('read the saved index', indexTree.error, CHECK));
  const commit = parents.length > 1 ? parents[0] : undefined;
  return ok({ tree, indexTree: indexTree.value, head: { branch, commit } });
}

/**
 * Makes the scratch index describe the present files of everything that the restore may touch, and keeps that under a
 * ref: files of the backup as they are now, and files that will be removed, whatever any `.gitignore` says by now.
 */
async function keepPresent(difference: Difference, run: string): Promise<Result<string, EnvironmentProblem>> {
  const { repository, index, removed, status } = difference;
  const hint = 'put right what git reports, then restore again; nothing was changed';
  const updated = await index.git(['add', '--update']);
  const added = updated.ok ? await index.updateIndex(['--add', '--replace'], removed) : updated;
  const tree = added.ok ? await index.writeTree() : added;
  const indexTree = tree.ok ? await gitText(repository.root, ['write-tree']) : tree;
  if (!tree.ok || !indexTree.ok) {
    const failure = tree.ok ? indexTree : tree;
    if (failure.ok) throw new Error('Internal error: no command failed');
    return err(gitProblem('keep the present files', failure.error, hint));
  }
  const ref = await freeRef(repository, `refs/waveplan/before-restore/${run}`);
  if (!ref.ok) return err(gitProblem('list the refs', ref.error, hint));
  const saved = await saveTrees(repository, {
    tree: tree.value,
    indexTree: indexTree.value,
    head: status.head,
    message: `Before the restore of run ${run}`,
    ref: ref.value,
  });
  return saved.ok ? ok(saved.value.ref) : saved;
}

/** Every restore of a run keeps its own state: `<name>`, then `<name>-2` and so on. */
async function freeRef(repository: Repository, name: string): Promise<Result<string, GitFailure>> {
  const listed = await gitText(repository.root, ['for-each-ref', '--format=%(refname)', 'refs/waveplan/before-restore/']);
  if (!listed.ok) return listed;
  const taken = new Set(listed.value.split('\n'));
  let ref = name;
  for (let number = 2; taken.has(ref); number++) ref = `${name}-${number}`;
  return ok(ref);
}

async function stillDifferent(index: ScratchIndex): Promise<Result<readonly string[], EnvironmentProblem>> {
  const changed = await index.changedFiles();
  if (!changed.ok) return err(gitProblem('compare the files with the backup', changed.error, CHECK));
  return ok(changed.value.filter(({ submodule }) => !submodule).map(({ path }) => readableName(path)));
}

async function putIndexBack(repository: Repository, tree: string): Promise<Result<Buffer, GitFailure>> {
  const read = await git(repository.root, ['read-tree', '--reset', tree]);
  if (!read.ok) return read;
  // Only spares the next git status some reading; exit code 1 says that files differ from the index.
  await git(repository.root, ['update-index', '-q', '--refresh']);
  return read;
}

function keptProblem(problem: EnvironmentProblem, ref: string): EnvironmentProblem {
  return { message: problem.message, hint: `${problem.hint}; what was there is kept under ${ref}` };
}
