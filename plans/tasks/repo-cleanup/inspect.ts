import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { TaskContext } from 'waveplan';
import { type ModuleShape, shapeOf } from './module-shape.ts';

/** One file, as far as the cleaning has to know it. */
export interface InspectedFile {
  readonly file: string;
  readonly sha256: string;
  /** Nothing, or nothing but white space. */
  readonly empty: boolean;
  /** Holds a NUL byte: not a text to clean. */
  readonly binary: boolean;
  /** Of JavaScript modules. */
  readonly shape: ModuleShape | null;
}

/** Looks at a batch of files. */
export default async function inspect({ files }: { files: readonly string[] }, { folder, signal }: TaskContext) {
  const inspected: InspectedFile[] = [];
  for (const file of files) {
    signal.throwIfAborted();
    const bytes = await readFile(path.join(folder, file));
    const text = bytes.toString('utf8');
    inspected.push({
      file,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      empty: text.trim() === '',
      binary: bytes.includes(0),
      shape: /\.m?js$/.test(file) ? shapeOf(file, text) : null,
    });
  }
  return { files: inspected };
}
