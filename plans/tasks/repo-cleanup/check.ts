import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { TaskContext } from 'waveplan';
import { shapeOf } from './module-shape.ts';

/** Looks at the cleaned repository as a whole: every relative import means a file that is there and gives what is taken. */
export default async function check({ files }: { files: readonly string[] }, { folder, signal }: TaskContext) {
  const shapes = new Map<string, ReturnType<typeof shapeOf>>();
  for (const file of files.filter((one) => /\.m?js$/.test(one))) {
    signal.throwIfAborted();
    shapes.set(file, shapeOf(file, await readFile(path.join(folder, file), 'utf8')));
  }
  const wrong: string[] = [];
  for (const [file, { imports }] of shapes) {
    for (const { specifier, file: meant, names } of imports) {
      if (meant === undefined) continue;
      const given = shapes.get(meant);
      if (given === undefined) wrong.push(`${file} imports ${specifier}, which is not there`);
      else
        for (const name of names)
          if (!given.exports.includes(name)) wrong.push(`${file} takes '${name}', which ${meant} does not give`);
    }
  }
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
  return { modules: shapes.size };
}
