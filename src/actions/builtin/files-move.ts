import { cp, lstat, realpath, rename, rm, unlink } from 'node:fs/promises';
import type { Failure } from '../../model/failure.js';
import { err, ok, type Result } from '../../model/result.js';
import { actionFailure, errnoOf, inputFailure } from './failures.js';
import { takenFailure } from './files-write.js';
import { forEachPair, type Pair, type PairOutcome, type PairsInput } from './pairs.js';
import { isInside, shown } from './paths.js';
import type { BuiltIn } from './perform-built-in.js';
import { makeParents, placeNew, renameNew } from './place.js';

/** Moves or renames. A symbolic link is moved itself, not what it leads to. */
export const moveFiles: BuiltIn<PairsInput> = async (input, context) => {
  const folder = await realpath(context.folder);
  return forEachPair(input, context, (pair) => moveOne(pair, input, folder));
};

async function moveOne(pair: Pair, input: PairsInput, folder: string): Promise<Result<PairOutcome, Failure>> {
  const { from, to, given } = pair;
  const source = await lstat(from).catch(() => undefined);
  const target = await lstat(to).catch(() => undefined);
  if (source === undefined) {
    if (input.ifMissing === 'skip' && target !== undefined) return ok('skipped');
    return err(actionFailure(`there is no ${shown(given.from)}`));
  }
  if (from === to) return ok('skipped');
  if (isInside(from, folder)) return err(inputFailure(`${shown(given.from)} holds the folder that the run works in`));
  if (source.isDirectory() && isInside(from, to)) return err(inputFailure(`${shown(given.to)} is within ${shown(given.from)}`));
  if (target !== undefined && source.ino === target.ino && source.dev === target.dev && !source.isDirectory()) {
    // Two names of one file: an earlier attempt was cut short between making the new one and removing the old one.
    await unlink(from);
    return ok('done');
  }
  if (target?.isDirectory() === true) {
    return err(inputFailure(`${shown(given.to)} is a folder: name the new path itself`));
  }
  if (target !== undefined && input.overwrite !== true) return err(takenFailure(given.to));
  await makeParents(to);
  try {
    if (input.overwrite === true) await rename(from, to);
    else if (!(await renameNew(from, to))) return err(takenFailure(given.to));
  } catch (error) {
    if (errnoOf(error) !== 'EXDEV') throw error;
    return moveAcross(pair, input);
  }
  return ok('done');
}

/** To another file system: a whole copy first, then the old one goes. */
async function moveAcross({ from, to, given }: Pair, input: PairsInput): Promise<Result<PairOutcome, Failure>> {
  const placed = await placeNew(to, input.overwrite === true, (temporary) =>
    cp(from, temporary, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true }),
  );
  if (!placed) return err(takenFailure(given.to));
  await rm(from, { recursive: true });
  return ok('done');
}
