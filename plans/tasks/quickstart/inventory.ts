import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { TaskContext } from 'waveplan';
import type { FileFacts } from './facts.ts';

/** Lists the tree by another route and fails unless exactly these files were analysed, each once. */
export default async function inventory(
  { root, analyses }: { root: string; analyses: readonly { files: readonly FileFacts[] }[] },
  { folder }: TaskContext,
) {
  const entries = await readdir(path.join(folder, root), { recursive: true, withFileTypes: true });
  const listed = entries
    .filter((entry) => entry.isFile() && ['.d.ts', '.d.mts', '.d.cts'].some((ending) => entry.name.endsWith(ending)))
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
  const analysed = analyses.flatMap(({ files }) => files.map((file) => file.path));

  const problems = mismatches(listed, analysed);
  if (problems.length > 0) throw new Error(`The files on disk are not the files analysed:\n${problems.join('\n')}`);
  return { files: listed.length, summary: `A second listing of ${root} found the same ${listed.length} files` };
}

/** Files missed, files that are not there, and files analysed twice. */
export function mismatches(listed: readonly string[], analysed: readonly string[]): string[] {
  const onDisk = new Set(listed);
  const seen = new Set<string>();
  const problems: string[] = [];
  for (const file of analysed) {
    if (!onDisk.has(file)) problems.push(`${file}: analysed, not on disk`);
    if (seen.has(file)) problems.push(`${file}: analysed twice`);
    seen.add(file);
  }
  for (const file of listed) if (!seen.has(file)) problems.push(`${file}: not analysed`);
  return problems;
}
