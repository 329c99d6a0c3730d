import { NAME_PATTERN } from '../model/ids.js';
import { err, ok, type Result } from '../model/result.js';
import type { Backup } from '../model/run-event.js';
import { type GitFailure, git, gitProblem, gitText } from './git.js';
import type { EnvironmentProblem } from './problem.js';
import { keepRawIndex, openRawIndex } from './raw-index.js';
import { type Repository, ScratchIndex, withScratchFolder } from './repository.js';

/** Who signs what git needs a name for when the user has given none. */
const OWN_IDENTITY: Readonly<Record<string, string>> = {
  GIT_AUTHOR_NAME: 'waveplan',
  GIT_AUTHOR_EMAIL: 'waveplan@localhost',
  GIT_COMMITTER_NAME: 'waveplan',
  GIT_COMMITTER_EMAIL: 'waveplan@localhost',
};

/** A saved state: a commit whose tree is the work tree and whose last parent's tree is the index, kept alive by a ref. */
export interface SavedState {
  readonly commit: string;
  readonly ref: string;
}

/** The trees of a work tree and of its index. */
interface Trees {
  /** Of the files' own bytes. */
  readonly tree: string;
  /** As git has it. */
  readonly indexTree: string;
}

/** How the message of every backup begins. */
export const MESSAGE_START = 'Backup before parallel operation: ';

/** How the message of the commit of an index begins. */
export const INDEX_START = 'Index at: ';

const BACKUPS = 'refs/waveplan/backups/';

/** The ref of a run's backup. */
export function backupRef(run: string): string {
  return `${BACKUPS}${run}`;
}

/**
 * Saves the bytes of the whole work tree, untracked files too, without touching branch, index or files:
 *
 *     HEAD ──────────────┐
 *     commit of the index ┴─ commit of the work tree  ← refs/waveplan/backups/<run>
 *
 * Where the bytes are those of the tree `unlike`, that tree does, and nothing is saved.
 */
export function saveUnderRef(
  repository: Repository,
  options: { readonly run: string; readonly message: string; readonly head: string | undefined; readonly unlike?: string },
): Promise<Result<(SavedState & Trees) | undefined, EnvironmentProblem>> {
  return withScratchFolder(async (scratch) => {
    const trees = await wholeTree(repository, scratch, options.unlike);
    if (!trees.ok) return trees;
    if (trees.value.tree === options.unlike) return ok(undefined);
    const saved = await saveTrees(repository, { ...options, ...trees.value, ref: backupRef(options.run) });
    return saved.ok ? ok({ ...saved.value, ...trees.value }) : saved;
  });
}

/** A backup found by its ref. */
export interface NamedBackup {
  readonly run: string;
  readonly backup: Extract<Backup, { readonly mode: 'ref' }>;
}

/**
 * The backups that a repository has refs for, the oldest first: run ids sort by time. For a run whose state folder is
 * gone, as after `git clean -fdx`.
 */
export async function namedBackups(root: string): Promise<Result<readonly NamedBackup[], GitFailure>> {
  const format = '--format=%(refname) %(objectname) %(objecttype)';
  const listed = await gitText(root, ['for-each-ref', format, BACKUPS]);
  if (!listed.ok) return listed;
  const found: NamedBackup[] = [];
  for (const line of listed.value.split('\n')) {
    const [ref = '', commit = '', type] = line.split(' ');
    const run = ref.slice(BACKUPS.length);
    if (type !== 'commit' || !NAME_PATTERN.test(run)) continue;
    found.push({ run, backup: { mode: 'ref', commit, ref } });
  }
  return ok(found);
}

/** How many work trees share the refs of a repository. */
export async function countWorkTrees(root: string): Promise<number> {
  const listed = await gitText(root, ['worktree', 'list', '--porcelain']);
  return listed.ok ? listed.value.split('\n').filter((line) => line.startsWith('worktree ')).length : 1;
}

/** Gives a commit the ref of a run's backup, which must be new. */
export async function nameBackup(repository: Repository, run: string, commit: string): Promise<Result<void, EnvironmentProblem>> {
  const ref = backupRef(run);
  const named = await git(repository.root, ['update-ref', ref, commit, '0'.repeat(commit.length)]);
  if (named.ok) return ok(undefined);
  return err(gitProblem(`write ${ref}`, named.error, 'fix what git reports, or run without a backup: --backup none'));
}

/** `indexTree` is of the user's index unless it is given. */
async function wholeTree(repository: Repository, scratch: string, given?: string): Promise<Result<Trees, EnvironmentProblem>> {
  const problem = (failure: GitFailure) =>
    err(gitProblem('save the work tree', failure, 'put right what git reports, or run without a backup: --backup none'));
  const users = await ScratchIndex.copyOf(repository, scratch);
  if (!users.ok) return users;
  const indexTree = given === undefined ? await users.value.writeTree() : ok(given);
  if (!indexTree.ok) return problem(indexTree.error);
  const index = await openRawIndex(repository, scratch, indexTree.value);
  if (!index.ok) return index;
  const added = await index.value.git(['add', '--all']);
  if (!added.ok) return problem(added.error);
  const tree = await index.value.writeTree();
  if (!tree.ok) return problem(tree.error);
  await keepRawIndex(index.value);
  return ok({ tree: tree.value, indexTree: indexTree.value });
}

/** Makes the commits and the ref over two trees, and reads them back. The ref must be new. */
export async function saveTrees(
  repository: Repository,
  state: {
    readonly tree: string;
    readonly indexTree: string;
    readonly head: string | undefined;
    readonly message: string;
    readonly ref: string;
  },
): Promise<Result<SavedState, EnvironmentProblem>> {
  const { root } = repository;
  const { head, message, ref } = state;
  const saved = await commitAndRef(root, state);
  if (!saved.ok)
    return err(
      gitProblem(
        `save the work tree under ${ref}`,
        saved.error,
        'check the repository with git fsck, or run without a backup: --backup none',
      ),
    );
  const indexParent = head === undefined ? `${ref}^1` : `${ref}^2`;
  const readBack = await gitText(root, ['rev-parse', ref, `${ref}^{tree}`, `${indexParent}^{tree}`]);
  if (!readBack.ok || readBack.value !== `${saved.value}\n${state.tree}\n${state.indexTree}`) {
    return err({
      message: `the backup ${ref} does not read back as it was written (${message})`,
      hint: 'check the repository with git fsck, or run without a backup: --backup none',
    });
  }
  return ok({ commit: saved.value, ref });
}

async function commitAndRef(
  root: string,
  state: {
    readonly tree: string;
    readonly indexTree: string;
    readonly head: string | undefined;
    readonly message: string;
    readonly ref: string;
  },
): Promise<Result<string, GitFailure>> {
  const named = await gitText(root, ['var', 'GIT_COMMITTER_IDENT']);
  const authored = named.ok ? await gitText(root, ['var', 'GIT_AUTHOR_IDENT']) : named;
  const env = authored.ok ? {} : OWN_IDENTITY;
  const commit = (tree: string, parents: readonly string[], message: string) =>
    gitText(root, ['commit-tree', '--no-gpg-sign', ...parents.flatMap((parent) => ['-p', parent]), tree], {
      input: message,
      env,
    });
  const heads = state.head === undefined ? [] : [state.head];
  const index = await commit(state.indexTree, heads, `${INDEX_START}${state.message}\n`);
  if (!index.ok) return index;
  const whole = await commit(state.tree, [...heads, index.value], `${state.message}\n`);
  if (!whole.ok) return whole;
  // An all-zero old value: the ref must not exist yet.
  const updated = await gitText(root, [
    'update-ref',
    '-m',
    state.message,
    state.ref,
    whole.value,
    '0'.repeat(whole.value.length),
  ]);
  return updated.ok ? whole : updated;
}
