import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { TaskContext } from 'waveplan';
import type { DeclarationFile } from './facts.ts';

/** A group is closed at this size: small enough for even work, large enough for little traffic. */
const GROUP_BYTES = 48 * 1024;

/** Finds the declaration files under `root` and deals them into groups of similar size, one group a subtask. */
export default async function scan({ root }: { root: string }, { folder }: TaskContext) {
  const files: DeclarationFile[] = [];
  for await (const file of declarationFiles(folder, root)) {
    const { size } = await stat(path.join(folder, file));
    files.push({ path: file, package: packageOf(file), bytes: size });
  }
  if (files.length === 0) throw new Error(`No declaration files in ${path.join(folder, root)}: run "npm ci" first.`);

  const groups = groupsOf(files);
  return { root, groups, summary: summaryOf(files, groups.length) };
}

function summaryOf(files: readonly DeclarationFile[], groups: number): string[] {
  const packages = new Set(files.map((file) => file.package)).size;
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const largest = files.reduce((a, b) => (b.bytes > a.bytes ? b : a));
  return [
    `Found ${files.length} declaration files of ${packages} packages; made ${groups} groups`,
    `Largest file: ${largest.path}, ${Math.round((100 * largest.bytes) / bytes)}% of ${(bytes / 1e6).toFixed(1)} MB`,
  ];
}

async function* declarationFiles(folder: string, directory: string): AsyncGenerator<string> {
  const entries = await readdir(path.join(folder, directory), { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const child = path.join(directory, entry.name);
    if (entry.isDirectory()) yield* declarationFiles(folder, child);
    else if (entry.isFile() && /\.d\.[cm]?ts$/.test(entry.name)) yield child;
  }
}

/** The innermost package that holds the file: `node_modules/a/node_modules/@b/c/x.d.ts` belongs to `@b/c`. */
export function packageOf(file: string): string {
  const folders = file.split(path.sep);
  const [first = '', second = ''] = folders.slice(folders.lastIndexOf('node_modules') + 1);
  return first.startsWith('@') ? `${first}/${second}` : first;
}

/** Largest files first, so that the longest subtask does not start last. */
export function groupsOf(files: readonly DeclarationFile[]): DeclarationFile[][] {
  const groups: DeclarationFile[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const file of files.toSorted((a, b) => b.bytes - a.bytes || (a.path < b.path ? -1 : 1))) {
    if (bytes + file.bytes > GROUP_BYTES) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)?.push(file);
    bytes += file.bytes;
  }
  return groups;
}
