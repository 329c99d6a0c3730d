import { type Stats, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { FileHashes, shortestPath } from '../../checkpoint/fingerprint-files.js';
import { TEMPLATE_START, templateExpressions } from '../../plan/template.js';
import type { ValidPlan } from '../../plan/valid-plan.js';

/** What a watched path is to a plan. */
export interface PlanFiles {
  /** The plan, what it includes, and files of items, absolute. */
  readonly plan: ReadonlySet<string>;
  /** Modules and their imports, absolute. */
  readonly modules: ReadonlySet<string>;
  /** Patterns of inputs in their shortest form, with `**` in the place of each expression. */
  readonly inputs: readonly string[];
  /** The same of outputs. */
  readonly outputs: readonly string[];
  /** What has to be watched, absolute. */
  readonly roots: readonly string[];
}

/** What is known of a plan's files before anything runs. `modules` are the files of all its modules. */
export function planFiles({ file, includes, tasks }: ValidPlan, modules: readonly string[], folder: string): PlanFiles {
  const patterns = (entries: readonly string[] = []) =>
    entries.filter((entry) => !entry.startsWith('!')).map((entry) => shortestPattern(folder, widePattern(entry)));
  const inputs = unique(tasks.flatMap((task) => patterns(task.inputs)));
  const itemFiles = tasks.flatMap(({ foreach }) =>
    foreach?.kind === 'file' && !foreach.path.includes(TEMPLATE_START) ? [resolve(folder, foreach.path)] : [],
  );
  const plan = new Set([file, ...includes.map((included) => included.file), ...itemFiles]);
  return {
    plan,
    modules: new Set(modules),
    inputs,
    outputs: unique(tasks.flatMap((task) => patterns(task.outputs))),
    roots: unique([...plan, ...modules, ...inputs.map((pattern) => resolve(folder, fixedPart(pattern)))]),
  };
}

/** A pattern that matches whatever an entry may come to: every expression could be any path. */
export function widePattern(entry: string): string {
  if (!entry.includes(TEMPLATE_START)) return entry;
  const found = templateExpressions(entry);
  if (!found.ok) return '**';
  let [wide, at] = ['', 0];
  for (const { start, end } of found.value) {
    const before = entry.slice(at, start);
    // Two stars cross folders only where they stand alone between slashes.
    wide += before === '' || before.endsWith('/') ? `${before}**/*` : `${before}*`;
    at = end;
  }
  return wide + entry.slice(at);
}

/** The folder, or the file, in which all that a pattern matches has to be. */
export function fixedPart(pattern: string): string {
  const parts = pattern.split('/');
  const first = parts.findIndex((part) => MAGIC.test(part));
  if (first === -1) return pattern;
  return parts.slice(0, first).join('/') || (pattern.startsWith('/') ? '/' : '.');
}

const MAGIC = /[*?[\]{}()!+@\\]/;

/** A pattern that matches paths in their shortest form. */
export function shortestPattern(folder: string, pattern: string): string {
  const fixed = fixedPart(pattern);
  const rest = pattern.startsWith(fixed) ? pattern.slice(fixed.length).replace(/^\/+/, '') : pattern;
  const start = shortestPath(folder, fixed);
  if (rest === '') return start;
  return start === '.' ? rest : `${start}/${rest}`;
}

/** Whether a file's content is what it was when it was last read or written by the plan. */
export function isAsSeen(file: string, seen: string | undefined): boolean {
  return seen !== undefined && hashOfFile(file) === seen;
}

/** What the system says of a path; undefined where nothing is there, or nothing that can be reached. */
export function statusOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** The hash of a file's content, as fingerprints have it. */
export function hashOfFile(file: string): string {
  return new FileHashes('/', new Map(), () => {}).hash(file);
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}
