import { processEnvironment } from '../actions/kept-environment.js';
import type { RunManifest, RunResume } from '../checkpoint/run-store.js';
import type { TimeLine } from '../model/clock.js';
import type { JsonObject } from '../model/json.js';
import { writtenFilter } from '../plan/item-filter.js';
import type { Selection } from '../plan/valid-plan.js';
import { moduleHashes } from './changed-modules.js';
import type { CompiledPlan } from './compile-plan.js';
import { packageVersion } from './package-version.js';
import type { RunPlace, RunSoFar } from './run-place.js';
import { secretParamsOf } from './secret-params.js';

/**
 * What is recorded of a run that begins, or that goes on: then its earlier manifest stays, but for how it ended.
 * @param asked what was asked for beyond the plan.
 */
export function manifestOf(
  { plan, methodology }: CompiledPlan,
  { workspace, run, timeLine, mask, soFar, within }: RunPlace,
  asked: JsonObject | undefined,
): RunManifest {
  const { end: _, ...before }: Partial<RunManifest> = soFar?.manifest ?? {};
  const secretParams = soFar === undefined ? secretParamsOf(plan, mask, processEnvironment()) : undefined;
  const modules = moduleHashes(plan);
  return {
    ...before,
    version: 1,
    run,
    plan: { name: plan.name, file: plan.file },
    folder: workspace.folder,
    params: soFar?.manifest.params ?? (mask.json(plan.params) as JsonObject),
    ...(secretParams && { secretParams }),
    tasks: Object.fromEntries(plan.tasks.map(({ id, hash }) => [id, hash])),
    ...(modules && { modules }),
    ...(plan.selection && { selection: manifestSelection(plan.selection) }),
    created: before.created ?? new Date(timeLine.epochMs).toISOString(),
    waveplan: packageVersion(),
    node: process.version,
    methodologyHash: methodology.hash,
    ...(within !== undefined && { within }),
    ...(asked && { asked }),
    ...(soFar && { resumes: [...(before.resumes ?? []), resumeOf(soFar, timeLine)] }),
  };
}

function resumeOf({ outdated, ends }: RunSoFar, timeLine: TimeLine): RunResume {
  return { at: new Date(timeLine.epochMs).toISOString(), tasks: [...outdated.keys()], ends };
}

function manifestSelection({ only, until, filters }: Selection): NonNullable<RunManifest['selection']> {
  return { ...(only && { only }), ...(until && { until }), ...(filters && { filter: filters.map(writtenFilter) }) };
}
