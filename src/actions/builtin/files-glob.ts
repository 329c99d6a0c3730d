import { lstatSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { err, ok } from '../../model/result.js';
import { actionFailure } from './failures.js';
import { isInside, resolvePath, shown } from './paths.js';
import type { BuiltIn } from './perform-built-in.js';

/** `with` of `files/glob`; its schema says more. */
export interface GlobInput {
  readonly patterns: string | readonly string[];
  readonly cwd?: string;
  readonly ignore?: string | readonly string[];
  readonly dot?: boolean;
  readonly kind?: 'files' | 'folders';
  readonly outside?: boolean;
}

/** What git and waveplan keep for themselves. */
const NEVER = ['**/.git/**', '**/.waveplan/**'];

/**
 * Lists files by patterns. Paths begin with `cwd` as it was given, so that they mean the same to the next action.
 * Symbolic links are neither listed nor entered: nothing is listed twice, nothing outside, and no circle is walked.
 */
export const globFiles: BuiltIn<GlobInput> = async (input, { cwd, folder, signal }) => {
  const start = await resolvePath(input.cwd ?? '.', { cwd, folder, outside: input.outside }, 'target');
  if (!start.ok) return start;
  const found = await stat(start.value).catch(() => undefined);
  if (found?.isDirectory() !== true) return err(actionFailure(`cwd: there is no folder ${shown(input.cwd ?? '.')}`));
  const { glob } = await import('tinyglobby');
  const folders = input.kind === 'folders';
  const ignored = [...NEVER, ...asList(input.ignore ?? [])];
  const matches = await glob(folders ? asList(input.patterns) : asList(input.patterns).map(withLastStar), {
    cwd: start.value,
    ignore: [...ignored, ...ignored.map(withLastStar)],
    dot: input.dot === true,
    onlyDirectories: folders,
    onlyFiles: !folders,
    expandDirectories: false,
    followSymbolicLinks: false,
    signal,
  });
  const inside = input.outside === true ? matches : matches.filter((match) => isInside(start.value, join(start.value, match)));
  const lost = inside.find((match) => match.includes(NO_CHARACTER) && !isThere(join(start.value, match)));
  if (lost !== undefined)
    return err(actionFailure(`a name is not UTF-8: ${shown(pathOf(input.cwd, lost))}; rename it, or leave it out with ignore`));
  const files = inside.map((match) => pathOf(input.cwd, match)).sort(byCodeUnit);
  return ok({ files, count: files.length });
};

/** Stands for bytes that are no character: a name that has it may be another on the disk, which nobody could open by it. */
const NO_CHARACTER = '\ufffd';

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** Two stars alone do not match names with a line break in them, and one does. */
function withLastStar(pattern: string): string {
  return pattern === '**' || pattern.endsWith('/**') ? `${pattern}/*` : pattern;
}

/** As `cwd` was written, in front of the match; folders come with a slash at their end, which goes. */
function pathOf(cwd: string | undefined, match: string): string {
  const bare = match.endsWith('/') ? match.slice(0, -1) : match;
  return cwd === undefined ? bare : join(cwd, bare);
}

function asList(texts: string | readonly string[]): string[] {
  return typeof texts === 'string' ? [texts] : [...texts];
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
