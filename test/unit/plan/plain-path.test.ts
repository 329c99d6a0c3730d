import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { JsonValue } from '../../../src/model/json.js';
import { evaluate, renderTemplate } from '../../../src/plan/expressions.js';
import { isPlainTemplate, plainTemplateOf } from '../../../src/plan/plain-evaluator.js';

const keys = fc.constantFrom('a', 'b', 'size', 'length', 'constructor', 'toString', '_x1');
const values = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<JsonValue>(null, true, 0, 1.5, '', 'text'),
    fc.array(tie('value'), { maxLength: 2 }),
    fc.dictionary(keys, tie('value'), { maxKeys: 4 }),
  ),
})).value;
const paths = fc
  .tuple(fc.constantFrom('item', 'prev', 'index', 'params', 'env'), fc.array(keys, { maxLength: 3 }))
  .map(([root, rest]) => [root, ...rest].join('.'));
const scopes = fc
  .record({ item: fc.option(values, { nil: undefined }), prev: values, params: fc.dictionary(keys, values) })
  .map(({ item, ...rest }) => ({ ...rest, env: {}, index: 3, ...(item !== undefined && { item }) }));

it('a plain path comes to what the evaluator makes of it, mistakes too', () => {
  fc.assert(
    fc.property(paths, scopes, (path, scope) => {
      // In brackets, it is the evaluator's.
      const [short, long] = [evaluate(path, scope), evaluate(`(${path})`, scope)];
      if (long.ok) expect(short).toEqual(long);
      else expect(short).toEqual({ ok: false, error: long.error.replace(`(${path})`, path) });
      const text = { whole: `\${{ ${path} }}`, part: [`<\${{ ${path} }}>`] };
      expect(isPlainTemplate(text)).toBe(true);
      expect(plainTemplateOf(text)(scope)).toEqual(renderTemplate(text, scope));
    }),
  );
});

it.each(['item + 1', 'tasks.a.results', 'size(item)', 'item[0]', 'true', 'null', '"a"', '1.5'])(
  '%s is for the evaluator',
  (source) => {
    expect(isPlainTemplate(`\${{ ${source} }}`)).toBe(false);
  },
);
