import { join } from 'node:path';
import { err, ok, type Result } from '../model/result.js';
import type { Backup } from '../model/run-event.js';
import { type GitFailure, git, gitProblem, gitText, namesOf, readableName } from './git.js';
import type { EnvironmentProblem } from './problem.js';
import { openRawIndex } from './raw-index.js';
import { backupRef, INDEX_START, saveTrees } from './ref-backup.js';
import { openRepository, type Repository, type ScratchIndex, withScratchFolder } from './repository.js';
import {
  compareSurroundings,
  ignoredByBackup,
  readSurroundings,
  restoreSurroundings,
  type SurroundingsDifference,
} from './surroundings.js';
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

/** A number of files and the names of the first of them. */
export interface FileCount {
  readonly count: number;
  readonly first: readonly string[];
}

/** How the work tree differs from the backup; empty counts where it does not. */
export interface RestorePlan {
  /** Made since the backup: a restore removes them. */
  readonly added: FileCount;
  /**
   * Ignored files that stand in the way of what a restore brings back, as in a folder that replaced a file. A restore
   * removes them too, although it leaves all other ignored files alone, and keeps them with what it overwrites.
   */
  readonly displaced: FileCount;
  /** Changed since the backup in content or kind: a restore puts them back. */
  readonly modified: FileCount;
  /** Gone since the backup: a restore brings them back. */
  readonly deleted: FileCount;
  /** Files and folders whose permissions changed, and nothing else of them: they get those that they had. */
  readonly modes: FileCount;
  /** Empty folders that a restore brings back. */
  readonly missingFolders: FileCount;
  /** Empty folders that a restore removes. */
  readonly surplusFolders: FileCount;
  /** Whether the git index differs from the one that a restore puts back. */
  readonly index: boolean;
  /** Ignored files and folders that are gone since the backup, which cannot bring them back. */
  readonly lost: FileCount;
  /** Ignored files that changed since the backup, which cannot bring their content back. */
  readonly overwritten: FileCount;
  /** Submodules and inner repositories that changed or came since: a restore leaves them as they are. */
  readonly left: readonly string[];
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

/** Whether the tree is as it was. */
export function isRestored(plan: RestorePlan): boolean {
  const { added, displaced, modified, deleted, modes, missingFolders, surplusFolders, index } = plan;
  const counts = [added, displaced, modified, deleted, modes, missingFolders, surplusFolders];
  return !index && counts.every(({ count }) => count === 0);
}

/** Names listed for each kind of change. */
const NAMES = 10;
const CHECK = 'check the repository with git fsck and git status, then restore again';

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
interface Difference {
  readonly repository: Repository;
  readonly status: WorkTreeStatus;
  readonly target: Target;
  /** Holds the backup's tree, with the stat of files that are unchanged. */
  readonly index: ScratchIndex;
  readonly surroundings: Surroundings | undefined;
  /** The files of the backup, as `namesOf` gives them. */
  readonly files: readonly string[];
  /** Names, as `namesOf` gives them, that a restore removes. */
  readonly removed: readonly string[];
  readonly plan: RestorePlan;
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
    const compared = await compare(index.value, { surroundings, folder: join(scratch, 'rules'), indexTree });
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

async function compare(
  index: ScratchIndex,
  rules: { readonly surroundings: Surroundings | undefined; readonly folder: string; readonly indexTree: string },
): Promise<Result<Pick<Difference, 'files' | 'removed' | 'plan'>, EnvironmentProblem>> {
  const changed = await index.changedFiles();
  const others = changed.ok ? await index.git(['ls-files', '--others', '-z']) : changed;
  const tracked = others.ok ? await index.git(['ls-files', '--cached', '-z']) : others;
  if (!changed.ok || !others.ok || !tracked.ok) {
    const failure = [changed, others, tracked].find((result) => !result.ok);
    if (failure === undefined || failure.ok) throw new Error('Internal error: no command failed');
    return err(gitProblem('compare the files with the backup', failure.error, CHECK));
  }
  const { statePath } = index.repository;
  const present = namesOf(others.value).filter(
    (path) => statePath === undefined || !readableName(path).startsWith(`${statePath}/`),
  );
  const ignored = await ignoredByBackup(index, rules, present);
  if (!ignored.ok) return ignored;
  const obstructs = obstruction(namesOf(tracked.value));
  const unwanted = present.filter((path) => !ignored.value.has(path) || obstructs(path));
  // git lists an inner repository as one folder.
  const repositories = unwanted.filter((path) => path.endsWith('/'));
  const obstructing = repositories.filter((path) => obstructs(path.slice(0, -1)));
  if (obstructing.length > 0) {
    const names = firstNames(obstructing.map(readableName));
    return err({
      message: `repositories stand where the backup has files: ${names}`,
      hint: 'move them away, then restore again',
    });
  }
  const removed = unwanted.filter((path) => !path.endsWith('/'));
  const added = removed.filter((path) => !ignored.value.has(path));
  const displaced = removed.filter((path) => ignored.value.has(path));
  const indexDiffers = await differsFromIndex(index.repository, rules.indexTree);
  if (!indexDiffers.ok) return err(gitProblem('compare the index with the backup', indexDiffers.error, CHECK));
  const all = namesOf(tracked.value);
  const around = rules.surroundings && (await compareSurroundings(index.repository, rules.surroundings, all));
  if (around?.ok === false) return around;
  const { missing, surplus, modes, gone, changed: overwritten } = around?.value ?? UNKNOWN;
  const differing = new Set(changed.value.map(({ path }) => path));
  const files = changed.value.filter(({ submodule }) => !submodule);
  const submodules = changed.value.filter(({ submodule }) => submodule);
  return ok({
    files: all,
    removed,
    plan: {
      added: countOf(added),
      displaced: countOf(displaced),
      modified: countOf(files.filter(({ deleted }) => !deleted).map(({ path }) => path)),
      deleted: countOf(files.filter(({ deleted }) => deleted).map(({ path }) => path)),
      modes: countOf(modes.map(({ path }) => path).filter((path) => !differing.has(path))),
      missingFolders: countOf(missing),
      surplusFolders: countOf(surplus),
      index: indexDiffers.value,
      lost: countOf(gone),
      overwritten: countOf(overwritten.filter((path) => !obstructs(path))),
      left: [...submodules.map(({ path }) => path), ...repositories].map(readableName),
    },
  });
}

/** Without a record of the surroundings, nothing is compared with it. */
const UNKNOWN: SurroundingsDifference = { missing: [], surplus: [], modes: [], gone: [], changed: [] };

/** Whether the user's index holds another tree. Writes nothing. */
async function differsFromIndex({ root }: Repository, tree: string): Promise<Result<boolean, GitFailure>> {
  const args = ['diff-index', '--cached', '--quiet', '--ignore-submodules=none', tree, '--'];
  const compared = await git(root, args);
  if (compared.ok) return ok(false);
  // Exit code 1: they differ.
  return compared.error.kind === 'failed' && compared.error.code === 1 ? ok(true) : compared;
}

/** Whether a path lies where the backup has a file, or is a file where the backup has a folder. */
function obstruction(tracked: readonly string[]): (path: string) => boolean {
  const files = new Set(tracked);
  const folders = new Set<string>();
  for (const file of tracked) {
    for (let at = file.lastIndexOf('/'); at > 0 && !folders.has(file.slice(0, at)); at = file.lastIndexOf('/', at - 1)) {
      folders.add(file.slice(0, at));
    }
  }
  return (path) => {
    if (files.has(path) || folders.has(path)) return true;
    for (let at = path.indexOf('/'); at > 0; at = path.indexOf('/', at + 1)) {
      if (files.has(path.slice(0, at))) return true;
    }
    return false;
  };
}

function countOf(paths: readonly string[]): FileCount {
  return { count: paths.length, first: paths.slice(0, NAMES).map(readableName) };
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
