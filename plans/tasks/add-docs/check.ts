import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { TaskContext } from 'waveplan';
import { codeShape, syntaxErrors } from './code-shape.ts';
import { namedFunctions, parse } from './functions.ts';

/** Checks a batch of files against the last commit, which the backup made before any file was touched. */
export default async function check({ files }: { files: readonly string[] }, { exec, folder, signal }: TaskContext) {
  const problems: string[] = [];
  let functions = 0;
  for (const file of files) {
    signal.throwIfAborted();
    const after = await readFile(path.join(folder, file), 'utf8');
    const committed = await exec(['git', 'show', `HEAD:./${file}`]);
    if (committed.exitCode !== 0) throw new Error(`git cannot show ${file} as committed: ${committed.stderr.trim()}`);
    problems.push(...problemsOf(file, committed.stdout, after));
    functions += namedFunctions(parse(file, after)).length;
  }
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return { files: files.length, functions };
}

/** What is wrong with a file after the change: broken syntax, other code than before, a function without a doc comment. */
export function problemsOf(file: string, before: string, after: string): string[] {
  const source = parse(file, after);
  const undocumented = namedFunctions(source).filter((named) => !named.documented);
  return [
    ...syntaxErrors(file, after),
    ...(codeShape(source) === codeShape(parse(file, before)) ? [] : [`${file}: the code is not what was committed`]),
    ...undocumented.map(({ name }) => `${file}: ${name} has no doc comment`),
  ];
}
