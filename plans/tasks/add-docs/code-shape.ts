import ts from 'typescript';

/**
 * The syntax tree as text, without comments and white space: two sources have the same shape when they are
 * the same code. Kinds are part of it because a line break alone can change what tokens mean (`return ⏎ x`).
 */
export function codeShape(source: ts.SourceFile): string {
  const shapeOf = (node: ts.Node): string => {
    const children = node.getChildren(source).filter((child) => !ts.isJSDoc(child));
    return children.length === 0 ? node.getText(source) : `${node.kind}(${children.map(shapeOf).join(' ')})`;
  };
  return shapeOf(source);
}

/** The syntax errors of a text, one line each. */
export function syntaxErrors(file: string, text: string): string[] {
  const { diagnostics = [] } = ts.transpileModule(text, { fileName: file, reportDiagnostics: true });
  return diagnostics.map(({ file: at, start, messageText }) => {
    const line = at && start !== undefined ? at.getLineAndCharacterOfPosition(start).line + 1 : 1;
    return `${file}:${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
  });
}
