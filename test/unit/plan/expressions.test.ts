import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../src/model/json.js';
import {
  checkExpression,
  EXPRESSION_VARIABLES,
  type ExpressionScope,
  evaluate,
  renderTemplate,
  templateExpressions,
} from '../../../src/plan/expressions.js';
import { itemTypeOf, objectType } from '../../../src/plan/item-type.js';

const scope: ExpressionScope = {
  params: { root: 'media', limit: 2.5, nothing: null, deep: true },
  env: { HOME: '/home/x' },
  item: { size: 3, name: 'a b', tags: ['x', 'y'] },
  index: 4,
  tasks: { scan: { results: { files: ['a', 'b', 'c'] } }, 'my-task': { results: 7 }, constructor: { results: 'odd' } },
  results: { exitCode: 0, stdout: 'ok' },
};

describe('evaluate', () => {
  it.each<[string, JsonValue]>([
    ['item.size + 1', 4],
    ['1 + item.size', 4],
    ['item.size - 1', 2],
    ['10 / item.size > 3', true],
    ['item.size * 2', 6],
    ['item.size % 2', 1],
    ['7 % item.size', 1],
    ['item.size == 3', true],
    ['params.limit * 2.0', 5],
    ['7 / 2', 3],
    ['index', 4],
    ['tasks.scan.results.files', ['a', 'b', 'c']],
    ['tasks.scan.results.files[index - 3]', 'b'],
    ['tasks["my-task"].results', 7],
    ['tasks.constructor.results', 'odd'],
    ['size(tasks.scan.results.files)', 3],
    ['tasks.scan.results.files.map(f, f + "!")', ['a!', 'b!', 'c!']],
    ['[1, "a", null, true, 2.5]', [1, 'a', null, true, 2.5]],
    ['{"a": 1, "b": {"c": [2]}}', { a: 1, b: { c: [2] } }],
    ['params.nothing == null', true],
    ['params.nothing', null],
    ['env.HOME + "/y"', '/home/x/y'],
    ['results.exitCode == 0', true],
    ['params.root != ""', true],
    ['has(item.nope)', false],
    ['timestamp("2024-01-01T00:00:00Z")', '2024-01-01T00:00:00.000Z'],
    ['duration("90s")', '90s'],
    ['1u + 2u', 3],
  ])('%s', (source, value) => {
    expect(evaluate(source, scope)).toEqual({ ok: true, value });
  });

  it.each([
    'item.nope',
    'nope',
    '1 / 0',
    'params.limit / 0',
    '9223372036854775807',
    'b"abc"',
    'type(1)',
    'tasks.later.results',
    'prev',
    '1 +',
    'item.constructor',
    'item.__proto__',
    '!'.repeat(9000),
    `${'('.repeat(4000)}1`,
  ])('%s is an error that names the expression', (source) => {
    const result = evaluate(source, scope);
    expect(result.ok).toBe(false);
    if (!result.ok) expect(result.error.startsWith(`cannot evaluate '${source}': `)).toBe(true);
  });

  it('takes data with a key `constructor` or `__proto__` for data, at any depth', () => {
    const item = JSON.parse('{"a": 1, "constructor": "c", "__proto__": {"x": 2}, "list": [{"constructor": 5, "b": 6}]}');
    expect(evaluate('item.a', { ...scope, item })).toEqual({ ok: true, value: 1 });
    expect(evaluate('item.constructor', { ...scope, item })).toEqual({ ok: true, value: 'c' });
    expect(evaluate('item.list[0].b', { ...scope, item })).toEqual({ ok: true, value: 6 });
    const whole = evaluate('[item]', { ...scope, item });
    expect(whole.ok && JSON.stringify(whole.value)).toBe(JSON.stringify([item]));
  });

  it('gives back any JSON value as it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const item: JsonValue = JSON.parse(JSON.stringify(value));
        expect(evaluate('item', { ...scope, item })).toEqual({ ok: true, value: item });
        const listed = evaluate('[item, item]', { ...scope, item });
        expect(listed.ok && JSON.stringify(listed.value)).toBe(JSON.stringify([item, item]));
      }),
    );
  });
});

describe('renderTemplate', () => {
  it.each<[JsonValue, JsonValue]>([
    ['plain', 'plain'],
    ['${{ item.size }}', 3],
    [' ${{ item }}\n', { size: 3, name: 'a b', tags: ['x', 'y'] }],
    ['${{item.name}}.jpg', 'a b.jpg'],
    ['${{ index }}-${{ item.tags }}-${{ params.nothing }}-${{ params.deep }}', '4-["x","y"]--true'],
    ['${{ {"a": {"b": 1}} }}', { a: { b: 1 } }],
    ['${{ "}}" + \'${{\' }}', '}}${{'],
    ['${{ "\\"}}" + r"\\}}" }}', '"}}\\}}'],
    ['a $' + '{ b } }} {{', 'a $' + '{ b } }} {{'],
    [
      { a: ['${{ index }}', 1, null], '${{ k }}': true },
      { a: [4, 1, null], '${{ k }}': true },
    ],
  ])('%j becomes %j', (template, rendered) => {
    expect(renderTemplate(template, scope)).toEqual({ ok: true, value: rendered });
  });

  it('passes on the error of an expression, and of one that does not end', () => {
    expect(renderTemplate({ a: ['${{ item.nope }}'] }, scope).ok).toBe(false);
    expect(renderTemplate('x ${{ item', scope).ok).toBe(false);
    expect(renderTemplate('${{ "abc }}', scope).ok).toBe(false);
  });

  it('never hands text of an item to the evaluator', () => {
    const item = '${{ 1 + 1 }}';
    expect(renderTemplate('${{ item }}', { ...scope, item })).toEqual({ ok: true, value: item });
    expect(renderTemplate('<${{ item }}>', { ...scope, item })).toEqual({ ok: true, value: `<${item}>` });
  });
});

describe('templateExpressions', () => {
  it('gives the place of each expression', () => {
    const text = 'a ${{ item }}b${{index}}';
    const found = templateExpressions(text);
    expect(
      found.ok && found.value.map((one) => [one.source, text.slice(one.sourceStart, one.sourceStart + one.source.length)]),
    ).toEqual([
      ['item', 'item'],
      ['index', 'index'],
    ]);
    expect(found.ok && found.value.map((one) => text.slice(one.start, one.end))).toEqual(['${{ item }}', '${{index}}']);
  });

  it('never throws, and its places are in the text', () => {
    const unit = fc.constantFrom('${{', '}}', '{', '}', '"', "'", '\\', ' ', 'a', 'r');
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 30 }), (text) => {
        const found = templateExpressions(text);
        const places = found.ok ? found.value : [found.error];
        for (const { start, end } of places) expect(start >= 0 && end > start && end <= text.length).toBe(true);
      }),
    );
  });
});

describe('checkExpression', () => {
  it('names the tasks that are read, each once', () => {
    const checked = checkExpression('tasks.a.results + tasks["b-c"].results + tasks.a.results', ['tasks']);
    expect(checked.ok && checked.value.reads).toEqual(['a', 'b-c']);
  });

  it('does not take a name that a macro binds for a variable', () => {
    const checked = checkExpression('params.list.map(tasks, tasks.a).exists(item, item == 1)', ['params']);
    expect(checked.ok && checked.value.reads).toEqual([]);
    expect(checkExpression('[1].map(x, item)', ['params']).ok).toBe(false);
  });

  it.each<[string, string]>([
    ['nope', 'nope'],
    ['params.a + nope.b', 'nope'],
    ['item', 'item'],
    ['params.a +', ''],
    ['1 2', '2'],
    ['"a" + 1', '"a" + 1'],
    ['tasks', 'tasks'],
    ['tasks[params.a]', 'tasks'],
    ['tasks.a.result', 'result'],
  ])('%s is a problem at %j', (source, place) => {
    const checked = checkExpression(source, ['params', 'env', 'tasks']);
    expect(checked.ok).toBe(false);
    if (!checked.ok) expect(source.slice(checked.error.start, checked.error.end)).toBe(place);
  });

  it('never throws, and its places are in the source', () => {
    const unit = fc.constantFrom(
      'tasks',
      '.',
      'a',
      '[',
      ']',
      '"',
      '(',
      ')',
      '+',
      '1',
      ' ',
      'item',
      '{',
      ':',
      '}',
      '?',
      'é',
      '\\',
      'map',
    );
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 20 }), (source) => {
        const checked = checkExpression(source, EXPRESSION_VARIABLES);
        if (!checked.ok)
          expect(checked.error.start >= 0 && checked.error.end >= checked.error.start && checked.error.end <= source.length).toBe(
            true,
          );
      }),
      { numRuns: 500 },
    );
  });
});

describe('flatten', () => {
  it.each<[string, JsonValue]>([
    ['[[1], [2, 3]].flatten()', [1, 2, 3]],
    ['tasks.scan.results.map(r, r.files).flatten()', ['a', 'b', 'c']],
    ['[[1, [2]], 3, []].flatten()', [1, [2], 3]],
    ['[].flatten()', []],
    ['tasks.scan.results.map(r, r.files).flatten().filter(f, f != "b")', ['a', 'c']],
  ])('%s', (expression, value) => {
    const tasks = { scan: { results: [{ files: ['a', 'b'] }, { files: ['c'] }] } };
    expect(evaluate(expression, { params: {}, env: {}, tasks })).toEqual({ ok: true, value });
  });

  it('is for lists', () => {
    expect(checkExpression('"a".flatten()', [])).toMatchObject({ ok: false });
  });
});

describe('what is known of items', () => {
  const item = objectType(new Set(['os', 'node']), false);
  it.each([
    'item.os',
    'item["node"]',
    'has(item.zzz)',
    'item.map(k, k)',
    '"os" in item',
    'size(item)',
    '[{"zzz": 1}].map(item, item.zzz)',
    'item',
  ])('lets %s pass', (expression) => {
    expect(checkExpression(expression, ['item'], item)).toMatchObject({ ok: true });
  });

  it.each([
    [['a', 'b'], 'string'],
    [[true], 'bool'],
    [[[1], []], 'list'],
    [[{ a: 'x' }, { b: 'y' }], 'map<string, string>'],
    [[{ a: 1 }], 'map<string, dyn>'],
    [[1, 2], 'dyn'],
    [['a', 1], 'dyn'],
    [[{ a: 1 }, null], 'dyn'],
    [[], 'dyn'],
  ])('%j is of type %s', (items, type) => {
    expect(itemTypeOf(items).type).toBe(type);
  });
});
