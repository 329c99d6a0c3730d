import { err, ok, type Result } from '../model/result.js';
import { type GitFailure, git, gitProblem, namesOf, readableName } from './git.js';
import type { EnvironmentProblem } from './problem.js';
import type { Repository, ScratchIndex } from './repository.js';
import { compareSurroundings, ignoredByBackup, type SurroundingsDifference } from './surroundings.js';
import type { Surroundings } from './surroundings-text.js';
import { firstNames } from './work-tree-status.js';

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

/** Whether the tree is as it was. */
export function isRestored(plan: RestorePlan): boolean {
  const { added, displaced, modified, deleted, modes, missingFolders, surplusFolders, index } = plan;
  const counts = [added, displaced, modified, deleted, modes, missingFolders, surplusFolders];
  return !index && counts.every(({ count }) => count === 0);
}

/** Names listed for each kind of change. */
const NAMES = 10;
/** The hint where git fails over a backup. */
export const CHECK = 'check the repository with git fsck and git status, then restore again';

/** A comparison of a backup with the work tree. Names are as `namesOf` gives them. */
export interface ComparedBackup {
  /** The files of the backup. */
  readonly files: readonly string[];
  /** The files that a restore removes. */
  readonly removed: readonly string[];
  readonly plan: RestorePlan;
}

/** Compares the work tree with the backup that `index` contains. Writes nothing outside `rules.folder`, a temporary folder. */
export async function compareWithBackup(
  index: ScratchIndex,
  rules: { readonly surroundings: Surroundings | undefined; readonly folder: string; readonly indexTree: string },
): Promise<Result<ComparedBackup, EnvironmentProblem>> {
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
