import type { ASTNode } from '@marcbachmann/cel-js';
import { childrenOf, usesOf } from './expression-uses.js';
import { type ExpressionScope, evaluate, syntaxOf } from './expressions.js';

/** Values longer than this as JSON are left as they were written. */
const MAX_LENGTH = 300;

const ACCESS: ReadonlySet<string> = new Set(['.', '.?', '[]', '[?]']);

/**
 * An expression with every part replaced by its value that depends on nothing but `scope`: `results.id == item.id`
 * becomes `results.id == "u7"`. For people and agents who do not have the scope.
 */
export function inlineValues(source: string, scope: ExpressionScope): string {
  const ast = syntaxOf(source);
  if (ast === undefined) return source;
  const known = new Set(['params', 'env', ...Object.keys(scope).filter((name) => name !== 'results')]);
  const parts: { readonly start: number; readonly end: number; readonly text: string }[] = [];
  const visit = (node: ASTNode): void => {
    const names = new Set(usesOf(node).variables.map(({ name }) => name));
    if (names.size === 0) return;
    if ([...names].every((name) => known.has(name))) {
      const value = evaluate(source.slice(node.start, node.end), scope);
      const text = value.ok ? JSON.stringify(value.value) : '';
      if (text !== '' && text.length <= MAX_LENGTH) {
        parts.push({ start: node.start, end: node.end, text });
        return;
      }
      // What is before a field makes no sense without it.
      if (ACCESS.has(node.op)) return;
    }
    for (const child of childrenOf(node)) visit(child);
  };
  visit(ast);
  let inlined = source;
  for (const { start, end, text } of parts.sort((a, b) => b.start - a.start)) {
    inlined = inlined.slice(0, start) + text + inlined.slice(end);
  }
  return inlined;
}
