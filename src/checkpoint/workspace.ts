import { statSync } from 'node:fs';
import { lstat, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { readTextForDisplay } from '../data/files.js';
import { err, ok, type Result } from '../model/result.js';
import { makeFolders, writeFileAtomic } from './atomic-file.js';
import { type EnvironmentProblem, errnoOf, systemProblem } from './problem.js';
import { readStateText } from './state-file.js';

/** Where a run works and where it keeps its state. All paths are absolute. */
export interface Workspace {
  /** Where the work is done. */
  readonly folder: string;
  /** The root of the git work tree that contains `folder`; undefined outside git. */
  readonly gitRoot: string | undefined;
  readonly stateDir: string;
}

/** What the user said about places. */
export interface WorkspaceOptions {
  readonly planFile: string;
  /** `--cwd`. */
  readonly cwd?: string | undefined;
  /** `--state-dir`. */
  readonly stateDir?: string | undefined;
}

/** The folders of one run. */
export interface RunFolders {
  readonly runDir: string;
  readonly logsDir: string;
}

/** What a state folder holds, besides the temporary files of an atomic write. */
const STATE_ENTRIES: ReadonlySet<string> = new Set([
  '.gitignore',
  'runs',
  'bench',
  'history.ndjson',
  'calibration.json',
  'index',
  'up-to-date.ndjson',
  'lock',
]);

/**
 * Settles the places of a run. The folder is `--cwd`, else the git root that contains the plan, else the plan's folder;
 * the state is in `.waveplan` of the git root that contains that folder, else of the folder. Looks, and writes nothing.
 */
export function openWorkspace(options: WorkspaceOptions): Workspace {
  const planFolder = dirname(resolve(options.planFile));
  const folder = options.cwd === undefined ? (findGitRoot(planFolder) ?? planFolder) : resolve(options.cwd);
  const gitRoot = findGitRoot(folder);
  const stateDir = options.stateDir === undefined ? join(gitRoot ?? folder, '.waveplan') : resolve(options.stateDir);
  return { folder, gitRoot, stateDir };
}

/**
 * Creates the state folder, with a `.gitignore` of its own so that no backup takes it in, and the folders of one run.
 * Refuses a folder that leads elsewhere by a symlink, that holds other files, or that cannot be written.
 */
export async function prepareState(workspace: Workspace, run: string): Promise<Result<RunFolders, EnvironmentProblem>> {
  const { folder, stateDir } = workspace;
  const runsDir = join(stateDir, 'runs');
  const runDir = join(runsDir, run);
  const logsDir = join(runDir, 'logs');
  try {
    if (!(await stat(folder)).isDirectory()) return err(notAFolder(folder));
  } catch (error) {
    return err(systemProblem(`work in ${folder}`, error));
  }
  const problem = await prepareFolders(stateDir, [runsDir, runDir, logsDir]);
  return problem === undefined ? ok({ runDir, logsDir }) : err(problem);
}

/** The same for a bench: the state folder, and in it the folder for reports, which is returned. */
export async function prepareBench(stateDir: string): Promise<Result<string, EnvironmentProblem>> {
  const benchesDir = join(stateDir, 'bench');
  const problem = await prepareFolders(stateDir, [benchesDir]);
  return problem === undefined ? ok(benchesDir) : err(problem);
}

/** Takes the folders of a run away again that was refused before anything was written to them. */
export async function discardRun({ runDir }: RunFolders): Promise<void> {
  await rm(runDir, { recursive: true, force: true }).catch(() => undefined);
}

/** Creates the state folder and folders in it, each of which is in the one before, or says why that is not to be. */
async function prepareFolders(stateDir: string, folders: readonly string[]): Promise<EnvironmentProblem | undefined> {
  try {
    for (const path of [stateDir, join(stateDir, '.gitignore'), ...folders]) {
      const problem = await symlinkProblem(path);
      if (problem !== undefined) return problem;
    }
    await makeFolders(stateDir);
    const refused = (await foreignEntry(stateDir)) ?? (await protectFromGit(stateDir));
    if (refused !== undefined) return refused;
    for (const folder of folders) await makeFolders(folder);
    return undefined;
  } catch (error) {
    return systemProblem(`write to the state folder ${stateDir}`, error);
  }
}

/** The nearest folder at or above `folder` that git would take for the root of a work tree. Starts no process. */
function findGitRoot(folder: string): string | undefined {
  for (let current = folder; ; current = dirname(current)) {
    if (isGitRoot(current)) return current;
    if (dirname(current) === current) return undefined;
  }
}

function isGitRoot(folder: string): boolean {
  const marker = join(folder, '.git');
  try {
    // A file names the real git folder: a linked work tree, or a submodule.
    if (statSync(marker).isDirectory()) return statSync(join(marker, 'HEAD'), { throwIfNoEntry: false }) !== undefined;
    return readTextForDisplay(marker).startsWith('gitdir:');
  } catch {
    return false;
  }
}

async function symlinkProblem(path: string): Promise<EnvironmentProblem | undefined> {
  try {
    if (!(await lstat(path)).isSymbolicLink()) return undefined;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  return {
    message: `${path} is a symbolic link, and state is not written through links`,
    hint: 'remove the link, or name the real folder with --state-dir DIR',
  };
}

/** A folder of the user's must not get a `.gitignore` of `*`. */
async function foreignEntry(stateDir: string): Promise<EnvironmentProblem | undefined> {
  const foreign = (await readdir(stateDir)).find((name) => !STATE_ENTRIES.has(name) && !/^\..*\.tmp$/.test(name));
  if (foreign === undefined) return undefined;
  return {
    message: `${stateDir} holds files that are not state of waveplan, such as ${foreign}`,
    hint: 'name a new or an empty folder with --state-dir DIR',
  };
}

async function protectFromGit(stateDir: string): Promise<EnvironmentProblem | undefined> {
  const file = join(stateDir, '.gitignore');
  let text: string | undefined;
  try {
    text = await readStateText(file);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    await writeFileAtomic(file, '*\n', { sync: false });
    return undefined;
  }
  if (/^\*\s*$/.test(text ?? '')) return undefined;
  return { message: `${file} must hold the single line *, so that no backup takes the state in`, hint: `remove ${file}` };
}

function notAFolder(path: string): EnvironmentProblem {
  return { message: `${path} is not a folder`, hint: 'name the folder to work in with --cwd DIR' };
}
