import type { JsonValue } from '../model/json.js';
import { err } from '../model/result.js';
import { compileTemplate, type Rendering } from './compile-template.js';
import { plainPathOf, valueAtPath } from './plain-path.js';
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

/** What `templateOf` of `expressions.ts` comes to for such a value. */
export function plainTemplateOf(value: JsonValue): Rendering {
  return compileTemplate(value, compilePath);
}

function compilePath(source: string): Rendering {
  const path = plainPathOf(source);
  if (path === undefined) throw new Error(`Internal error: '${source}' is no plain path`);
  return (scope) => {
    const found = valueAtPath(path, scope);
    return found.ok ? found : err(`cannot evaluate '${source}': ${found.error}`);
  };
}
