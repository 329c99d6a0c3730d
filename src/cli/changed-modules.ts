import { moduleFiles } from '../checkpoint/fingerprint-modules.js';
import { readTextForDisplay } from '../data/files.js';
import { contentHash } from '../model/ids.js';
import type { JsonObject } from '../model/json.js';
import type { ValidPlan } from '../plan/valid-plan.js';
import { inertLine } from '../report/inert.js';

/** A hash of each module that a plan uses and of what it imports by relative paths, by the module's file, for the manifest. */
export function moduleHashes({ tasks }: ValidPlan): JsonObject | undefined {
  const modules = new Set(tasks.flatMap(({ work }) => (work.kind === 'module' ? [work.file] : [])));
  if (modules.size === 0) return undefined;
  return Object.fromEntries([...modules].map((file) => [file, contentHash(moduleFiles(file).map(textOf).join('\0'))]));
}

/**
 * What has to be said of modules that changed since a run was last at work: a run keeps what it finished, with whatever code. That is
 * what somebody wants who mends a module and goes on.
 */
export function changedModules(
  plan: ValidPlan,
  before: JsonObject | undefined,
  { run, counts }: { readonly run: string; readonly counts: (task: string) => boolean },
): readonly string[] {
  const now = moduleHashes(plan) ?? {};
  const changed = Object.keys(now).filter(
    (file) => before !== undefined && Object.hasOwn(before, file) && before[file] !== now[file],
  );
  return changed.flatMap((file) => {
    const users = plan.tasks
      .filter(({ id, work }) => work.kind === 'module' && work.file === file && counts(id))
      .map(({ id }) => id);
    const what = `the module ${inertLine(file)}, or what it imports, changed since the run was last at work`;
    const names = users.join(',');
    return users.length === 0
      ? []
      : [`${what}: what ${users.join(', ')} finished with it counts; to run that again: waveplan resume ${run} --again ${names}`];
  });
}

function textOf(file: string): string {
  try {
    return readTextForDisplay(file);
  } catch {
    return '';
  }
}
