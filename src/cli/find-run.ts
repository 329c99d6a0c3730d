import { realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { EnvironmentProblem } from '../checkpoint/problem.js';
import { listRuns, type RunManifest, readManifest } from '../checkpoint/run-store.js';
import { isWithin } from '../checkpoint/stored-path.js';
import { openWorkspace } from '../checkpoint/workspace.js';
import { NAME_PATTERN } from '../model/ids.js';
import { err, ok, type Result } from '../model/result.js';
import { inertLine } from '../report/inert.js';

/** Where a verb looks for runs. */
export interface RunPlaceOptions {
  readonly cwd?: string;
  readonly stateDir?: string;
}

/** The state folder that the options, or the current folder, lead to. */
export function stateDirOf({ cwd, stateDir }: RunPlaceOptions): string {
  return openWorkspace({ planFile: join(process.cwd(), 'plan.yaml'), cwd, stateDir }).stateDir;
}

/** A run with its manifest. */
export interface FoundRun {
  readonly run: string;
  readonly runDir: string;
  readonly manifest: RunManifest;
}

/**
 * Why a run is not to be used from here: it worked in another folder than the one that the command is for. Records of a
 * project that was copied or moved name its first place if an earlier version wrote them, and anybody can edit them.
 *
 * | given         | the run's folder must be                                      |
 * | ------------- | ------------------------------------------------------------- |
 * | `--cwd`       | in the work tree of that folder                               |
 * | `--state-dir` | in this work tree, or the one whose state folder that is      |
 * | neither       | in this work tree                                             |
 *
 * Without `acts`, any run of a state folder that was named is accepted: reading its records is all that follows.
 */
export function placeProblem(
  { run, manifest: { folder } }: FoundRun,
  { cwd, stateDir }: RunPlaceOptions,
  { acts }: { readonly acts: boolean },
): EnvironmentProblem | undefined {
  if (!acts && stateDir !== undefined) return undefined;
  const here = openWorkspace({ planFile: join(process.cwd(), 'plan.yaml'), cwd });
  const there = openWorkspace({ planFile: join(folder, 'plan.yaml'), cwd: folder });
  if (sameTree(here, there)) return undefined;
  if (cwd === undefined && stateDir !== undefined && real(there.stateDir) === real(resolve(stateDir))) return undefined;
  const hereRoot = here.gitRoot ?? here.folder;
  return {
    message: `run ${run} worked in ${inertLine(folder)}, and this command is for ${inertLine(hereRoot)}`,
    hint: `to use that folder, name it: --cwd ${inertLine(folder)}; to work in ${inertLine(hereRoot)}, start a new run there`,
  };
}

type Tree = ReturnType<typeof openWorkspace>;

function sameTree(one: Tree, other: Tree): boolean {
  if (one.gitRoot !== undefined || other.gitRoot !== undefined) {
    return one.gitRoot !== undefined && other.gitRoot !== undefined && real(one.gitRoot) === real(other.gitRoot);
  }
  return isWithin(real(one.folder), real(other.folder));
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** The named run, or the last one that `fits` (by default: any) and was not started by a task of another. */
export async function findRun(
  stateDir: string,
  named: string | undefined,
  fits: (manifest: RunManifest) => boolean = () => true,
): Promise<Result<FoundRun, EnvironmentProblem>> {
  if (named !== undefined) {
    // It becomes a part of a path.
    if (!NAME_PATTERN.test(named))
      return err({ message: `'${inertLine(named)}' is not the id of a run`, hint: `runs are in ${stateDir}/runs` });
    const runDir = join(stateDir, 'runs', named);
    const manifest = await readManifest(runDir);
    return manifest.ok ? ok({ run: named, runDir, manifest: manifest.value }) : manifest;
  }
  const runs = await listRuns(stateDir);
  if (!runs.ok) return runs;
  for (const { run, runDir } of runs.value.toReversed()) {
    const manifest = await readManifest(runDir);
    if (!manifest.ok) return manifest;
    if (manifest.value.within === undefined && fits(manifest.value)) return ok({ run, runDir, manifest: manifest.value });
  }
  return err({ message: `there is no run in ${stateDir} yet`, hint: 'start one: waveplan run PLAN' });
}
