import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { TaskContext } from 'waveplan';
import { syntaxErrors } from './code-shape.ts';
import { withDocComments } from './doc-comment.ts';

/** A file that got doc comments, and the functions that they are for. */
export type ChangedFile = { readonly file: string; readonly added: readonly string[] };

/** Adds the missing doc comments to a batch of files. A file that needs none is not written; one that does not parse fails. */
export default async function document({ files }: { files: readonly string[] }, { folder, log, signal }: TaskContext) {
  const changed: ChangedFile[] = [];
  const broken: string[] = [];
  for (const file of files) {
    signal.throwIfAborted();
    const text = await readFile(path.join(folder, file), 'utf8');
    const errors = syntaxErrors(file, text);
    if (errors.length > 0) {
      broken.push(...errors);
      continue;
    }
    const documented = withDocComments(file, text);
    if (documented.added.length === 0) continue;
    await writeAtomically(path.join(folder, file), documented.text);
    changed.push({ file, added: documented.added });
    log(`${file}: ${documented.added.join(', ')}`);
  }
  if (broken.length > 0) throw new Error(`Not touched, as it does not parse:\n${broken.join('\n')}`);
  return { files: files.length, changed };
}

/** All of the new text or all of the old, whenever the run is cut short. */
async function writeAtomically(file: string, text: string): Promise<void> {
  const beside = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}.tmp`);
  try {
    await writeFile(beside, text, { mode: (await stat(file)).mode });
    await rename(beside, file);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}
