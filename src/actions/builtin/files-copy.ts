import { copyFile, cp, lstat, realpath, stat } from 'node:fs/promises';
import type { Failure } from '../../model/failure.js';
import { err, ok, type Result } from '../../model/result.js';
import { actionFailure, inputFailure } from './failures.js';
import { takenFailure } from './files-write.js';
import { forEachPair, type Pair, type PairOutcome, type PairsInput } from './pairs.js';
import { type Bounds, isInside, resolvePath, shown } from './paths.js';
import type { BuiltIn } from './perform-built-in.js';
import { makeParents, placeNew } from './place.js';

/** Copies files and folders. A link that is named is followed; links within a folder are copied as links. */
export const copyFiles: BuiltIn<PairsInput> = (input, context) =>
  forEachPair(input, context, (pair) => copyOne(pair, input, context));

async function copyOne(pair: Pair, input: PairsInput, bounds: Bounds): Promise<Result<PairOutcome, Failure>> {
  const { to, given } = pair;
  const resolved = await resolvePath(given.from, { ...bounds, outside: input.outside }, 'target');
  if (!resolved.ok) return resolved;
  const from = resolved.value;
  const source = await stat(from).catch(() => undefined);
  if (source === undefined) {
    return input.ifMissing === 'skip' ? ok('skipped') : err(actionFailure(`there is no ${shown(given.from)}`));
  }
  if (source.isDirectory() && isInside(from, to)) return err(inputFailure(`${shown(given.to)} is within ${shown(given.from)}`));
  if (!source.isDirectory() && !source.isFile()) return err(inputFailure(`${shown(given.from)} is neither a file nor a folder`));
  const target = await lstat(to).catch(() => undefined);
  if (target !== undefined && (await realpath(to).catch(() => to)) === from) {
    return err(inputFailure(`${shown(given.from)} and ${shown(given.to)} are one file`));
  }
  if (target?.isDirectory() === true) return err(inputFailure(`${shown(given.to)} is a folder: name the copy's own path`));
  if (target !== undefined && input.overwrite !== true) return err(takenFailure(given.to));
  await makeParents(to);
  const placed = await placeNew(to, input.overwrite === true, (temporary) =>
    source.isDirectory()
      ? cp(from, temporary, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true })
      : copyFile(from, temporary),
  );
  return placed ? ok('done') : err(takenFailure(given.to));
}
