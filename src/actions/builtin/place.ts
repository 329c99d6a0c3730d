import { randomBytes } from 'node:crypto';
import { link, mkdir, rename, rm, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errnoOf } from './failures.js';
import { isThere } from './paths.js';

/*
 * Putting files in place so that nobody ever sees half of one, and nothing is overwritten by accident. A new name is
 * made by link(2), which fails where the name is taken, with no moment between looking and making.
 */

/** A name beside `target` for what will be renamed to it: the same file system, and nobody else's. */
export function temporaryBeside(target: string): string {
  return join(
    dirname(target),
    `.${Buffer.from(basename(target)).subarray(0, 60).toString('hex')}.${randomBytes(6).toString('hex')}.tmp`,
  );
}

/** Fills a temporary neighbour of `target` by `make`, and puts it in place. False, with nothing done, where the name is taken. */
export async function placeNew(target: string, overwrite: boolean, make: (temporary: string) => Promise<void>): Promise<boolean> {
  const temporary = temporaryBeside(target);
  try {
    await make(temporary);
    if (overwrite) {
      await rename(temporary, target);
      return true;
    }
    return await renameNew(temporary, target);
  } finally {
    await rm(temporary, { force: true, recursive: true });
  }
}

/** Renames without overwriting; false where the name is taken. Rejects with the system's error. */
export async function renameNew(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
  } catch (error) {
    switch (errnoOf(error)) {
      case 'EEXIST':
        return false;
      // Folders have no second name, and some file systems know none at all: look first, then rename.
      case 'EPERM':
      case 'EISDIR':
      case 'ENOTSUP':
      case 'EOPNOTSUPP':
      case 'EMLINK':
        if (await isThere(to)) return false;
        await rename(from, to);
        return true;
      default:
        throw error;
    }
  }
  await unlink(from);
  return true;
}

/**
 * Creates the folders above a path that are missing. Rejects with the system's error. Not `mkdir({ recursive: true })`:
 * Node 20 never returns from that where a file system answers ENOENT although the parent exists, as /proc does.
 */
export async function makeParents(path: string): Promise<void> {
  await makeFolder(dirname(path));
}

async function makeFolder(path: string): Promise<void> {
  if (await isFolder(path)) return;
  if (dirname(path) !== path) await makeFolder(dirname(path));
  try {
    await mkdir(path);
  } catch (error) {
    // Another agent may have been faster.
    if (!(errnoOf(error) === 'EEXIST' && (await isFolder(path)))) throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
