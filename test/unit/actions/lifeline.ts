import { execFileSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';

/** A pipe that a script holds open, so that a test knows how far the script and its children are. */
export interface Lifeline {
  /** What the script opens, such as `exec 3>lifeline`, in the folder that it runs in. */
  readonly name: string;
  /** Resolves when the script has written something to it. */
  readonly ready: Promise<void>;
  /** Resolves when every process that holds it has ended. */
  readonly gone: Promise<void>;
}

/** Makes a lifeline in a folder. */
export function lifeline(folder: string): Lifeline {
  const name = 'lifeline';
  execFileSync('mkfifo', [join(folder, name)]);
  const stream = createReadStream(join(folder, name));
  const ready = new Promise<void>((resolve) => stream.once('data', () => resolve()));
  const gone = new Promise<void>((resolve, reject) => stream.on('end', resolve).on('error', reject));
  stream.resume();
  return { name, ready, gone };
}
