import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import ts from 'typescript';
import type { TaskContext } from 'waveplan';
import { exportedNames } from './exported-names.ts';
import type { DeclarationFile, DeclarationKind, FileFacts } from './facts.ts';

/** Parses a group of declaration files with the TypeScript compiler and states the facts of each. */
export default async function analyse({ files }: { files: readonly DeclarationFile[] }, { folder, signal }: TaskContext) {
  const facts: FileFacts[] = [];
  for (const file of files) {
    signal.throwIfAborted();
    facts.push(factsOf(file, await readFile(path.join(folder, file.path), 'utf8')));
  }
  return { files: facts };
}

/** The facts of one file with the given text. */
export function factsOf(file: DeclarationFile, text: string): FileFacts {
  const source = ts.createSourceFile(file.path, text, ts.ScriptTarget.Latest, true);
  const names = [...exportedNames(source).values()];
  const exported: Partial<Record<DeclarationKind, number>> = {};
  for (const { kind } of names) exported[kind] = (exported[kind] ?? 0) + 1;
  return {
    ...file,
    hash: createHash('sha256').update(text).digest('hex'),
    lines: source.getLineStarts().length,
    ...wordsIn(source),
    exported,
    documented: names.filter((name) => name.documented).length,
    deprecated: names.filter((name) => name.deprecated).length,
  };
}

function wordsIn(source: ts.SourceFile): Pick<FileFacts, 'anyTypes' | 'anyNames' | 'exportWords'> {
  const count = { anyTypes: 0, anyNames: 0, exportWords: 0 };
  const visit = (node: ts.Node): void => {
    if (node.kind === ts.SyntaxKind.AnyKeyword) count.anyTypes += 1;
    else if (ts.isIdentifier(node) && node.text === 'any') count.anyNames += 1;
    else if (startsWithExport(node)) count.exportWords += 1;
    ts.forEachChild(node, visit);
  };
  visit(source);
  return count;
}

/** Whether the node brings one word `export` with it: the modifier, a statement, or a name spelt so. */
function startsWithExport(node: ts.Node): boolean {
  return (
    node.kind === ts.SyntaxKind.ExportKeyword ||
    ts.isExportDeclaration(node) ||
    ts.isExportAssignment(node) ||
    ts.isNamespaceExportDeclaration(node) ||
    (ts.isIdentifier(node) && node.text === 'export')
  );
}
