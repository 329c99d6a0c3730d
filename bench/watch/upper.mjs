import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Writes a file in capitals under `out`. */
export default function upper({ file }) {
  const target = join('out', file);
  mkdirSync(dirname(target), { recursive: true });
  const text = readFileSync(file, 'utf8').toUpperCase();
  writeFileSync(target, text);
  return text.length;
}
