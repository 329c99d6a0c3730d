import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, relative, sep } from 'node:path';
import { moduleFiles } from '../checkpoint/fingerprint-modules.js';
import type { ValidPlan } from '../plan/valid-plan.js';
import type { FileDigest, PlanIdentity } from './protocol.js';

/**
 * What tells a plan from every other, and from itself as it was: its text, the files that it includes, and its modules with what
 * they import by relative paths. Packages are not in it.
 * @param folder the folder in which the run works.
 */
export function planIdentity(
  plan: Pick<ValidPlan, 'file' | 'name' | 'text' | 'includes' | 'tasks'>,
  folder: string,
): PlanIdentity {
  const about = {
    name: plan.name,
    path: slashes(relative(folder, plan.file)),
    text: sha256(plan.text),
    files: filesOf(plan),
  };
  return { ...about, digest: sha256(JSON.stringify([about.text, about.files])) };
}

/** The files of a plan beside its own, in order. */
function filesOf({ file, includes, tasks }: Pick<ValidPlan, 'file' | 'includes' | 'tasks'>): readonly FileDigest[] {
  const named = (path: string) => slashes(relative(dirname(file), path));
  const modules = new Set(tasks.flatMap(({ work }) => (work.kind === 'module' ? moduleFiles(work.file) : [])));
  const all: FileDigest[] = [
    ...includes.map((included): FileDigest => [named(included.file), sha256(included.text)]),
    ...[...modules].map((path): FileDigest => [named(path), digestOfFile(path)]),
  ];
  return all.sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The first file in which a plan is another one here than there; undefined where it is the same. */
export function differingFile(here: PlanIdentity, there: PlanIdentity): string | undefined {
  if (here.digest === there.digest) return undefined;
  const files = new Map(here.files);
  const other = there.files.find(([path, digest]) => files.get(path) !== digest);
  return other?.[0] ?? here.files.find(([path]) => !there.files.some(([name]) => name === path))?.[0] ?? here.path;
}

export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Empty where it cannot be read: no digest of a file is. */
function digestOfFile(path: string): string {
  try {
    return sha256(readFileSync(path));
  } catch {
    return '';
  }
}

function slashes(path: string): string {
  return path.split(sep).join('/');
}
