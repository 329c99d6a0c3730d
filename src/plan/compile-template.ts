import { isJsonObject, type JsonValue } from '../model/json.js';
import { err, ok, type Result } from '../model/result.js';
import type { ExpressionScope } from './expression-scope.js';
import { TEMPLATE_START, templateExpressions, wholeExpression } from './template.js';

/** What something comes to in a scope; the error is a message for the user. */
export type Rendering = (scope: ExpressionScope) => Result<JsonValue, string>;

/** Makes what an expression comes to of its source; an error must name the expression. */
export type CompileExpression = (source: string) => Rendering;

/**
 * A value with every `${{ … }}` in its texts replaced: a text that is one whole expression becomes the expression's
 * value, of any type; in other texts the value is put in as text (objects and lists as JSON, null as nothing).
 * Keys are left alone. Compiled, because what is looked for in the texts is the same for each of a task's subtasks.
 */
export function compileTemplate(value: JsonValue, compile: CompileExpression): Rendering {
  if (typeof value === 'string') return compileText(value, compile);
  if (typeof value !== 'object' || value === null) return () => ok(value);
  if (!isJsonObject(value)) return inTurn(value.map((item) => compileTemplate(item, compile)));
  const keys = Object.keys(value);
  const values = inTurn(Object.values(value).map((inner) => compileTemplate(inner, compile)));
  return (scope) => {
    const rendered = values(scope);
    return rendered.ok ? ok(Object.fromEntries(keys.map((key, i) => [key, rendered.value[i] ?? null]))) : rendered;
  };
}

/** All of them as a list, or the first error. */
function inTurn(renderings: readonly Rendering[]): (scope: ExpressionScope) => Result<readonly JsonValue[], string> {
  return (scope) => {
    const values: JsonValue[] = [];
    for (const rendering of renderings) {
      const rendered = rendering(scope);
      if (!rendered.ok) return rendered;
      values.push(rendered.value);
    }
    return ok(values);
  };
}

function compileText(text: string, compile: CompileExpression): Rendering {
  if (!text.includes(TEMPLATE_START)) return () => ok(text);
  const whole = wholeExpression(text);
  if (whole !== undefined) return compile(whole.source);
  const expressions = templateExpressions(text);
  if (!expressions.ok) return () => err(expressions.error.message);
  const values = inTurn(expressions.value.map(({ source }) => compile(source)));
  const between = expressions.value.map(({ end }, i) => text.slice(end, expressions.value[i + 1]?.start));
  const before = text.slice(0, expressions.value[0]?.start);
  return (scope) => {
    const rendered = values(scope);
    return rendered.ok
      ? ok(rendered.value.reduce<string>((all, value, i) => all + textOf(value) + (between[i] ?? ''), before))
      : rendered;
  };
}

/** A value as it is put into a text. */
function textOf(value: JsonValue): string {
  if (value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
