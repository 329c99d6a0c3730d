import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errnoOf } from './problem.js';

/**
 * Writes a small file so that a reader sees the old content or the new one, never a part: a temporary
 * neighbour, then a rename. `sync` also waits for the disk. Rejects with the system's error, with nothing left behind.
 */
export async function writeFileAtomic(path: string, text: string, options: { readonly sync: boolean }): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path).slice(0, 100)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const handle = await open(temporary, 'wx');
    try {
      await handle.writeFile(text);
      if (options.sync) await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
    if (options.sync) await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** Waits until the names in a folder are on the disk; without it a new file can vanish in a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open folders, and writes their entries through by itself.
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Creates a folder and what is missing above it. Rejects with the system's error. Not `mkdir({ recursive: true })`: Node 20
 * never returns from that where a file system answers ENOENT although the parent exists, as /proc does.
 */
export async function makeFolders(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT' && dirname(path) !== path && !(await isFolder(dirname(path)))) {
      await makeFolders(dirname(path));
      await mkdir(path);
    } else if (!(code === 'EEXIST' && (await isFolder(path)))) {
      throw error;
    }
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
