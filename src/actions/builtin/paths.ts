import { lstat, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import type { Failure } from '../../model/failure.js';
import { err, ok, type Result } from '../../model/result.js';
import { actionFailure, errnoOf, inputFailure } from './failures.js';

/** What a path is taken for, which decides whether a symbolic link at its end is followed. */
export type PathUse =
  /** What the path leads to: reading, and writing into an existing file. */
  | 'target'
  /** The name itself: moving, removing, and creating. */
  | 'entry';

/** Where paths may lead. */
export interface Bounds {
  /** What relative paths are relative to, absolute. */
  readonly cwd: string;
  /** The folder that the run works in, absolute. */
  readonly folder: string;
  /** Paths may leave the folder. */
  readonly outside?: boolean | undefined;
}

/**
 * The real path behind a path as it was given. Inside the run's folder, symbolic links on the way included, unless told
 * otherwise: a link to elsewhere does not lead out. What does not exist yet is placed by the nearest folder that does.
 * It says where a path leads now; it does not keep others from moving folders meanwhile.
 */
export async function resolvePath(path: string, bounds: Bounds, use: PathUse): Promise<Result<string, Failure>> {
  // With a slash at its end, a name stands for what a link leads to.
  const asFolder = /\/\.{0,2}$/.test(path);
  const absolute = resolve(bounds.cwd, path);
  try {
    const real = use === 'entry' && !asFolder ? await realEntry(absolute) : await realTarget(absolute);
    // Throws for a name that no file can have.
    if (use === 'entry') await isThere(real);
    if (bounds.outside === true) return ok(real);
    const folder = await realpath(bounds.folder);
    return isInside(folder, real) ? ok(real) : err(outsideFailure(path, bounds.folder));
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ELOOP' || code === 'ENAMETOOLONG' || code === 'ENOTDIR') {
      return err(inputFailure(`${shown(path)}: ${LEADS_NOWHERE[code]}`));
    }
    return err(actionFailure(`${shown(path)}: ${error instanceof Error ? error.message : String(error)}`));
  }
}

const LEADS_NOWHERE = {
  ELOOP: 'symbolic links that lead in a circle',
  ENAMETOOLONG: 'the name is longer than the system allows',
  ENOTDIR: 'a part of the path is a file, not a folder',
} as const;

/** Whether `path` is `folder` or within it; both are real paths. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === '' || !(way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way));
}

/** A path for messages: with its odd characters visible, and in bounded length. */
export function shown(path: string): string {
  const text = JSON.stringify(path);
  return text.length <= 300 ? text : `${text.slice(0, 140)}…${text.slice(-140)}`;
}

function outsideFailure(path: string, folder: string): Failure {
  return inputFailure(
    `${shown(path)} leads out of the folder that the run works in (${folder}): 'outside: true' would allow that`,
  );
}

async function realEntry(absolute: string): Promise<string> {
  return join(await realTarget(dirname(absolute)), basename(absolute));
}

async function realTarget(absolute: string): Promise<string> {
  try {
    return await realpath(absolute);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' || dirname(absolute) === absolute) throw error;
  }
  // Also of a link that leads to nothing: it is not followed, since that could create a file anywhere.
  return realEntry(absolute);
}

/** Whether a name exists, be it a link that leads to nothing. Rejects when that cannot be told. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw error;
  }
}
