import { lstatSync, type Stats } from 'node:fs';
import { chmod, lstat, mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { err, ok, type Result } from '../model/result.js';
import { writeFileAtomic } from './atomic-file.js';
import { git, gitProblem, namesOf, nulTerminated } from './git.js';
import { type EnvironmentProblem, errnoOf, systemProblem } from './problem.js';
import type { Repository, ScratchIndex } from './repository.js';
import { readStateText } from './state-file.js';
import { type IgnoredNote, readSurroundingsText, type Surroundings } from './surroundings-text.js';

const FILE = 'surroundings.json';
/** Ignored files that are noted at most. */
const NOTES = 10_000;

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
  const looked = await lookAround(repository);
  if (!looked.ok) return looked;
  try {
    const ignoreFiles: { path: string; content: string }[] = [];
    for (const path of namesOf(listed.value)) {
      const file = pathIn(root, path);
      // git does not follow a link here either.
      if ((await lstat(file)).isFile()) ignoreFiles.push({ path, content: (await readFile(file)).toString('base64') });
    }
    const surroundings: Surroundings = { ignoreFiles, ...looked.value, ...known };
    await writeFileAtomic(join(runDir, FILE), `${JSON.stringify(surroundings)}\n`, { sync: true });
    return ok(undefined);
  } catch (error) {
    return err(systemProblem(`record the ignored files in ${runDir}`, error));
  }
}

/** Reads them back; undefined where a run has none. Anybody can edit the file, so a path that leads out of the tree is a problem. */
export async function readSurroundings(runDir: string): Promise<Result<Surroundings | undefined, EnvironmentProblem>> {
  const file = join(runDir, FILE);
  let text: string;
  try {
    text = (await readStateText(file)) ?? '';
  } catch (error) {
    return errnoOf(error) === 'ENOENT' ? ok(undefined) : err(systemProblem(`read ${file}`, error));
  }
  const read = readSurroundingsText(text);
  if (read.ok) return read;
  return err({
    message: `${file} is damaged: ${read.error}`,
    hint: 'remove the file to restore without it: fewer new files are removed then, and empty folders and modes stay as they are',
  });
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

/** Looks at everything but ignored folders and other repositories. */
async function lookAround(
  repository: Repository,
): Promise<Result<Pick<Surroundings, 'emptyFolders' | 'modes' | 'umask' | 'ignored'>, EnvironmentProblem>> {
  const args = ['ls-files', '--others', '--ignored', '--exclude-standard', '--directory', '-z'];
  const listed = await git(repository.root, args);
  if (!listed.ok)
    return err(
      gitProblem(
        'list the ignored files',
        listed.error,
        'check the repository with git status, or run without a backup: --backup none',
      ),
    );
  const { root, statePath } = repository;
  const state = statePath === undefined ? undefined : `${Buffer.from(statePath).toString('latin1')}/`;
  const ignored = new Set(namesOf(listed.value));
  const empty: string[] = [];
  const modes: Record<string, number> = {};
  const umask = process.umask();
  const pending = [''];
  try {
    for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
      const entries = await readdir(pathIn(root, folder), { withFileTypes: true, encoding: 'buffer' });
      if (folder !== '' && entries.length === 0) empty.push(folder);
      const names = entries.map((entry) => ({ name: entry.name.toString('latin1'), entry }));
      if (folder !== '' && names.some(({ name }) => name === '.git')) continue;
      for (const { name, entry } of names) {
        const path = `${folder}${name}${entry.isDirectory() ? '/' : ''}`;
        if (path === '.git/' || path === state || ignored.has(path) || !(entry.isDirectory() || entry.isFile())) continue;
        const mode = modeOf(root, path);
        if (mode !== undefined && mode !== usualMode(path, umask)) modes[path] = mode;
        if (entry.isDirectory()) pending.push(path);
      }
    }
    const noted = [...ignored].filter((path) => state === undefined || !path.startsWith(state));
    const notes = noted.slice(0, NOTES).map((path) => noteOf(root, path));
    return ok({ emptyFolders: empty.sort(), modes, umask, ignored: notes });
  } catch (error) {
    return err(systemProblem(`read the folders of ${root}`, error));
  }
}

/** An ignored file or folder as it is now. Of a folder only its presence is noted. */
function noteOf(root: string, path: string): IgnoredNote {
  const stat = path.endsWith('/') ? undefined : statOf(root, path);
  return stat === undefined ? { path } : { path, size: stat.size, mtimeMs: stat.mtimeMs };
}

/** The permission bits; undefined where there is no file, or no folder for a path that ends in `/`, or the system has no modes. */
function modeOf(root: string, path: string): number | undefined {
  if (process.platform === 'win32') return undefined;
  const stat = statOf(root, path);
  return stat !== undefined && (path.endsWith('/') ? stat.isDirectory() : stat.isFile()) ? stat.mode & 0o777 : undefined;
}

/** The mode of a new folder, or of a new file that is not executable. */
function usualMode(path: string, umask: number): number {
  return (path.endsWith('/') ? 0o777 : 0o666) & ~umask;
}

/** The folders that contain `paths`, and those of `paths` that are folders. */
function foldersOf(paths: readonly string[]): ReadonlySet<string> {
  const folders = new Set<string>();
  for (const path of paths) {
    for (let at = path.lastIndexOf('/'); at > 0 && !folders.has(path.slice(0, at + 1)); at = path.lastIndexOf('/', at - 1)) {
      folders.add(path.slice(0, at + 1));
    }
  }
  return folders;
}

function statOf(root: string, path: string): Stats | undefined {
  try {
    return lstatSync(pathIn(root, path.replace(/\/$/, '')), { throwIfNoEntry: false });
  } catch (error) {
    if (errnoOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** How folders, modes and ignored files differ from a record of them. Names are as `namesOf` gives them. */
export interface SurroundingsDifference {
  /** Empty folders that are gone. */
  readonly missing: readonly string[];
  /** Empty folders that have come. */
  readonly surplus: readonly string[];
  /** Files and folders of the backup with other permission bits, and the bits that they had. */
  readonly modes: readonly { readonly path: string; readonly mode: number }[];
  /** Ignored files and folders that no backup holds. */
  readonly gone: readonly string[];
  readonly changed: readonly string[];
}

/**
 * Compares the tree with a record of its surroundings; `files` are those of the backup. Of a file that is missing or of
 * another kind, no mode is compared.
 */
export async function compareSurroundings(
  repository: Repository,
  { emptyFolders, modes: recorded, umask = process.umask(), ignored = [] }: Surroundings,
  files: readonly string[],
): Promise<Result<SurroundingsDifference, EnvironmentProblem>> {
  const { root } = repository;
  const looked = await lookAround(repository);
  if (!looked.ok) return looked;
  const wanted = new Set(emptyFolders);
  try {
    const modes: { path: string; mode: number }[] = [];
    for (const path of recorded === undefined ? [] : [...foldersOf([...files, ...emptyFolders]), ...files]) {
      const mode = Object.hasOwn(recorded ?? {}, path) ? recorded?.[path] : usualMode(path, umask);
      const now = modeOf(root, path);
      if (mode !== undefined && now !== undefined && now !== mode) modes.push({ path, mode });
    }
    const gone: string[] = [];
    const changed: string[] = [];
    for (const { path, size, mtimeMs } of ignored) {
      const stat = statOf(root, path);
      if (stat === undefined) gone.push(path);
      else if (size !== undefined && (stat.size !== size || stat.mtimeMs !== mtimeMs)) changed.push(path);
    }
    return ok({
      missing: emptyFolders.filter((path) => statOf(root, path) === undefined),
      surplus: looked.value.emptyFolders.filter((path) => !wanted.has(path)),
      modes,
      gone,
      changed,
    });
  } catch (error) {
    return err(systemProblem(`read the folders of ${root}`, error));
  }
}

/** Makes folders and modes the same as they were; call it when the files are. */
export async function restoreSurroundings(
  repository: Repository,
  surroundings: Surroundings,
  files: readonly string[],
): Promise<Result<void, EnvironmentProblem>> {
  const { root } = repository;
  try {
    for (const folder of surroundings.emptyFolders) await makeFolder(root, folder);
    for (;;) {
      const found = await compareSurroundings(repository, surroundings, files);
      if (!found.ok) return found;
      const { surplus, modes } = found.value;
      // A parent whose last folder went is empty in its turn.
      for (const folder of surplus) await rmdir(pathIn(root, folder));
      if (surplus.length > 0) continue;
      // The deepest first: without the bits of a folder nothing in it can be changed.
      for (const { path, mode } of [...modes].reverse()) {
        if (leadsThroughLink(root, path)) continue;
        const special = (statOf(root, path)?.mode ?? 0) & 0o7000;
        await chmod(pathIn(root, path.replace(/\/$/, '')), mode | special);
      }
      return ok(undefined);
    }
  } catch (error) {
    return err(systemProblem(`restore the folders and modes of ${root}`, error));
  }
}

/** Creates a folder and those above it, and follows no link on the way. */
async function makeFolder(root: string, path: string): Promise<void> {
  const parts = path.replace(/\/$/, '').split('/');
  for (let length = 1; length <= parts.length; length++) {
    const part = parts.slice(0, length).join('/');
    const stat = statOf(root, part);
    // What is in the way is the user's, as an ignored file is.
    if (stat !== undefined && !stat.isDirectory()) return;
    if (stat === undefined) await mkdir(pathIn(root, part));
  }
}

function leadsThroughLink(root: string, path: string): boolean {
  const parts = path.replace(/\/$/, '').split('/');
  return parts.some((_, at) => statOf(root, parts.slice(0, at + 1).join('/'))?.isSymbolicLink());
}

/** A path from `namesOf` as the file system takes it, also where it is not UTF-8. */
function pathIn(root: string, path: string): Buffer | string {
  // Most names are ASCII, and a string is faster.
  if (/^[\x20-\x7e]*$/.test(path)) return `${root}/${path}`;
  return Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, 'latin1')]);
}
