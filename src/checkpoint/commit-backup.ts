import { join } from 'node:path';
import { err, ok, type Result } from '../model/result.js';
import type { Backup } from '../model/run-event.js';
import { type GitFailure, git, gitProblem, gitText, outputOf, readableName } from './git.js';
import { hookRan, hookTrace, type RefusingHook, refusingHook } from './hook-trace.js';
import type { EnvironmentProblem } from './problem.js';
import { MESSAGE_START } from './ref-backup.js';
import { type Repository, ScratchIndex, withScratchFolder } from './repository.js';
import { UserIndex } from './user-index.js';
import { firstNames, readStatus, type WorkTreeStatus } from './work-tree-status.js';

type CommitBackup = Extract<Backup, { readonly mode: 'commit' }>;

const WITHOUT_COMMIT = 'or back up without a commit: --backup ref';

/** How to commit. */
export interface CommitOptions {
  readonly message: string;
  /** Called with the tree of the backup before each attempt to commit it. */
  readonly keepBytes: (tree: string) => Promise<Result<void, EnvironmentProblem>>;
}

/** How often another process may move the branch or the index before a backup is given up. */
const TRIES = 5;

/** `moved`: the branch or the index changed meanwhile, as when two runs back up the same repository. */
type Attempt = Result<CommitBackup, EnvironmentProblem> | 'moved';

/**
 * Commits everything that git does not ignore to the current branch. On a clean tree HEAD is the backup already.
 *
 *     check ─→ copy the index ─→ add to the copy ─→ keep the bytes ─→ commit the copy ─→ replace the index ─→ read back
 *                                                                            └───────────────────┴─ fails ─→ undo
 *
 * Until git moves the branch, at the end of the commit, only the copy changes. The index follows by one rename, so a kill
 * at any moment leaves it as it was or complete.
 */
export async function commitEverything(
  repository: Repository,
  status: WorkTreeStatus,
  options: CommitOptions,
): Promise<Result<CommitBackup, EnvironmentProblem>> {
  let current = status;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const made = await tryToCommit(repository, current, options);
    if (made !== 'moved') return made;
    const again = await readStatus(repository, WITHOUT_COMMIT);
    if (!again.ok) return again;
    current = again.value;
  }
  return err({
    message: 'the branch or the index changed each time while the backup commit was made',
    hint: `wait until no other process commits here, ${WITHOUT_COMMIT}`,
  });
}

async function tryToCommit(
  repository: Repository,
  { head, branch, clean }: WorkTreeStatus,
  options: CommitOptions,
): Promise<Attempt> {
  if (branch === undefined) {
    return err({
      message: 'HEAD is detached: a backup commit would belong to no branch',
      hint: `check out a branch (git switch -c NAME), ${WITHOUT_COMMIT}`,
    });
  }
  const hidden = await hiddenChanges(repository);
  if (!hidden.ok) return hidden;
  if (clean && head !== undefined) {
    const tree = await gitText(repository.root, ['rev-parse', `${head}^{tree}`]);
    if (!tree.ok) return err(gitProblem('read HEAD', tree.error, `check the repository with git fsck, ${WITHOUT_COMMIT}`));
    const bytes = await options.keepBytes(tree.value);
    return bytes.ok ? ok({ mode: 'commit', commit: head, created: false, branch }) : bytes;
  }
  const identity = await identityProblem(repository);
  if (identity !== undefined) return err(identity);
  const made = await withScratchFolder(async (scratch): Promise<Result<Attempt, EnvironmentProblem>> => {
    const index = await UserIndex.copy(repository, scratch);
    if (!index.ok) return index;
    const trace = join(scratch, 'trace');
    return ok(await addAndCommit(repository, { head, branch }, { ...options, trace, index: index.value }));
  });
  return made.ok ? made.value : made;
}

async function identityProblem({ root }: Repository): Promise<EnvironmentProblem | undefined> {
  for (const role of ['GIT_AUTHOR_IDENT', 'GIT_COMMITTER_IDENT']) {
    const identity = await git(root, ['var', role]);
    if (!identity.ok) {
      const hint = `git config user.name NAME and git config user.email EMAIL, ${WITHOUT_COMMIT}`;
      return gitProblem('name the author of a commit', identity.error, hint);
    }
  }
  return undefined;
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

interface Before {
  readonly head: string | undefined;
  readonly branch: string;
}

async function addAndCommit(
  repository: Repository,
  before: Before,
  options: CommitOptions & { readonly trace: string; readonly index: UserIndex },
): Promise<Attempt> {
  const { root } = repository;
  const { message, trace, index } = options;
  const added = await index.scratch.git(['add', '--all']);
  if (!added.ok) return err(gitProblem('add the files', added.error, `fix what git reports, ${WITHOUT_COMMIT}`));
  const tree = await index.scratch.writeTree();
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
  const env = { ...hookTrace(trace), GIT_INDEX_FILE: index.scratch.file };
  const committed = await git(root, args, { input: `${message}\n`, manners: 'user', env });
  if (!committed.ok) {
    // The branch was not moved, or by another process: either way there is nothing to undo.
    const moved = (await headOf(root)) !== before.head;
    return moved ? 'moved' : err(commitProblem(committed.error, await refusingHook(trace)));
  }
  const replaced = await index.replace();
  const found = !replaced.ok
    ? replaced
    : replaced.value
      ? await readBack(repository, before, { ...options, tree: tree.value })
      : 'moved';
  if (found !== 'moved' && found.ok) return found;
  return (await undo(repository, before, index)) ?? found;
}

function commitProblem(failure: GitFailure, hook: RefusingHook | undefined): EnvironmentProblem {
  if (hook === undefined) {
    return gitProblem('commit the backup', failure, `fix what git or its hook reports, ${WITHOUT_COMMIT}`);
  }
  const said = outputOf(failure);
  const refused = `the ${hook.name} hook refused the backup commit (exit code ${hook.exitCode})`;
  return {
    message: said === '' ? `${refused} and did not say why` : `${refused}: ${said}`,
    hint: `fix what the hook asks for, ${WITHOUT_COMMIT}`,
  };
}

async function readBack(
  repository: Repository,
  before: Before,
  expected: { readonly tree: string; readonly message: string; readonly trace: string },
): Promise<Attempt> {
  const { root } = repository;
  const found = await gitText(root, ['log', '-1', '--no-show-signature', '--format=%H%n%T%n%P%n%B', 'HEAD', '--']);
  if (!found.ok)
    return err(gitProblem('read the backup commit back', found.error, `check the repository with git fsck, ${WITHOUT_COMMIT}`));
  const [commit = '', tree, parents, ...lines] = found.value.split('\n');
  const doubt = (what: string) =>
    err({
      message: `the backup commit does not contain what was to be saved: ${what}`,
      hint: `see what the commit hooks do, ${WITHOUT_COMMIT}`,
    });
  if (parents !== (before.head ?? '')) return 'moved';
  if (tree !== expected.tree) {
    return (await hookRan(expected.trace)) ? doubt('a commit hook changed the files') : 'moved';
  }
  if (!lines.join('\n').includes(expected.message)) return doubt('a commit hook changed the message');
  const status = await readStatus(repository, WITHOUT_COMMIT);
  if (!status.ok) return status;
  if (!status.value.clean) return doubt('files changed while it was made');
  return ok({ mode: 'commit', commit, created: true, branch: before.branch });
}

async function headOf(root: string): Promise<string | undefined> {
  const head = await gitText(root, ['rev-parse', '--verify', '--quiet', 'HEAD']);
  return head.ok ? head.value : undefined;
}

/**
 * Takes the backup commit off the branch, if it is there, and puts the index back. Files were never touched. A commit
 * that another process put below it stays. Returns what could not be undone.
 */
async function undo(repository: Repository, before: Before, index: UserIndex): Promise<Attempt | undefined> {
  const { root } = repository;
  const now = await gitText(root, ['log', '-1', '--no-show-signature', '--format=%H %P%n%B', 'HEAD', '--']);
  const [ids = '', ...message] = now.ok ? now.value.split('\n') : [];
  const [commit = '', first = ''] = ids.split(' ');
  const parent = first === '' ? undefined : first;
  if (now.ok && commit !== before.head && (parent === before.head || message.join('\n').startsWith(MESSAGE_START))) {
    const args = parent === undefined ? ['update-ref', '-d', 'HEAD', commit] : ['update-ref', 'HEAD', parent, commit];
    const moved = await git(root, args);
    if (!moved.ok) return err(gitProblem('take the backup commit back', moved.error, 'git reset --soft HEAD~1'));
  }
  return index.putBack();
}
