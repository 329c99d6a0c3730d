import ts from 'typescript';

/** A function that should have a doc comment. */
export interface NamedFunction {
  readonly name: string;
  /** The function itself: parameters and type are read from here. */
  readonly node: ts.SignatureDeclaration;
  /** The statement or class member that a doc comment stands before. */
  readonly anchor: ts.Node;
  readonly documented: boolean;
}

/** Parses TypeScript text, with parents set. */
export function parse(file: string, text: string): ts.SourceFile {
  return ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
}

/**
 * All functions with a name of their own, at any depth: declarations, methods, and arrow functions or
 * function expressions that are a constant's or a property's value. Constructors, accessors and callbacks
 * are not among them. Overloads are one function, documented when one of its signatures is.
 */
export function namedFunctions(source: ts.SourceFile): NamedFunction[] {
  const found: NamedFunction[] = [];
  const visit = (node: ts.Node): void => {
    const named = asNamedFunction(node);
    const last = found.at(-1);
    if (named && last && isOverload(last, named))
      found[found.length - 1] = { ...last, documented: last.documented || named.documented };
    else if (named) found.push(named);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function asNamedFunction(anchor: ts.Node): NamedFunction | undefined {
  const documented = ts.getJSDocCommentsAndTags(anchor).length > 0;
  if (ts.isFunctionDeclaration(anchor) || ts.isMethodDeclaration(anchor)) {
    return { name: anchor.name?.getText() ?? 'default', node: anchor, anchor, documented };
  }
  if (ts.isVariableStatement(anchor)) {
    // A comment before `const a = …, b = …` belongs to neither.
    const [declaration, ...others] = anchor.declarationList.declarations;
    if (!declaration || others.length > 0 || !isFunctionValue(declaration.initializer)) return undefined;
    return { name: declaration.name.getText(), node: declaration.initializer, anchor, documented };
  }
  if (ts.isPropertyDeclaration(anchor) && isFunctionValue(anchor.initializer)) {
    return { name: anchor.name.getText(), node: anchor.initializer, anchor, documented };
  }
  if (ts.isExportAssignment(anchor) && isFunctionValue(anchor.expression)) {
    return { name: 'default', node: anchor.expression, anchor, documented };
  }
  return undefined;
}

function isFunctionValue(value: ts.Expression | undefined): value is ts.ArrowFunction | ts.FunctionExpression {
  return value !== undefined && (ts.isArrowFunction(value) || ts.isFunctionExpression(value));
}

/** Signatures of an overloaded function follow each other; only the last has a body. */
function isOverload(previous: NamedFunction, next: NamedFunction): boolean {
  return (
    previous.name === next.name &&
    previous.anchor.kind === next.anchor.kind &&
    previous.anchor.parent === next.anchor.parent &&
    isBodiless(previous.node)
  );
}

function isBodiless(node: ts.SignatureDeclaration): boolean {
  return (ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node)) && node.body === undefined;
}
