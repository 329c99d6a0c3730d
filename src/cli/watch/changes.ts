import { isAbsolute, relative, resolve, sep } from 'node:path';
import { FileHashes } from '../../checkpoint/fingerprint-files.js';
import { TEMPLATE_START, templateExpressions } from '../../plan/template.js';
import type { ValidPlan } from '../../plan/valid-plan.js';

/** What a watched path is to a plan. */
export interface PlanFiles {
  /** The plan, what it includes, and files of items, absolute. */
  readonly plan: ReadonlySet<string>;
  /** Modules and their imports, absolute. */
  readonly modules: ReadonlySet<string>;
  /** Patterns of inputs, with `**` in the place of each expression. */
  readonly inputs: readonly string[];
  /** The same of outputs. */
  readonly outputs: readonly string[];
  /** What has to be watched, absolute. */
  readonly roots: readonly string[];
  /** Folders that hold outputs, and nothing that is an input whatever the items are; absolute. */
  readonly ownFolders: readonly string[];
}

/** What is known of a plan's files before anything runs. `modules` are the files of all its modules. */
export function planFiles({ file, includes, tasks }: ValidPlan, modules: readonly string[], folder: string): PlanFiles {
  const inputs = unique(tasks.flatMap((task) => (task.inputs ?? []).filter((entry) => !entry.startsWith('!')).map(widePattern)));
  const outputs = unique(tasks.flatMap((task) => (task.outputs ?? []).map(widePattern)));
  const itemFiles = tasks.flatMap(({ foreach }) =>
    foreach?.kind === 'file' && !foreach.path.includes(TEMPLATE_START) ? [resolve(folder, foreach.path)] : [],
  );
  const plan = new Set([file, ...includes.map((included) => included.file), ...itemFiles]);
  const roots = unique([...plan, ...modules, ...inputs.map((pattern) => resolve(folder, fixedPart(pattern)))]);
  const fixed = tasks.flatMap((task) => (task.inputs ?? []).filter((entry) => !entry.includes(TEMPLATE_START)).map(fixedPart));
  const foreign = [...plan, ...modules, ...fixed.map((path) => resolve(folder, path))];
  const ownFolders = unique(outputs.flatMap((pattern) => ownFolderOf(pattern) ?? []).map((path) => resolve(folder, path)));
  return {
    plan,
    modules: new Set(modules),
    inputs,
    outputs,
    roots,
    ownFolders: ownFolders.filter((own) => own !== folder && !foreign.some((path) => isIn(own, path) || isIn(path, own))),
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
  const first = parts.findIndex((part) => /[*?[\]{}()!+@\\]/.test(part));
  if (first === -1) return pattern;
  return parts.slice(0, first).join('/') || '.';
}

/** The folder that a pattern of outputs fills; undefined where that is not its first fixed part alone. */
function ownFolderOf(pattern: string): string | undefined {
  const fixed = fixedPart(pattern);
  return fixed === '.' || fixed === pattern ? undefined : fixed;
}

/** Whether a path is a folder or something in it. */
export function isIn(folder: string, path: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

/** A path below a folder as plans write it; undefined for one outside. */
export function pathIn(folder: string, file: string): string | undefined {
  const path = relative(folder, file);
  return path === '' || path.startsWith('..') || isAbsolute(path) ? undefined : path.split(sep).join('/');
}

/** Whether a file's content is what it was when it was last read or written by the plan. */
export function isAsSeen(file: string, seen: string | undefined): boolean {
  return seen !== undefined && hashOfFile(file) === seen;
}

/** The hash of a file's content, as fingerprints have it. */
export function hashOfFile(file: string): string {
  return new FileHashes('/', new Map(), () => {}).hash(file);
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}
