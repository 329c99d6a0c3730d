import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { err, ok, type Result } from '../model/result.js';
import type { Backup } from '../model/run-event.js';
import { type GitFailure, git, gitProblem, gitText, outputOf, readableName } from './git.js';
import { hookTrace, type RefusingHook, refusingHook } from './hook-trace.js';
import { type EnvironmentProblem, systemProblem } from './problem.js';
import { copyIndex, exists, type Repository, ScratchIndex, withScratchFolder } from './repository.js';
import { firstNames, readStatus, type WorkTreeStatus } from './work-tree-status.js';

type CommitBackup = Extract<Backup, { readonly mode: 'commit' }>;

const WITHOUT_COMMIT = 'or back up without a commit: --backup ref';

/** How to commit. */
export interface CommitOptions {
  readonly message: string;
  /** Called with the tree of the backup, before the commit is made and while it can still be called off. */
  readonly keepBytes: (tree: string) => Promise<Result<void, EnvironmentProblem>>;
}

/**
 * Commits everything that git does not ignore to the current branch. On a clean tree HEAD is the backup already.
 *
 *     check ─→ save the index ─→ add ─→ keep the bytes ─→ commit ─→ read back ─→ done
 *                                 └──────────┴───────────┴──────────┴─ fails ─→ branch and index as they were
 */
export async function commitEverything(
  repository: Repository,
  status: WorkTreeStatus,
  options: CommitOptions,
): Promise<Result<CommitBackup, EnvironmentProblem>> {
  const { head, branch } = status;
  if (branch === undefined) {
    return err({
      message: 'HEAD is detached: a backup commit would belong to no branch',
      hint: `check out a branch (git switch -c NAME), ${WITHOUT_COMMIT}`,
    });
  }
  const hidden = await hiddenChanges(repository);
  if (!hidden.ok) return hidden;
  if (status.clean && head !== undefined) {
    const tree = await gitText(repository.root, ['rev-parse', `${head}^{tree}`]);
    if (!tree.ok) return err(gitProblem('read HEAD', tree.error, `check the repository with git fsck, ${WITHOUT_COMMIT}`));
    const bytes = await options.keepBytes(tree.value);
    return bytes.ok ? ok({ mode: 'commit', commit: head, created: false, branch }) : bytes;
  }
  for (const role of ['GIT_AUTHOR_IDENT', 'GIT_COMMITTER_IDENT']) {
    const identity = await git(repository.root, ['var', role]);
    if (!identity.ok) {
      return err(
        gitProblem(
          'name the author of a commit',
          identity.error,
          `git config user.name NAME and git config user.email EMAIL, ${WITHOUT_COMMIT}`,
        ),
      );
    }
  }
  return withScratchFolder(async (scratch) => {
    const kept = join(scratch, 'index');
    const index = join(repository.gitDir, 'index');
    const hadIndex = await exists(index);
    try {
      if (hadIndex) await copyIndex(index, kept);
    } catch (error) {
      return err(systemProblem('keep a copy of the git index', error));
    }
    const made = await addAndCommit(repository, { head, branch }, { ...options, trace: join(scratch, 'trace') });
    if (made.ok && made.value.created) return made;
    const undone = await undo(repository, { head, kept: hadIndex ? kept : undefined });
    if (made.ok || undone === undefined) return undone === undefined ? made : err(undone);
    return err({ message: `${made.error.message}\n${undone.message}`, hint: undone.hint });
  });
}

/** Changes that git was told not to see (assume-unchanged, skip-worktree) would be in no commit, and lost by a restore. */
async function hiddenChanges(repository: Repository): Promise<Result<void, EnvironmentProblem>> {
  return withScratchFolder(async (scratch) => {
    const index = await ScratchIndex.copyOf(repository, scratch);
    if (!index.ok) return index;
    const watched = await index.value.watchAllFiles();
    if (!watched.ok) return err(gitProblem('list the tracked files', watched.error, WITHOUT_COMMIT));
    if (watched.value.length === 0) return ok(undefined);
    const changed = await index.value.changedFiles();
    if (!changed.ok) return err(gitProblem('compare the tracked files', changed.error, WITHOUT_COMMIT));
    const watchedSet = new Set(watched.value);
    const names = changed.value.map(({ path }) => path).filter((path) => watchedSet.has(path));
    if (names.length === 0) return ok(undefined);
    return err({
      message: `changed files are marked assume-unchanged or skip-worktree, so that no commit holds them: ${firstNames(names.map(readableName))}`,
      hint: `unmark them (git update-index --no-assume-unchanged --no-skip-worktree FILE), ${WITHOUT_COMMIT}`,
    });
  });
}

async function addAndCommit(
  repository: Repository,
  before: { readonly head: string | undefined; readonly branch: string },
  options: CommitOptions & { readonly trace: string },
): Promise<Result<CommitBackup, EnvironmentProblem>> {
  const { root } = repository;
  const { message, trace } = options;
  const added = await git(root, ['add', '--all']);
  if (!added.ok) return err(gitProblem('add the files', added.error, `put right what git reports, ${WITHOUT_COMMIT}`));
  const tree = await gitText(root, ['write-tree']);
  if (!tree.ok) return err(gitProblem('write the tree', tree.error, `check the repository with git fsck, ${WITHOUT_COMMIT}`));
  const bytes = await options.keepBytes(tree.value);
  if (!bytes.ok) return bytes;
  if (before.head !== undefined) {
    // Changes that were staged and then taken back: the files equal HEAD, only the index does not.
    const headTree = await gitText(root, ['rev-parse', `${before.head}^{tree}`]);
    if (headTree.ok && headTree.value === tree.value) {
      return ok({ mode: 'commit', commit: before.head, created: false, branch: before.branch });
    }
  }
  const args = ['commit', '--quiet', '--allow-empty', '--cleanup=verbatim', '--no-edit', '--file=-'];
  const committed = await git(root, args, { input: `${message}\n`, manners: 'user', env: hookTrace(trace) });
  if (!committed.ok) return err(commitProblem(committed.error, await refusingHook(trace)));
  return readBack(repository, before, { tree: tree.value, message });
}

function commitProblem(failure: GitFailure, hook: RefusingHook | undefined): EnvironmentProblem {
  if (hook === undefined) {
    return gitProblem('commit the backup', failure, `put right what git or its hook reports, ${WITHOUT_COMMIT}`);
  }
  const said = outputOf(failure);
  const refused = `the ${hook.name} hook refused the backup commit (exit code ${hook.exitCode})`;
  return {
    message: said === '' ? `${refused} and did not say why` : `${refused}: ${said}`,
    hint: `put right what the hook asks for, ${WITHOUT_COMMIT}`,
  };
}

async function readBack(
  repository: Repository,
  before: { readonly head: string | undefined; readonly branch: string },
  expected: { readonly tree: string; readonly message: string },
): Promise<Result<CommitBackup, EnvironmentProblem>> {
  const { root } = repository;
  const found = await gitText(root, ['log', '-1', '--no-show-signature', '--format=%H%n%T%n%P%n%B', 'HEAD', '--']);
  if (!found.ok)
    return err(gitProblem('read the backup commit back', found.error, `check the repository with git fsck, ${WITHOUT_COMMIT}`));
  const [commit = '', tree, parents, ...lines] = found.value.split('\n');
  const doubt = (what: string) =>
    err({
      message: `the backup commit does not hold what was to be saved: ${what}`,
      hint: `see what the commit hooks do, ${WITHOUT_COMMIT}`,
    });
  if (parents !== (before.head ?? '')) return doubt('its parent is not the commit that HEAD was at');
  if (tree !== expected.tree) return doubt('a commit hook changed the files');
  if (!lines.join('\n').includes(expected.message)) return doubt('a commit hook changed the message');
  const status = await readStatus(repository, WITHOUT_COMMIT);
  if (!status.ok) return status;
  if (!status.value.clean) return doubt('files changed while it was made');
  return ok({ mode: 'commit', commit, created: true, branch: before.branch });
}

/** Puts branch and index back. Files were never touched. Returns what could not be put back. */
async function undo(
  repository: Repository,
  before: { readonly head: string | undefined; readonly kept: string | undefined },
): Promise<EnvironmentProblem | undefined> {
  const { root, gitDir } = repository;
  const now = await gitText(root, ['rev-parse', '--verify', '--quiet', 'HEAD']);
  if (now.ok && now.value !== before.head) {
    const args =
      before.head === undefined ? ['update-ref', '-d', 'HEAD', now.value] : ['update-ref', 'HEAD', before.head, now.value];
    const moved = await git(root, args);
    if (!moved.ok) return gitProblem('take the backup commit back', moved.error, `git reset --soft ${before.head ?? ''}`);
  }
  const index = join(gitDir, 'index');
  try {
    if (before.kept === undefined) {
      await rm(index, { force: true });
    } else {
      // A copy beside it and a rename: the index is whole at every moment.
      const beside = `${index}.waveplan`;
      await copyIndex(before.kept, beside);
      await rename(beside, index);
    }
    return undefined;
  } catch (error) {
    const problem = systemProblem('put the git index back', error);
    return { message: problem.message, hint: 'git reset' };
  }
}
