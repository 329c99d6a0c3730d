import type { JsonValue } from '../model/json.js';
import { err, ok, type Result } from '../model/result.js';
import { type ExpressionScope, evaluate } from '../plan/expressions.js';
import { TEMPLATE_START, type TemplateExpression, templateExpressions } from '../plan/template.js';

/** Where files are: a path as it is, or a pattern. `not` leaves out what matches. */
export interface FilePattern {
  readonly kind: 'path' | 'glob';
  readonly text: string;
  readonly not: boolean;
}

const MAGIC = /[*?[\]{}()!+@\\]/;

/** An entry as far as it can be read without an item. */
type ParsedEntry =
  | { readonly kind: 'constant'; readonly pattern: FilePattern }
  | { readonly kind: 'wrong'; readonly message: string }
  | { readonly kind: 'open'; readonly entry: string; readonly not: boolean; readonly expressions: readonly TemplateExpression[] };

/** By the list of entries, which ten thousand subtasks of a task share. */
const parsed = new WeakMap<readonly string[], readonly ParsedEntry[]>();

function parseEntry(entry: string): ParsedEntry {
  if (!entry.includes(TEMPLATE_START)) return { kind: 'constant', pattern: constantPattern(entry) };
  const found = templateExpressions(entry);
  return found.ok
    ? { kind: 'open', entry, not: entry.startsWith('!'), expressions: found.value }
    : { kind: 'wrong', message: found.error.message };
}

/**
 * The entries of `inputs` or `outputs` with their expressions evaluated. What an expression comes to is a path, or a list of
 * paths, and never a pattern: a file may be called `a[1].txt`. The error is a message for the user.
 */
export function filePatterns(entries: readonly string[], scope: ExpressionScope): Result<readonly FilePattern[], string> {
  let known = parsed.get(entries);
  if (known === undefined) {
    known = entries.map(parseEntry);
    parsed.set(entries, known);
  }
  const patterns: FilePattern[] = [];
  for (const entry of known) {
    if (entry.kind === 'wrong') return err(entry.message);
    if (entry.kind === 'constant') patterns.push(entry.pattern);
    else {
      const problem = addPatterns(patterns, entry, scope);
      if (problem !== undefined) return err(problem);
    }
  }
  return ok(patterns);
}

/** The error, where there is one. */
function addPatterns(
  patterns: FilePattern[],
  { entry, not, expressions }: Extract<ParsedEntry, { kind: 'open' }>,
  scope: ExpressionScope,
): string | undefined {
  let [literal, pattern, at, isGlob] = ['', '', not ? 1 : 0, false];
  const whole = expressions.length === 1 && expressions[0]?.start === at && expressions[0].end === entry.length;
  for (const { source, start, end } of expressions) {
    // By far the most common expression needs no evaluator.
    const value = source === 'item' && typeof scope.item === 'string' ? ok(scope.item) : evaluate(source, scope);
    if (!value.ok) return `${source}: ${value.error}`;
    if (whole && Array.isArray(value.value)) {
      for (const path of value.value as readonly JsonValue[]) patterns.push({ kind: 'path', text: textOf(path), not });
      return undefined;
    }
    const constant = entry.slice(at, start);
    const text = textOf(value.value);
    isGlob ||= MAGIC.test(constant);
    literal += constant + text;
    pattern += constant + escaped(text);
    at = end;
  }
  if (whole && literal === '') return undefined;
  const rest = entry.slice(at);
  isGlob ||= MAGIC.test(rest);
  patterns.push(isGlob ? { kind: 'glob', text: pattern + rest, not } : { kind: 'path', text: literal + rest, not });
  return undefined;
}

function constantPattern(entry: string): FilePattern {
  const not = entry.startsWith('!');
  const text = not ? entry.slice(1) : entry;
  return { kind: MAGIC.test(text) ? 'glob' : 'path', text, not };
}

function textOf(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function escaped(text: string): string {
  return text.replace(/[*?[\]{}()!+@\\]/g, '\\$&');
}
