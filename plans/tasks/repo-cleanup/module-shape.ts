import path from 'node:path';
import ts from 'typescript';

/** What one module takes from another. */
export interface ImportedNames {
  /** As written. */
  readonly specifier: string;
  /** The file that it means, relative to the root; undefined for packages. */
  readonly file: string | undefined;
  readonly names: readonly string[];
  /** It takes everything, or by computed names: no export of that file is known to be unused. */
  readonly all: boolean;
}

/** What a module takes and gives. */
export interface ModuleShape {
  readonly imports: readonly ImportedNames[];
  readonly exports: readonly string[];
}

/** The syntax tree of a JavaScript module, with parents. */
export function parse(file: string, text: string): ts.SourceFile {
  return ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS);
}

/** The file that a relative specifier means, relative to the root. */
export function resolved(from: string, specifier: string): string | undefined {
  return /^\.{1,2}\//.test(specifier) ? path.normalize(path.join(path.dirname(from), specifier)) : undefined;
}

/** The specifier by which `from` names `to`. */
export function specifierOf(from: string, to: string): string {
  const way = path.relative(path.dirname(from), to);
  return way.startsWith('.') ? way : `./${way}`;
}

/** What a module takes from others, and gives. */
export function shapeOf(file: string, text: string): ModuleShape {
  const source = parse(file, text);
  const imports: ImportedNames[] = [];
  const exports: string[] = [];
  const take = (specifier: ts.Node | undefined, names: readonly string[], all: boolean) => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return;
    imports.push({ specifier: specifier.text, file: resolved(file, specifier.text), names, all });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) take(node.arguments[0], [], true);
    ts.forEachChild(node, visit);
  };
  for (const statement of source.statements) {
    if (ts.isImportDeclaration(statement)) {
      const { name, namedBindings } = statement.importClause ?? {};
      const named = namedBindings !== undefined && ts.isNamedImports(namedBindings) ? namedBindings.elements : [];
      const names = named.map((one) => (one.propertyName ?? one.name).text);
      const all = namedBindings !== undefined && ts.isNamespaceImport(namedBindings);
      take(statement.moduleSpecifier, name === undefined ? names : ['default', ...names], all);
    } else if (ts.isExportDeclaration(statement)) {
      const named =
        statement.exportClause !== undefined && ts.isNamedExports(statement.exportClause) ? statement.exportClause.elements : [];
      exports.push(...named.map((one) => one.name.text));
      const from = named.map((one) => (one.propertyName ?? one.name).text);
      take(statement.moduleSpecifier, from, statement.exportClause === undefined || ts.isNamespaceExport(statement.exportClause));
    } else if (ts.isExportAssignment(statement)) exports.push('default');
    else exports.push(...declaredExports(statement));
    visit(statement);
  }
  return { imports, exports };
}

/** The names that a declaration with `export` gives. */
export function declaredExports(statement: ts.Statement): readonly string[] {
  const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
  if (!modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return [];
  if (modifiers.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword)) return ['default'];
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.flatMap(({ name }) => (ts.isIdentifier(name) ? [name.text] : []));
  }
  const named = ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement) ? statement.name : undefined;
  return named === undefined ? [] : [named.text];
}
