import path from 'node:path';
import ts from 'typescript';
import { type NamedFunction, namedFunctions, parse } from './functions.ts';
import { parameterOf, resultOf, type Signature, sentenceOf } from './sentences.ts';

/** A text with its missing doc comments, and the names of the functions that got one. */
export interface DocumentedText {
  readonly text: string;
  readonly added: readonly string[];
}

/** Adds a doc comment to each function without one. Only comments are added: the code stays as it is, byte for byte. */
export function withDocComments(file: string, text: string): DocumentedText {
  const missing = namedFunctions(parse(file, text)).filter((named) => !named.documented);
  let documented = '';
  let copied = 0;
  for (const { at, comment } of missing.map((named) => insertion(named, text, file))) {
    documented += text.slice(copied, at) + comment;
    copied = at;
  }
  return { text: documented + text.slice(copied), added: missing.map((named) => named.name) };
}

function insertion(named: NamedFunction, text: string, file: string): { at: number; comment: string } {
  const at = startWithDirectives(named.anchor, text);
  const lineSoFar = text.slice(text.lastIndexOf('\n', at - 1) + 1, at);
  const indent = /^[ \t]*/.exec(lineSoFar)?.[0] ?? '';
  // A comment on the line of other code would belong to that code.
  const opening = lineSoFar.trim() === '' ? ['/**'] : ['', '/**'];
  const lines = [...opening, ...docLines(named, file).map((line) => ` * ${line}`), ' */', ''];
  return { at, comment: lines.join((text.includes('\r\n') ? '\r\n' : '\n') + indent) };
}

/** Line comments right above a function may be directives (`// @ts-expect-error`), which must stay next to it. */
function startWithDirectives(anchor: ts.Node, text: string): number {
  let start = anchor.getStart();
  for (const comment of (ts.getLeadingCommentRanges(text, anchor.pos) ?? []).toReversed()) {
    const between = text.slice(comment.end, start);
    if (comment.kind !== ts.SyntaxKind.SingleLineCommentTrivia || between.split('\n').length > 2) break;
    start = comment.pos;
  }
  return start;
}

function docLines({ name, node }: NamedFunction, file: string): string[] {
  const known = name === 'default' ? path.basename(file).replace(/\.[cm]?tsx?$/, '') : name;
  const parameters = node.parameters.map(nameOf).filter((parameter) => parameter !== 'this');
  const gives = givesOf(node);
  return [
    sentenceOf({ name: known, parameters, gives }),
    ...parameters.map((parameter) => `@param ${parameter} - ${parameterOf(parameter)}`),
    ...(gives === 'nothing' ? [] : [`@returns ${returnsOf(known, node)}`]),
  ];
}

/** A destructured parameter has no name: its type's serves, else its place. */
function nameOf({ name, type }: ts.ParameterDeclaration, index: number): string {
  if (ts.isIdentifier(name)) return name.text;
  if (!type || !ts.isTypeReferenceNode(type) || !ts.isIdentifier(type.typeName)) return `parameter${index + 1}`;
  return type.typeName.text.charAt(0).toLowerCase() + type.typeName.text.slice(1);
}

function givesOf(node: ts.SignatureDeclaration): Signature['gives'] {
  if (!node.type) return returnsValue(node) ? 'value' : 'nothing';
  if (ts.isTypePredicateNode(node.type)) return node.type.assertsModifier ? 'nothing' : 'kind';
  return /^(void|never|undefined|Promise<(void|never|undefined)>)$/.test(node.type.getText()) ? 'nothing' : 'value';
}

/** What comes back, in words; the type itself stands in the signature. */
function returnsOf(name: string, { type }: ts.SignatureDeclaration): string {
  if (!type) return resultOf(name);
  if (type.kind === ts.SyntaxKind.BooleanKeyword || ts.isTypePredicateNode(type)) return 'Whether it is so.';
  return type.kind === ts.SyntaxKind.ThisType ? 'The object itself.' : resultOf(name);
}

function returnsValue(node: ts.SignatureDeclaration): boolean {
  if (!ts.isFunctionLike(node) || !('body' in node) || !node.body) return false;
  if (!ts.isBlock(node.body)) return true;
  if ('asteriskToken' in node && node.asteriskToken) return true;
  const returns = (inner: ts.Node): boolean =>
    !ts.isFunctionLike(inner) &&
    ((ts.isReturnStatement(inner) && inner.expression !== undefined) || ts.forEachChild(inner, returns) === true);
  return returns(node.body);
}
