import { join } from 'node:path';
import type { EnvironmentProblem } from '../checkpoint/problem.js';
import { listRuns, type RunManifest, readManifest } from '../checkpoint/run-store.js';
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
