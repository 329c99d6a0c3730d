import type { JsonValue } from '../model/json.js';
import { err, type Result } from '../model/result.js';
import type { ExpressionScope } from './expression-scope.js';
import { plainPathOf, valueAtPath } from './plain-path.js';
import { renderTemplate as renderWith } from './render-template.js';
import { TEMPLATE_START, templateExpressions } from './template.js';

/** Whether all expressions in a value's texts are plain paths. */
export function isPlainTemplate(value: JsonValue): boolean {
  if (typeof value === 'string') {
    if (!value.includes(TEMPLATE_START)) return true;
    const expressions = templateExpressions(value);
    return expressions.ok && expressions.value.every(({ source }) => plainPathOf(source) !== undefined);
  }
  return typeof value !== 'object' || value === null || Object.values(value).every(isPlainTemplate);
}

/** What `renderTemplate` of `expressions.ts` comes to for such a value. */
export function renderPlainTemplate(value: JsonValue, scope: ExpressionScope): Result<JsonValue, string> {
  return renderWith(evaluatePlain, value, scope);
}

function evaluatePlain(source: string, scope: ExpressionScope): Result<JsonValue, string> {
  const path = plainPathOf(source);
  if (path === undefined) throw new Error(`Internal error: '${source}' is no plain path`);
  const found = valueAtPath(path, scope);
  return found.ok ? found : err(`cannot evaluate '${source}': ${found.error}`);
}
