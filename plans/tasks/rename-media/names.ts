import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { TaskContext } from 'waveplan';
import { exifDate } from './exif-date.ts';

/** A file, the name it shall have, and what is in it. */
export interface Rename {
  readonly from: string;
  readonly to: string;
  readonly sha256: string;
}

/** `[category]_[date]_[uuid].jpg`. */
export const NAME = /^[\p{Ll}\p{Lo}\p{N}-]+_\d{4}-\d{2}-\d{2}_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.jpg$/u;

/** The new names of a batch of images. What has such a name already is left out. */
export default async function names({ files }: { files: readonly string[] }, { folder, signal }: TaskContext) {
  const renames: Rename[] = [];
  for (const file of files) {
    signal.throwIfAborted();
    if (NAME.test(path.basename(file))) continue;
    const absolute = path.join(folder, file);
    const bytes = await readFile(absolute);
    const date = exifDate(bytes) ?? (await stat(absolute)).mtime.toISOString().slice(0, 10);
    const to = path.join(path.dirname(file), `${categoryOf(file)}_${date}_${uuidOf(file)}.jpg`);
    renames.push({ from: file, to, sha256: createHash('sha256').update(bytes).digest('hex') });
  }
  return { renames };
}

/** The folder that a file lies in, as a word. */
export function categoryOf(file: string): string {
  const word = path
    .basename(path.dirname(file))
    .toLowerCase()
    .replace(/[^\p{Ll}\p{Lo}\p{N}]+/gu, '-')
    .replace(/^-+|-+$/g, '');
  return word === '' ? 'other' : word;
}

/** A UUID (version 8) made of the path: another attempt gives the same name. */
export function uuidOf(file: string): string {
  const hex = createHash('sha256').update(`rename-media ${file}`).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20, 32)].join('-');
}
