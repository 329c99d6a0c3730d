import { copyFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { err, ok, type Result } from '../model/result.js';
import { git, gitProblem, gitText, namesOf } from './git.js';
import { type EnvironmentProblem, errnoOf, systemProblem } from './problem.js';
import { copyIndex, exists, type Repository, ScratchIndex } from './repository.js';

/**
 * Trees of the bytes that are in the files. By its settings and by `.gitattributes` git changes files on their way in and
 * out: line ends, `$Id$`, encodings, the filters of a large-file store. Not every file comes back as it was, so backups
 * and restores use none of that.
 *
 * Only `info/attributes` of the repository outranks a tree's own `.gitattributes`, and that file is the user's. So git is
 * given another git folder, with such a file, over the same objects and the same work tree.
 */

/** `!`: neither set nor unset; git refuses an encoding that is unset. `-text` outranks eol, crlf and core.autocrlf. */
const NO_CONVERSION = '* -text !eol !crlf !ident !filter !working-tree-encoding\n';

/** Those that say how objects are stored. Others, such as worktreeConfig, are about the folder that is left out. */
const EXTENSIONS = /^extensions\.(objectformat|compatobjectformat|partialclone)$/i;

/** In the state folder: the index of the last backup, so that files unchanged since need not be read again. */
const KEPT_INDEX = 'index';

const HINT = 'check the repository with git fsck and git status';

/** An index that holds `tree`, whose commands take and give the files' own bytes. It lies in `scratch`. */
export async function openRawIndex(
  repository: Repository,
  scratch: string,
  tree: string,
): Promise<Result<ScratchIndex, EnvironmentProblem>> {
  const gitDir = join(scratch, 'raw.git');
  const objects = await makeGitFolder(repository, gitDir);
  if (!objects.ok) return objects;
  const env = { GIT_DIR: gitDir, GIT_WORK_TREE: repository.root, GIT_OBJECT_DIRECTORY: objects.value };
  const file = join(scratch, 'raw-index');
  const index = ScratchIndex.at(repository, file, env);
  // Never the user's index: it takes a file for unchanged that git converts to the same object, whatever its bytes.
  const kept = join(repository.stateDir, KEPT_INDEX);
  try {
    if (await exists(kept)) await copyIndex(kept, file);
  } catch (error) {
    return err(systemProblem(`copy ${kept}`, error));
  }
  let read = await index.git(['read-tree', '--reset', tree]);
  if (!read.ok) {
    // What was kept may be damaged; it only spares time.
    await rm(file, { force: true }).catch(() => undefined);
    read = await index.git(['read-tree', '--reset', tree]);
  }
  return read.ok ? ok(index) : err(gitProblem('read the saved files', read.error, HINT));
}

/** Keeps what the index knows of unchanged files for later; where that fails, they are read again. */
export async function keepRawIndex(index: ScratchIndex): Promise<void> {
  const kept = join(index.repository.stateDir, KEPT_INDEX);
  const beside = join(index.repository.stateDir, `.${KEPT_INDEX}.${process.pid}.tmp`);
  try {
    await copyIndex(index.file, beside);
    await rename(beside, kept);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    await rm(beside, { force: true }).catch(() => undefined);
  }
}

/** Returns the folder of the objects. */
async function makeGitFolder(repository: Repository, gitDir: string): Promise<Result<string, EnvironmentProblem>> {
  const { root } = repository;
  const asked = ['objects', 'config', 'config.worktree', 'info/exclude', 'info/sparse-checkout'];
  const found = await gitText(root, ['rev-parse', ...asked.flatMap((path) => ['--git-path', path])]);
  const settings = found.ok ? await git(root, ['config', '--list', '-z']) : found;
  if (!found.ok || !settings.ok) {
    const failure = found.ok ? settings : found;
    if (failure.ok) throw new Error('Internal error: no command failed');
    return err(gitProblem(`read the repository ${root}`, failure.error, HINT));
  }
  const [objects = '', ...files] = found.value.split('\n').map((path) => resolve(root, path));
  const [config = '', worktreeConfig = '', exclude = '', sparse = ''] = files;
  const extensions = namesOf(settings.value).flatMap((entry) => {
    const at = entry.indexOf('\n');
    return EXTENSIONS.test(entry.slice(0, at)) ? [`${entry.slice('extensions.'.length, at)} = ${entry.slice(at + 1)}`] : [];
  });
  try {
    await mkdir(join(gitDir, 'refs'), { recursive: true });
    await mkdir(join(gitDir, 'info'));
    await writeFile(join(gitDir, 'HEAD'), 'ref: refs/heads/none\n');
    await writeFile(join(gitDir, 'config'), configText([config, worktreeConfig], extensions));
    await writeFile(join(gitDir, 'info/attributes'), NO_CONVERSION);
    await copyIfPresent(exclude, join(gitDir, 'info/exclude'));
    await copyIfPresent(sparse, join(gitDir, 'info/sparse-checkout'));
    return ok(objects);
  } catch (error) {
    return err(systemProblem(`write to the temporary folder ${gitDir}`, error));
  }
}

/** The user's settings, and after them what must hold here. An included file that is missing is no error. */
function configText(included: readonly string[], extensions: readonly string[]): string {
  const paths = included.map((path) => `[include]\n\tpath = "${path.replace(/["\\]/g, '\\$&')}"\n`);
  const own = [
    `[core]\n\trepositoryFormatVersion = ${extensions.length > 0 ? 1 : 0}\n\tbare = false\n\tautocrlf = false`,
    '\tsplitIndex = false\n\tuntrackedCache = false\n\tignoreStat = false\n[index]\n\tsparse = false',
    ...(extensions.length > 0 ? ['[extensions]', ...extensions.map((line) => `\t${line}`)] : []),
  ];
  return `${paths.join('')}${own.join('\n')}\n`;
}

async function copyIfPresent(source: string, target: string): Promise<void> {
  if (await exists(source)) await copyFile(source, target);
}
