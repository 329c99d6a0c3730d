import ts from 'typescript';
import type { DeclarationKind } from './facts.ts';

/** One exported name, with what is known of all declarations that merge into it. */
export interface ExportedName {
  readonly kind: DeclarationKind;
  readonly documented: boolean;
  readonly deprecated: boolean;
}

/** What a declaration file offers to its users, by qualified name; members of exported namespaces count as well. */
export function exportedNames(source: ts.SourceFile): Map<string, ExportedName> {
  const names = new Map<string, ExportedName>();
  collect(source.statements, ts.isExternalModule(source) ? exportedIn(source.statements) : everything, '', names);
  return names;
}

type IsExported = (statement: ts.Statement, name: string) => boolean;

const everything: IsExported = () => true;

/**
 * In a declaration file a scope without export statements exports all it declares, with or without the
 * modifier (the compiler's rule for ambient contexts); otherwise only what the modifier or a statement names.
 */
function exportedIn(statements: readonly ts.Statement[]): IsExported {
  const exports = statements.filter((statement) => ts.isExportDeclaration(statement) || ts.isExportAssignment(statement));
  if (exports.length === 0) return everything;
  const named = new Set(exports.flatMap(localNames));
  return (statement, name) => named.has(name) || hasExportModifier(statement);
}

/** The scope's own names that `export { a, b as c }`, `export = a` or `export default a` exports. */
function localNames(statement: ts.ExportDeclaration | ts.ExportAssignment): string[] {
  if (ts.isExportAssignment(statement)) return ts.isIdentifier(statement.expression) ? [statement.expression.text] : [];
  const { exportClause, moduleSpecifier } = statement;
  if (moduleSpecifier || !exportClause || !ts.isNamedExports(exportClause)) return [];
  return exportClause.elements.map((element) => (element.propertyName ?? element.name).text);
}

function hasExportModifier(node: ts.Node): boolean {
  return ts.canHaveModifiers(node) && (ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
}

function collect(
  statements: readonly ts.Statement[],
  isExported: IsExported,
  prefix: string,
  names: Map<string, ExportedName>,
): void {
  for (const statement of statements) {
    if (isTransparent(statement)) {
      collectBody(statement, prefix, names);
      continue;
    }
    for (const { name, kind } of declarationsOf(statement)) {
      if (!isExported(statement, name)) continue;
      const known = names.get(prefix + name);
      names.set(prefix + name, {
        kind: known?.kind ?? kind,
        documented: known?.documented || ts.getJSDocCommentsAndTags(statement).length > 0,
        deprecated: known?.deprecated || ts.getJSDocDeprecatedTag(statement) !== undefined,
      });
      if (ts.isModuleDeclaration(statement)) collectBody(statement, `${prefix}${name}.`, names);
    }
  }
}

function collectBody({ body }: ts.ModuleDeclaration, prefix: string, names: Map<string, ExportedName>): void {
  if (body && ts.isModuleBlock(body)) collect(body.statements, exportedIn(body.statements), prefix, names);
  // The dotted form: `namespace A.B {}` has B as its body.
  else if (body && ts.isModuleDeclaration(body)) collect([body], everything, prefix, names);
}

/** `declare module 'x'` and `declare global` export what they hold and are no names themselves. */
function isTransparent(statement: ts.Statement): statement is ts.ModuleDeclaration {
  return (
    ts.isModuleDeclaration(statement) &&
    (ts.isStringLiteral(statement.name) || (statement.flags & ts.NodeFlags.GlobalAugmentation) !== 0)
  );
}

function declarationsOf(statement: ts.Statement): { name: string; kind: DeclarationKind }[] {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map(({ name }) => ({ name: name.getText(), kind: 'variable' }));
  }
  const kind = kindOf(statement);
  if (kind === undefined) return [];
  return [{ name: ts.getNameOfDeclaration(statement as ts.DeclarationStatement)?.getText() ?? 'default', kind }];
}

function kindOf(statement: ts.Statement): DeclarationKind | undefined {
  if (ts.isFunctionDeclaration(statement)) return 'function';
  if (ts.isClassDeclaration(statement)) return 'class';
  if (ts.isInterfaceDeclaration(statement)) return 'interface';
  if (ts.isTypeAliasDeclaration(statement)) return 'type';
  if (ts.isEnumDeclaration(statement)) return 'enum';
  if (ts.isModuleDeclaration(statement)) return 'namespace';
  return undefined;
}
