import { lstat } from 'node:fs/promises';
import path from 'node:path';
import type { TaskContext } from 'waveplan';

/** Finds the TypeScript sources under `root` that git knows or would add: what it ignores, no backup would hold. */
export default async function find({ root }: { root: string }, { exec, folder }: TaskContext) {
  const listing = await exec(['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', root]);
  if (listing.exitCode !== 0) throw new Error(`git cannot list ${root}: ${listing.stderr.trim()}`);

  const files: string[] = [];
  for (const file of listing.stdout.split('\0')) {
    if (/(?<!\.d)\.[cm]?tsx?$/.test(file) && (await isPlainFile(path.join(folder, file)))) files.push(file);
  }
  return { files, summary: `Found ${files.length} TypeScript files in ${root}` };
}

/** False for symbolic links, and for files that git lists but that are deleted in the tree. */
async function isPlainFile(file: string): Promise<boolean> {
  return lstat(file).then(
    (status) => status.isFile(),
    () => false,
  );
}
