import type { JsonValue } from '../model/json.js';
import { err, ok, type Result } from '../model/result.js';
import { type ExpressionScope, evaluate } from '../plan/expressions.js';
import { TEMPLATE_START, templateExpressions } from '../plan/template.js';

/** Where files are: a path as it is, or a pattern. `not` leaves out what matches. */
export interface FilePattern {
  readonly kind: 'path' | 'glob';
  readonly text: string;
  readonly not: boolean;
}

const MAGIC = /[*?[\]{}()!+@\\]/;

/**
 * The entries of `inputs` or `outputs` with their expressions evaluated. What an expression comes to is a path, or a list of
 * paths, and never a pattern: a file may be called `a[1].txt`. The error is a message for the user.
 */
export function filePatterns(entries: readonly string[], scope: ExpressionScope): Result<readonly FilePattern[], string> {
  const patterns: FilePattern[] = [];
  for (const entry of entries) {
    if (!entry.includes(TEMPLATE_START)) {
      patterns.push(constantPattern(entry));
      continue;
    }
    const found = templateExpressions(entry);
    if (!found.ok) return err(found.error.message);
    const not = entry.startsWith('!');
    let [literal, pattern, at, isGlob] = ['', '', not ? 1 : 0, false];
    const whole = found.value.length === 1 && found.value[0]?.start === at && found.value[0].end === entry.length;
    for (const { source, start, end } of found.value) {
      const value = evaluate(source, scope);
      if (!value.ok) return err(`${source}: ${value.error}`);
      if (whole && Array.isArray(value.value)) {
        for (const path of value.value as readonly JsonValue[]) patterns.push({ kind: 'path', text: textOf(path), not });
        break;
      }
      const constant = entry.slice(at, start);
      const text = textOf(value.value);
      isGlob ||= MAGIC.test(constant);
      literal += constant + text;
      pattern += constant + escaped(text);
      at = end;
    }
    if (whole && literal === '') continue;
    const rest = entry.slice(at);
    isGlob ||= MAGIC.test(rest);
    patterns.push(isGlob ? { kind: 'glob', text: pattern + rest, not } : { kind: 'path', text: literal + rest, not });
  }
  return ok(patterns);
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
