import { readFile } from 'node:fs/promises';
import path from 'node:path';
import ts from 'typescript';
import type { TaskContext } from 'waveplan';
import type { ModuleWork } from './decide.ts';
import { declaredExports, parse, resolved, specifierOf } from './module-shape.ts';
import { replaceFile } from './replace-file.ts';

/** Cleans one module: exports that nobody takes, imports that nobody uses, imports of files that go. */
export default async function cleanModule({ work }: { work: ModuleWork }, { folder, log }: TaskContext) {
  const file = path.join(folder, work.file);
  const before = await readFile(file, 'utf8');
  const cleaned = cleanedModule(before, work);
  if (cleaned.text !== before) {
    await replaceFile(file, cleaned.text);
    log(`${work.file}: ${JSON.stringify(cleaned.done)}`);
  }
  return { file: work.file, ...cleaned.done };
}

/** The text of a module, cleaned, and what was done. */
export function cleanedModule(before: string, work: ModuleWork) {
  const exportsGone = withoutExports(before, work);
  const importsGone = withoutUnusedImports(exportsGone.text, work.file);
  const rewired = withOtherImports(importsGone.text, work);
  return {
    text: rewired.text,
    done: { exports: exportsGone.count, imports: importsGone.count, rewired: rewired.count },
  };
}

/** A stretch of text and what takes its place. */
interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

function edited(text: string, edits: readonly Edit[]): string {
  let result = text;
  for (const { start, end, text: other } of [...edits].sort((a, b) => b.start - a.start)) {
    result = result.slice(0, start) + other + result.slice(end);
  }
  return result;
}

/** A declaration that nobody names goes with its comment; one that the module itself uses only loses its `export`. */
function withoutExports(text: string, { file, unusedExports }: ModuleWork) {
  const source = parse(file, text);
  const edits = source.statements.flatMap((statement): readonly Edit[] => {
    const names = declaredExports(statement);
    if (names.length === 0 || !names.every((name) => name !== 'default' && unusedExports.includes(name))) return [];
    if (names.every((name) => uses(source, name) === 1))
      return [{ start: statement.getFullStart(), end: statement.end, text: '' }];
    const keyword = ts.canHaveModifiers(statement)
      ? ts.getModifiers(statement)?.find(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
      : undefined;
    return keyword === undefined ? [] : [{ start: keyword.getStart(), end: keyword.end + 1, text: '' }];
  });
  return { text: edited(text, edits), count: edits.length };
}

/** How often a name stands in a module, its declaration included. */
function uses(source: ts.SourceFile, name: string): number {
  let count = 0;
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && node.text === name) count += 1;
    ts.forEachChild(node, visit);
  };
  visit(source);
  return count;
}

/** An import for its effects alone (`import './x.js'`) has no name, and stays. */
function withoutUnusedImports(text: string, file: string) {
  const source = parse(file, text);
  let count = 0;
  const edits = source.statements.flatMap((statement): readonly Edit[] => {
    if (!ts.isImportDeclaration(statement) || statement.importClause === undefined) return [];
    const { name, namedBindings } = statement.importClause;
    const named = namedBindings !== undefined && ts.isNamedImports(namedBindings) ? namedBindings.elements : [];
    const unused = named.filter((one) => uses(source, one.name.text) === 1 + (one.propertyName?.text === one.name.text ? 1 : 0));
    // Default and namespace imports are left as they are: what they hold may have been loaded for its effects.
    if (unused.length === 0) return [];
    count += unused.length;
    if (unused.length === named.length && name === undefined) {
      return [{ start: statement.getStart(), end: behindLine(text, statement.end), text: '' }];
    }
    if (unused.length === named.length || namedBindings === undefined) return [];
    const rest = named.filter((one) => !unused.includes(one)).map((one) => one.getText());
    return [{ start: namedBindings.getStart(), end: namedBindings.end, text: `{ ${rest.join(', ')} }` }];
  });
  // What stood between the imports and the code does not begin a file.
  const rest = edits.length === 0 ? text : edited(text, edits).replace(/^(\r?\n)+/, '');
  return { text: rest, count };
}

function behindLine(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end === -1 ? text.length : end + 1;
}

function withOtherImports(text: string, { file, instead }: ModuleWork) {
  const source = parse(file, text);
  const edits: Edit[] = [];
  const visit = (node: ts.Node): void => {
    const isSpecifier =
      ts.isStringLiteral(node) &&
      (ts.isImportDeclaration(node.parent) ||
        ts.isExportDeclaration(node.parent) ||
        (ts.isCallExpression(node.parent) && node.parent.expression.kind === ts.SyntaxKind.ImportKeyword));
    const meant = isSpecifier ? resolved(file, node.text) : undefined;
    const other = meant !== undefined && Object.hasOwn(instead, meant) ? instead[meant] : undefined;
    if (other !== undefined) edits.push({ start: node.getStart() + 1, end: node.end - 1, text: specifierOf(file, other) });
    ts.forEachChild(node, visit);
  };
  visit(source);
  return { text: edited(text, edits), count: edits.length };
}
