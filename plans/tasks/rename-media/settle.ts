import { lstat } from 'node:fs/promises';
import path from 'node:path';
import type { TaskContext } from 'waveplan';
import type { Rename } from './names.ts';

/** Puts all new names together and checks, before anything is touched, that each is free and given once. */
export default async function settle(
  { named, batch }: { named: readonly { readonly renames: readonly Rename[] }[]; batch: number },
  { folder, signal }: TaskContext,
) {
  const renames = named.flatMap((one) => one.renames);
  const given = new Map<string, string>();
  const problems: string[] = [];
  for (const { from, to } of renames) {
    const other = given.get(to);
    if (other !== undefined) problems.push(`${other} and ${from} would both become ${to}`);
    given.set(to, from);
  }
  for (const { to } of renames) {
    signal.throwIfAborted();
    if (await exists(path.join(folder, to))) problems.push(`${to} is there already`);
  }
  if (problems.length > 0) throw new Error(`Nothing was renamed:\n${problems.slice(0, 20).join('\n')}`);
  const batches: (readonly Rename[])[] = [];
  for (let at = 0; at < renames.length; at += batch) batches.push(renames.slice(at, at + batch));
  return { batches, count: renames.length };
}

async function exists(file: string): Promise<boolean> {
  return lstat(file).then(
    () => true,
    () => false,
  );
}
