import { lstat, mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { err, ok, type Result } from '../model/result.js';
import { writeFileAtomic } from './atomic-file.js';
import { git, gitProblem, namesOf, nulTerminated } from './git.js';
import { type EnvironmentProblem, errnoOf, systemProblem } from './problem.js';
import { exists, type Repository, type ScratchIndex } from './repository.js';
import { readStateJson } from './state-file.js';

/**
 * What a restore needs to know of the tree and git does not keep: the `.gitignore` files that ignore themselves (a tool's
 * cache folder has one), and the empty folders. Without the first, nobody could tell files that were ignored before
 * the run from files that the run hid by writing a `.gitignore`.
 */
export interface Surroundings {
  /** Paths from the root (as `namesOf` gives them) and contents in base64. */
  readonly ignoreFiles: readonly { readonly path: string; readonly content: string }[];
  readonly emptyFolders: readonly string[];
  /** Undefined on a detached HEAD. */
  readonly branch?: string | undefined;
  /** The tree of the files' own bytes, where the backup's commit holds what git makes of them. */
  readonly bytes?: string | undefined;
}

const FILE = 'surroundings.json';

/** Writes the surroundings of a backup to the run's folder. */
export async function recordSurroundings(
  repository: Repository,
  runDir: string,
  known: Pick<Surroundings, 'branch' | 'bytes'>,
): Promise<Result<void, EnvironmentProblem>> {
  const { root } = repository;
  const listed = await git(root, ['ls-files', '--others', '--ignored', '--exclude-standard', '-z', '--', ':(glob)**/.gitignore']);
  if (!listed.ok)
    return err(
      gitProblem(
        'list the ignored files',
        listed.error,
        'check the repository with git status, or run without a backup: --backup none',
      ),
    );
  const folders = await emptyFolders(repository);
  if (!folders.ok) return folders;
  try {
    const ignoreFiles: { path: string; content: string }[] = [];
    for (const path of namesOf(listed.value)) {
      const file = pathIn(root, path);
      // git does not follow a link here either.
      if ((await lstat(file)).isFile()) ignoreFiles.push({ path, content: (await readFile(file)).toString('base64') });
    }
    const surroundings: Surroundings = { ignoreFiles, emptyFolders: folders.value, ...known };
    await writeFileAtomic(join(runDir, FILE), `${JSON.stringify(surroundings)}\n`, { sync: true });
    return ok(undefined);
  } catch (error) {
    return err(systemProblem(`record the ignored files in ${runDir}`, error));
  }
}

/** Reads them back; undefined where a run has none, or not in whole. */
export async function readSurroundings(runDir: string): Promise<Surroundings | undefined> {
  try {
    const value: unknown = await readStateJson(join(runDir, FILE));
    return isSurroundings(value) ? value : undefined;
  } catch (error) {
    if (errnoOf(error) !== undefined) return undefined;
    throw error;
  }
}

function isSurroundings(value: unknown): value is Surroundings {
  if (typeof value !== 'object' || value === null || !('ignoreFiles' in value) || !('emptyFolders' in value)) return false;
  const { ignoreFiles, emptyFolders } = value;
  const isTextOrAbsent = (name: string) => {
    const field: unknown = Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
    return field === undefined || typeof field === 'string';
  };
  return (
    isTextOrAbsent('branch') &&
    isTextOrAbsent('bytes') &&
    Array.isArray(emptyFolders) &&
    emptyFolders.every((folder) => typeof folder === 'string') &&
    Array.isArray(ignoreFiles) &&
    ignoreFiles.every((file) => typeof file?.path === 'string' && typeof file?.content === 'string')
  );
}

/**
 * Which of `paths` the backup's own rules ignore, whatever the tree's `.gitignore` files say by now: git is asked over a
 * folder that holds only the `.gitignore` files of the backup. `index` must hold the backup's tree.
 */
export async function ignoredByBackup(
  index: ScratchIndex,
  rules: { readonly surroundings: Surroundings | undefined; readonly folder: string },
  paths: readonly string[],
): Promise<Result<ReadonlySet<string>, EnvironmentProblem>> {
  if (paths.length === 0) return ok(new Set());
  const { repository } = index;
  const hint = 'check the repository with git fsck';
  const env = { GIT_DIR: repository.gitDir, GIT_WORK_TREE: rules.folder };
  const tracked = await index.git(['ls-files', '--cached', '-z', '--', ':(glob)**/.gitignore']);
  if (!tracked.ok) return err(gitProblem('list the files of the backup', tracked.error, hint));
  const files = namesOf(tracked.value);
  try {
    await mkdir(rules.folder, { recursive: true });
    // Of a run without a record, every `.gitignore` that is not in the backup is taken for an old one:
    // too little is removed rather than too much.
    for (const file of rules.surroundings?.ignoreFiles ?? (await presentIgnoreFiles(repository, paths))) {
      const target = pathIn(rules.folder, file.path);
      await mkdir(pathIn(rules.folder, dirname(file.path)), { recursive: true });
      await writeFile(target, Buffer.from(file.content, 'base64'));
    }
  } catch (error) {
    return err(systemProblem(`write to the temporary folder ${rules.folder}`, error));
  }
  if (files.length > 0) {
    const written = await index.git(['checkout-index', '--force', '-z', '--stdin'], {
      input: nulTerminated(files),
      env: { GIT_WORK_TREE: rules.folder },
    });
    if (!written.ok) return err(gitProblem("read the backup's .gitignore files", written.error, hint));
  }
  // `./` keeps a name that starts with ':' from being read as pathspec magic.
  const asked = nulTerminated(paths.map((path) => `./${path}`));
  const answer = await git(rules.folder, ['check-ignore', '--no-index', '-z', '--stdin'], { input: asked, env });
  if (answer.ok) return ok(new Set(namesOf(answer.value).map((path) => path.slice(2))));
  // Exit code 1: none is ignored.
  if (answer.error.kind === 'failed' && answer.error.code === 1) return ok(new Set());
  return err(gitProblem('tell which files are ignored', answer.error, hint));
}

async function presentIgnoreFiles(repository: Repository, paths: readonly string[]): Promise<Surroundings['ignoreFiles']> {
  const files: { path: string; content: string }[] = [];
  for (const path of paths) {
    if (path !== '.gitignore' && !path.endsWith('/.gitignore')) continue;
    const file = pathIn(repository.root, path);
    if ((await lstat(file)).isFile()) files.push({ path, content: (await readFile(file)).toString('base64') });
  }
  return files;
}

/** Folders without any entry, except in ignored folders and in other repositories. */
async function emptyFolders(repository: Repository): Promise<Result<readonly string[], EnvironmentProblem>> {
  const args = ['ls-files', '--others', '--ignored', '--exclude-standard', '--directory', '-z'];
  const ignored = await git(repository.root, args);
  if (!ignored.ok)
    return err(
      gitProblem(
        'list the ignored files',
        ignored.error,
        'check the repository with git status, or run without a backup: --backup none',
      ),
    );
  const skipped = new Set(namesOf(ignored.value).filter((path) => path.endsWith('/')));
  const empty: string[] = [];
  const pending = [''];
  try {
    for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
      const entries = await readdir(pathIn(repository.root, folder), { withFileTypes: true, encoding: 'buffer' });
      if (folder !== '' && entries.length === 0) empty.push(folder);
      const names = entries.map((entry) => ({ name: entry.name.toString('latin1'), isFolder: entry.isDirectory() }));
      if (folder !== '' && names.some(({ name }) => name === '.git')) continue;
      for (const { name, isFolder } of names) {
        const path = `${folder}${name}/`;
        if (isFolder && name !== '.git' && !skipped.has(path)) pending.push(path);
      }
    }
    return ok(empty.sort());
  } catch (error) {
    return err(systemProblem(`read the folders of ${repository.root}`, error));
  }
}

/** Makes the empty folders the same as they were; call it when the files are. */
export async function restoreEmptyFolders(
  repository: Repository,
  wanted: readonly string[],
): Promise<Result<void, EnvironmentProblem>> {
  const keep = new Set(wanted);
  try {
    for (const folder of wanted) {
      if (!(await exists(pathIn(repository.root, folder)))) await mkdir(pathIn(repository.root, folder), { recursive: true });
    }
    // A parent whose last folder went is empty in its turn.
    for (;;) {
      const found = await emptyFolders(repository);
      if (!found.ok) return found;
      const surplus = found.value.filter((folder) => !keep.has(folder));
      if (surplus.length === 0) return ok(undefined);
      for (const folder of surplus) await rmdir(pathIn(repository.root, folder));
    }
  } catch (error) {
    return err(systemProblem(`restore the empty folders of ${repository.root}`, error));
  }
}

/** A path from `namesOf` as the file system takes it, also where it is not UTF-8. */
function pathIn(root: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, 'latin1')]);
}
