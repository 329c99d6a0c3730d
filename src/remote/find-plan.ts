import { readdirSync, realpathSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import type { JsonObject } from '../model/json.js';
import { err, type Result } from '../model/result.js';
import { loadPlan } from '../plan/load-plan.js';
import { readSource } from '../plan/read-source.js';
import type { ValidPlan } from '../plan/valid-plan.js';
import { differingFile, planIdentity, sha256 } from './plan-identity.js';
import type { PlanIdentity } from './protocol.js';

/** Files with these endings may be plans. */
const PLAN_FILE = /\.ya?ml$/;
/** Folders that hold no plans of the checkout's own. */
const NOT_LOOKED_INTO = /^(?:\..*|node_modules)$/;
/** More files than this are not searched for a plan. */
const MOST_FILES = 20_000;

/**
 * Finds a plan in a checkout by its digests: where the coordinator has it, else anywhere. Nothing outside the checkout is
 * ever taken. The error says what is in its place, for people.
 */
export function findPlan(root: string, wanted: PlanIdentity, params: JsonObject): Result<ValidPlan, string> {
  const there = inside(root, wanted.path);
  const sameText = there !== undefined && hasText(there, wanted.text);
  const file = sameText ? there : search(root, wanted.text);
  if (file === undefined) {
    const instead = there === undefined ? 'there is no such plan' : `${wanted.path} is another version of it`;
    return err(`plan '${wanted.name}' is not in ${root}: ${instead}`);
  }
  const plan = loadPlan(file, { earlierParams: params });
  if (!plan.ok) return err(`plan '${wanted.name}' is not valid here: ${plan.error[0]?.message ?? 'it cannot be read'}`);
  const other = differingFile(planIdentity(plan.value, root), wanted);
  if (other === undefined) return plan;
  return err(`plan '${wanted.name}' is there, but ${other} is not as the coordinator has it`);
}

/** The real path of a file in a folder, however it is named; undefined where it is not there, or outside. */
export function inside(root: string, path: string): string | undefined {
  try {
    const file = realpathSync(resolve(root, path));
    return file.startsWith(withSeparator(realpathSync(root))) ? file : undefined;
  } catch {
    return undefined;
  }
}

function withSeparator(folder: string): string {
  return folder.endsWith(sep) ? folder : folder + sep;
}

function hasText(file: string, digest: string): boolean {
  const text = readSource(file);
  return text.ok && sha256(text.value) === digest;
}

function search(root: string, digest: string): string | undefined {
  const open = [root];
  let looked = 0;
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    for (const entry of entriesOf(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && !NOT_LOOKED_INTO.test(entry.name)) open.push(path);
      if (!entry.isFile() || !PLAN_FILE.test(entry.name)) continue;
      looked += 1;
      if (looked > MOST_FILES) return undefined;
      if (hasText(path, digest)) return path;
    }
  }
  return undefined;
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
