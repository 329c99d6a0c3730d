import { isJsonObject, type JsonValue } from '../model/json.js';
import { err, ok, type Result } from '../model/result.js';
import type { ExpressionScope } from './expression-scope.js';
import { TEMPLATE_START, type TemplateExpression, type TextProblem, templateExpressions, wholeExpression } from './template.js';

/** The value of an expression; the error is a message for the user that names the expression. */
export type Evaluate = (source: string, scope: ExpressionScope) => Result<JsonValue, string>;

/** A bound for caches by text; a plan has few texts, a long-lived process sees many plans. */
export const MAX_CACHED = 5_000;

/**
 * `value` with every `${{ … }}` in its texts replaced: a text that is one whole expression becomes the expression's
 * value, of any type; in other texts the value is put in as text (objects and lists as JSON, null as nothing).
 * Keys are left alone. The error is a message for the user.
 */
export function renderTemplate(evaluate: Evaluate, value: JsonValue, scope: ExpressionScope): Result<JsonValue, string> {
  if (typeof value === 'string') return renderText(evaluate, value, scope);
  if (typeof value !== 'object' || value === null) return ok(value);
  if (!isJsonObject(value)) {
    const items: JsonValue[] = [];
    for (const item of value) {
      const rendered = renderTemplate(evaluate, item, scope);
      if (!rendered.ok) return rendered;
      items.push(rendered.value);
    }
    return ok(items);
  }
  const entries: [string, JsonValue][] = [];
  for (const [key, inner] of Object.entries(value)) {
    const rendered = renderTemplate(evaluate, inner, scope);
    if (!rendered.ok) return rendered;
    entries.push([key, rendered.value]);
  }
  return ok(Object.fromEntries(entries));
}

/** What stands in a text, by the text: it is the same for each of a task's subtasks. */
interface Template {
  readonly whole: TemplateExpression | undefined;
  readonly expressions: Result<readonly TemplateExpression[], TextProblem>;
}

const templates = new Map<string, Template>();

function templateOf(text: string): Template {
  const known = templates.get(text);
  if (known !== undefined) return known;
  if (templates.size >= MAX_CACHED) templates.clear();
  const made = { whole: wholeExpression(text), expressions: templateExpressions(text) };
  templates.set(text, made);
  return made;
}

function renderText(evaluate: Evaluate, text: string, scope: ExpressionScope): Result<JsonValue, string> {
  if (!text.includes(TEMPLATE_START)) return ok(text);
  const { whole, expressions } = templateOf(text);
  if (whole !== undefined) return evaluate(whole.source, scope);
  if (!expressions.ok) return err(expressions.error.message);
  let rendered = '';
  let position = 0;
  for (const expression of expressions.value) {
    const value = evaluate(expression.source, scope);
    if (!value.ok) return value;
    rendered += text.slice(position, expression.start) + textOf(value.value);
    position = expression.end;
  }
  return ok(rendered + text.slice(position));
}

/** A value as it is put into a text. */
function textOf(value: JsonValue): string {
  if (value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
