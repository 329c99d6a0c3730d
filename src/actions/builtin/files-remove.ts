import { lstat, realpath, rm, unlink } from 'node:fs/promises';
import type { Failure } from '../../model/failure.js';
import { err, ok, type Result } from '../../model/result.js';
import { actionFailure, errnoOf, inputFailure } from './failures.js';
import { summed } from './pairs.js';
import { type Bounds, isInside, resolvePath, shown } from './paths.js';
import type { BuiltIn } from './perform-built-in.js';

/** `with` of `files/remove`; its schema says more. */
export interface RemoveInput {
  readonly path?: string;
  readonly paths?: readonly string[];
  readonly recursive?: boolean;
  readonly ifMissing?: 'fail' | 'skip';
  readonly outside?: boolean;
}

/** Removes files, and folders when told; never the folder that the run works in. All are tried, as in `forEachPair`. */
export const removeFiles: BuiltIn<RemoveInput> = async (input, { cwd, folder, signal }) => {
  const paths = input.paths ?? (input.path === undefined ? [] : [input.path]);
  const files: string[] = [];
  const failures: Failure[] = [];
  let skipped = 0;
  for (const path of paths) {
    signal.throwIfAborted();
    const removed = await removeOne(path, input, { cwd, folder, outside: input.outside });
    if (!removed.ok) failures.push(removed.error);
    else if (removed.value) files.push(path);
    else skipped += 1;
  }
  return summed(failures, paths.length) ?? ok({ files, count: files.length, skipped });
};

/** Whether there was something to remove. */
async function removeOne(given: string, input: RemoveInput, bounds: Bounds): Promise<Result<boolean, Failure>> {
  const path = await resolvePath(given, bounds, 'entry');
  if (!path.ok) return path;
  if (isInside(path.value, await realpath(bounds.folder))) {
    return err(inputFailure(`${shown(given)} holds the folder that the run works in`));
  }
  try {
    const there = await lstat(path.value);
    if (!there.isDirectory()) await unlink(path.value);
    else if (input.recursive === true) await rm(path.value, { recursive: true });
    else return err(inputFailure(`${shown(given)} is a folder: 'recursive: true' would remove it with all that is in it`));
    return ok(true);
  } catch (error) {
    const code = errnoOf(error);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') {
      return err(actionFailure(`${shown(given)}: ${error instanceof Error ? error.message : String(error)}`));
    }
    return input.ifMissing === 'skip' ? ok(false) : err(actionFailure(`there is no ${shown(given)}`));
  }
}
