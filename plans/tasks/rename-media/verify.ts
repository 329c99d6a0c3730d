import { createHash } from 'node:crypto';
import { lstat, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { TaskContext } from 'waveplan';
import { NAME, type Rename } from './names.ts';

/** Looks at every file of a batch: the old name is gone, the new one is of the form, and holds what the old one held. */
export default async function verify({ renames }: { renames: readonly Rename[] }, { folder, signal }: TaskContext) {
  const wrong: string[] = [];
  for (const { from, to, sha256 } of renames) {
    signal.throwIfAborted();
    if (!NAME.test(path.basename(to))) wrong.push(`${to} is not of the form`);
    const bytes = await readFile(path.join(folder, to)).catch(() => undefined);
    if (bytes === undefined) wrong.push(`${to} is not there`);
    else if (createHash('sha256').update(bytes).digest('hex') !== sha256) wrong.push(`${to} is not what ${from} was`);
    const old = await lstat(path.join(folder, from)).catch(() => undefined);
    if (old !== undefined) wrong.push(`${from} is still there`);
  }
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
  return { checked: renames.length };
}
