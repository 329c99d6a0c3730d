import { err, ok, type Result } from '../model/result.js';
import { git, gitProblem, namesOf, readableName } from './git.js';
import type { EnvironmentProblem } from './problem.js';
import type { Repository } from './repository.js';

/** What `git status` says of a work tree, as far as a backup needs to know. */
export interface WorkTreeStatus {
  /** Undefined before the first commit. */
  readonly head: string | undefined;
  /** Undefined on a detached HEAD. */
  readonly branch: string | undefined;
  /** Nothing staged, changed or untracked. */
  readonly clean: boolean;
  readonly unmerged: readonly string[];
  /** Submodules with new commits, changes or untracked files: only their own git can save those. */
  readonly changedSubmodules: readonly string[];
  /** Repositories inside the tree that are not submodules; git would save their commit's id and not their files. */
  readonly embedded: readonly string[];
}

/** Reads the status of the whole work tree. `instead` ends the hint of a problem. */
export async function readStatus(repository: Repository, instead: string): Promise<Result<WorkTreeStatus, EnvironmentProblem>> {
  const args = [
    'status',
    '--porcelain=v2',
    '--branch',
    '-z',
    '--untracked-files=all',
    '--ignore-submodules=none',
    '--no-renames',
  ];
  const output = await git(repository.root, args);
  if (!output.ok) return err(gitProblem('read the state of the work tree', output.error, `check it with git status, ${instead}`));
  return ok(parseStatus(namesOf(output.value)));
}

/**
 * Porcelain format 2: `# branch.oid <id>`, `# branch.head <name>`, `1 XY sub mH mI mW hH hI path`,
 * `u XY sub m1 m2 m3 mW h1 h2 h3 path`, `? path`. `sub` is `S<c><m><u>` for a submodule, with `.` for 'no'.
 */
function parseStatus(entries: readonly string[]): WorkTreeStatus {
  const lines = entries.map((entry) => entry.split(' '));
  const header = (name: string) => lines.find((fields) => fields[0] === '#' && fields[1] === name)?.[2];
  const head = header('branch.oid');
  const branch = header('branch.head');
  const paths = (kind: string, before: number) =>
    lines
      .filter((fields) => fields[0] === kind)
      .map((fields) => ({ sub: fields[2] ?? '', path: fields.slice(before).join(' ') }));
  const tracked = paths('1', 8);
  const unmerged = paths('u', 10);
  const untracked = paths('?', 1);
  return {
    head: head === '(initial)' ? undefined : head,
    branch: branch === '(detached)' ? undefined : branch,
    clean: tracked.length + unmerged.length + untracked.length === 0,
    unmerged: unmerged.map(({ path }) => readableName(path)),
    changedSubmodules: tracked.filter(({ sub }) => /^S(?!\.\.\.)/.test(sub)).map(({ path }) => readableName(path)),
    embedded: untracked.filter(({ path }) => path.endsWith('/')).map(({ path }) => readableName(path)),
  };
}

/** Why no backup of this work tree would be whole; undefined where one would. */
export async function unsavableState(
  repository: Repository,
  status: WorkTreeStatus,
  instead: string,
): Promise<EnvironmentProblem | undefined> {
  if (status.unmerged.length > 0) {
    return {
      message: `there are unmerged files: ${firstNames(status.unmerged)}`,
      hint: `resolve the conflicts and git add the files, ${instead}`,
    };
  }
  if (status.changedSubmodules.length > 0) {
    const names = firstNames(status.changedSubmodules);
    return {
      message: `submodules have changes that a backup of this repository does not hold: ${names}`,
      hint: `commit or stash inside the submodule and commit its new state here, ${instead}`,
    };
  }
  if (status.embedded.length > 0) {
    const names = firstNames(status.embedded);
    return {
      message: `repositories inside this one are not submodules, and a backup does not hold their files: ${names}`,
      hint: `move them away or add them to .gitignore, ${instead}`,
    };
  }
  return trackedState(repository, instead);
}

/** A backup with the state in it would put back an old journal. */
async function trackedState(repository: Repository, instead: string): Promise<EnvironmentProblem | undefined> {
  const { root, statePath } = repository;
  if (statePath === undefined) return undefined;
  const tracked = await git(root, ['ls-files', '-z', '--', statePath], { env: { GIT_LITERAL_PATHSPECS: '1' } });
  if (!tracked.ok) return gitProblem('list the tracked files', tracked.error, `check the repository with git fsck, ${instead}`);
  if (tracked.value.length === 0) return undefined;
  return {
    message: `the state folder ${statePath} is tracked by git`,
    hint: `take it out (git rm -r -q --cached ${statePath}) and commit, ${instead}`,
  };
}

/** A few names for a message, and how many more there are. */
export function firstNames(names: readonly string[], limit = 5): string {
  const more = names.length - limit;
  return more > 0 ? `${names.slice(0, limit).join(', ')} and ${more} more` : names.join(', ');
}
