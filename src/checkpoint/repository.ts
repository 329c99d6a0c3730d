import { copyFile, lstat, mkdtemp, rm, stat, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { err, ok, type Result } from '../model/result.js';
import { type GitFailure, type GitOptions, git, gitProblem, gitText, namesOf, nulTerminated } from './git.js';
import { type EnvironmentProblem, errnoOf, systemProblem } from './problem.js';
import type { Workspace } from './workspace.js';

/** A repository whose state was found fit for a backup or a restore. */
export interface Repository {
  /** The root of the work tree: backups hold the whole of it. */
  readonly root: string;
  /** Where HEAD and the index are; of a linked work tree, its own. */
  readonly gitDir: string;
  /** Absolute. */
  readonly stateDir: string;
  /** The state folder relative to the root, with `/`; undefined when it is outside. */
  readonly statePath: string | undefined;
}

/** The operations that git leaves half done, and how each is ended. */
const IN_PROGRESS: readonly { readonly marker: string; readonly name: string; readonly end: string }[] = [
  { marker: 'MERGE_HEAD', name: 'a merge', end: 'git merge --continue or git merge --abort' },
  { marker: 'rebase-merge', name: 'a rebase', end: 'git rebase --continue or git rebase --abort' },
  { marker: 'rebase-apply', name: 'a rebase or git am', end: 'git rebase --abort or git am --abort' },
  { marker: 'CHERRY_PICK_HEAD', name: 'a cherry-pick', end: 'git cherry-pick --continue or git cherry-pick --abort' },
  { marker: 'REVERT_HEAD', name: 'a revert', end: 'git revert --continue or git revert --abort' },
  {
    marker: 'sequencer',
    name: 'a cherry-pick or revert of several commits',
    end: 'git cherry-pick --abort or git revert --abort',
  },
  { marker: 'BISECT_LOG', name: 'a bisect', end: 'git bisect reset' },
];

/**
 * Finds the repository and checks that nothing is in progress in it. Changes nothing.
 * `instead` ends the hints, such as 'or run without a backup: --backup none'.
 */
export async function openRepository(workspace: Workspace, instead: string): Promise<Result<Repository, EnvironmentProblem>> {
  const { gitRoot, folder, stateDir } = workspace;
  if (gitRoot === undefined) return err(await noRepository(folder, instead));
  const found = await gitText(gitRoot, ['rev-parse', '--is-inside-work-tree', '--absolute-git-dir']);
  if (!found.ok) return err(gitProblem(`read the repository ${gitRoot}`, found.error, `check it with git status, ${instead}`));
  const [inside, gitDir] = found.value.split('\n');
  if (inside !== 'true' || gitDir === undefined) return err(bareRepository(gitRoot, instead));
  const problem = await unfinishedOperation(gitRoot, gitDir, instead);
  if (problem !== undefined) return err(problem);
  const path = relative(gitRoot, stateDir);
  const outside = path === '' || path === '..' || path.startsWith(`..${sep}`);
  return ok({ root: gitRoot, gitDir, stateDir, statePath: outside ? undefined : path.split(sep).join('/') });
}

async function noRepository(folder: string, instead: string): Promise<EnvironmentProblem> {
  const bare = await gitText(folder, ['rev-parse', '--is-bare-repository']);
  if (bare.ok && bare.value === 'true') return bareRepository(folder, instead);
  if (!bare.ok && bare.error.kind === 'not-installed') return gitProblem('start', bare.error, '');
  return { message: `${folder} is not in a git repository`, hint: `make it one (git init), ${instead}` };
}

function bareRepository(folder: string, instead: string): EnvironmentProblem {
  return { message: `${folder} is a bare git repository: it has no files to work on`, hint: `work in a clone of it, ${instead}` };
}

async function unfinishedOperation(root: string, gitDir: string, instead: string): Promise<EnvironmentProblem | undefined> {
  for (const { marker, name, end } of IN_PROGRESS) {
    if (await exists(join(gitDir, marker))) {
      return { message: `${name} is in progress in ${root}`, hint: `end it (${end}), ${instead}` };
    }
  }
  const lock = join(gitDir, 'index.lock');
  if (await exists(lock)) {
    return {
      message: `another git process is at work in ${root}: ${lock} exists`,
      hint: `wait for it; if there is none, remove ${lock}`,
    };
  }
  return undefined;
}

/** Whether anything, also a dangling link, is at `path`. */
export async function exists(path: string | Buffer): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return false;
    throw error;
  }
}

/** Runs `use` with a new folder outside the work tree, and removes it whatever happens. */
export async function withScratchFolder<Value>(
  use: (folder: string) => Promise<Result<Value, EnvironmentProblem>>,
): Promise<Result<Value, EnvironmentProblem>> {
  let folder: string;
  try {
    folder = await mkdtemp(join(tmpdir(), 'waveplan-'));
  } catch (error) {
    return err(systemProblem(`create a temporary folder in ${tmpdir()}`, error));
  }
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}

/**
 * Copies an index file. git reads a file's content again when it is as new as the index; a copy is newer than its source
 * and would hide a change made at the very moment the source was written, so the copy is dated a little back.
 */
export async function copyIndex(source: string, target: string): Promise<void> {
  await copyFile(source, target);
  const seconds = Math.floor((await stat(source)).mtimeMs / 1000) - 1;
  await utimes(target, seconds, seconds);
}

/** A second index over the same work tree: what is done to it touches neither the user's index nor their files. */
export class ScratchIndex {
  readonly repository: Repository;
  readonly file: string;
  readonly #env: Readonly<Record<string, string>>;

  private constructor(repository: Repository, file: string, env: Readonly<Record<string, string>>) {
    this.repository = repository;
    this.file = file;
    this.#env = { ...env, GIT_INDEX_FILE: file };
  }

  /** An index in `file`, which may be missing yet; `env` is laid over the environment of each command. */
  static at(repository: Repository, file: string, env: Readonly<Record<string, string>>): ScratchIndex {
    return new ScratchIndex(repository, file, env);
  }

  /** Starts as a copy of the user's index, so that files whose stat is unchanged need not be read again. */
  static async copyOf(repository: Repository, scratch: string): Promise<Result<ScratchIndex, EnvironmentProblem>> {
    const file = join(scratch, 'index');
    const source = join(repository.gitDir, 'index');
    try {
      if (await exists(source)) await copyIndex(source, file);
    } catch (error) {
      return err(systemProblem(`copy the git index ${source}`, error));
    }
    return ok(new ScratchIndex(repository, file, {}));
  }

  /** Runs git on this index. */
  git(args: readonly string[], options: GitOptions = {}): Promise<Result<Buffer, GitFailure>> {
    return git(this.repository.root, args, { ...options, env: { ...this.#env, ...options.env } });
  }

  /** The tree that the index describes, written to the object store. */
  async writeTree(): Promise<Result<string, GitFailure>> {
    const tree = await this.git(['write-tree']);
    return tree.ok ? ok(tree.value.toString().trim()) : tree;
  }

  /**
   * Makes git look at files that it was told not to look at (assume-unchanged, skip-worktree), for they are part of the
   * tree as well, and returns their names. Under a sparse checkout skip-worktree means 'not here', and stays.
   */
  async watchAllFiles(): Promise<Result<readonly string[], GitFailure>> {
    const listing = await this.git(['ls-files', '-v', '-z']);
    if (!listing.ok) return listing;
    // A lower-case tag is assume-unchanged; S, in either case, is skip-worktree.
    const flagged = namesOf(listing.value).filter((entry) => /^[Sa-z]/.test(entry));
    if (flagged.length === 0) return ok([]);
    const sparse = await gitText(this.repository.root, ['config', '--type=bool', '--get', 'core.sparseCheckout']);
    const assumed = flagged.filter((entry) => /^[a-z]/.test(entry)).map((entry) => entry.slice(2));
    const skipped =
      sparse.ok && sparse.value === 'true' ? [] : flagged.filter((entry) => /^s/i.test(entry)).map((entry) => entry.slice(2));
    // One call each: with both options in one call, only the last counts.
    const assumedCleared = await this.updateIndex(['--no-assume-unchanged'], assumed);
    if (!assumedCleared.ok) return assumedCleared;
    const skippedCleared = await this.updateIndex(['--no-skip-worktree'], skipped);
    return skippedCleared.ok ? ok([...new Set([...assumed, ...skipped])]) : skippedCleared;
  }

  /** Applies `update-index` options to many paths. */
  async updateIndex(options: readonly string[], paths: readonly string[]): Promise<Result<void, GitFailure>> {
    if (paths.length === 0) return ok(undefined);
    const updated = await this.git(['update-index', ...options, '-z', '--stdin'], { input: nulTerminated(paths) });
    return updated.ok ? ok(undefined) : updated;
  }

  /** The entries whose files differ from the index, each with the state of its file. */
  async changedFiles(): Promise<Result<readonly ChangedFile[], GitFailure>> {
    // Compares contents where the stat differs; exit code 1 says that some differ indeed.
    const refreshed = await this.git(['update-index', '-q', '--refresh']);
    if (!refreshed.ok && !(refreshed.error.kind === 'failed' && refreshed.error.code === 1)) return refreshed;
    const raw = await this.git(['diff-files', '--raw', '--no-renames', '--ignore-submodules=none', '-z']);
    if (!raw.ok) return raw;
    const fields = namesOf(raw.value);
    const changed: ChangedFile[] = [];
    for (let at = 0; at + 1 < fields.length; at += 2) {
      const [mode = '', , , , status = ''] = (fields[at] ?? '').slice(1).split(' ');
      changed.push({ path: fields[at + 1] ?? '', submodule: mode === '160000', deleted: status === 'D' });
    }
    return ok(changed);
  }
}

/** A file that differs from its entry in an index. */
export interface ChangedFile {
  readonly path: string;
  readonly submodule: boolean;
  readonly deleted: boolean;
}
