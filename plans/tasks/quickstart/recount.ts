import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { TaskContext } from 'waveplan';
import type { FileFacts } from './facts.ts';
import { countWords } from './words.ts';

/** Counts a group of files again, without the compiler, and fails where the two counts differ. */
export default async function recount({ files }: { files: readonly FileFacts[] }, { folder, signal }: TaskContext) {
  const differences: string[] = [];
  for (const file of files) {
    signal.throwIfAborted();
    differences.push(...differencesOf(file, await readFile(path.join(folder, file.path))));
  }
  if (differences.length > 0) throw new Error(`The second count differs:\n${differences.join('\n')}`);
  return { files: files.length };
}

/** Where the recorded facts do not match the content, exactly; none when they do. */
export function differencesOf(file: FileFacts, content: Buffer): string[] {
  const text = content.toString('utf8');
  const [anyWords = 0, exportWords = 0] = countWords(text, ['any', 'export']);
  const pairs: readonly (readonly [string, recorded: number, counted: number])[] = [
    ['bytes', file.bytes, content.length],
    ['lines', file.lines, text.split(/\r\n|[\n\r\u2028\u2029]/).length],
    ['uses of "any"', file.anyTypes + file.anyNames, anyWords],
    ['uses of "export"', file.exportWords, exportWords],
  ];
  return pairs
    .filter(([, recorded, counted]) => recorded !== counted)
    .map(([what, recorded, counted]) => `${file.path}: ${recorded} ${what} recorded, ${counted} counted`);
}
