import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeError, loadTaskFunction, stackOf, toJson } from '../../../src/actions/module.js';
import { tempFolder, writeFiles } from '../../support/repository.js';

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = [value];
  return value;
}

const circular: Record<string, unknown> = {};
circular['self'] = circular;

class Custom extends Error {
  override name = 'Custom';
}

describe('toJson', () => {
  it('refuses more than a checkpoint holds', () => {
    const refused = toJson('x'.repeat(17 * 1024 * 1024));
    expect(!refused.ok && refused.error).toMatchObject({ kind: 'output', message: expect.stringContaining('at most 16 MiB') });
  });

  it.each<[string, unknown, unknown]>([
    ['text', 'a', 'a'],
    ['a list', [1, null, true], [1, null, true]],
    ['an object', { a: { b: [] } }, { a: { b: [] } }],
    ['undefined', undefined, null],
    ['null', null, null],
    ['a date', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['undefined in an object', { a: undefined, b: 1 }, { b: 1 }],
    ['undefined in a list', [undefined], [null]],
    ['a value with toJSON', { toJSON: () => 'mine' }, 'mine'],
    ['empty plain objects', [{}, Object.create(null)], [{}, {}]],
    ['a wrapped number beside an empty object', [Object(1), {}], [1, {}]],
    [
      'an object of a class with fields',
      new (class Point {
        x = 1;
      })(),
      { x: 1 },
    ],
    ['a key named __proto__', JSON.parse('{"__proto__":1}'), JSON.parse('{"__proto__":1}')],
  ])('%s', (_, value, expected) => {
    const json = toJson(value);
    if (!json.ok) throw new Error(json.error.message);
    expect(json.value.value).toEqual(expected);
    expect(JSON.parse(json.value.text)).toEqual(expected);
  });

  it.each<[string, unknown, RegExp]>([
    ['a bigint', 1n, /BigInt/],
    ['a function', () => 1, /it is a function/],
    ['a symbol', Symbol('s'), /it is a symbol/],
    ['a Map', new Map([[1, 2]]), /nothing would be left of the Map; return a plain object or a list/],
    ['a Set inside', { names: new Set(['a']) }, /of the Set under 'names'/],
    ['an Error inside', [new Error('gone')], /of the Error under '0'/],
    ['a bigint inside', { a: [1n] }, /BigInt/],
    ['a circle', circular, /circular/i],
    ['not a number', Number.NaN, /NaN would become null/],
    ['infinity inside', [{ a: Number.NEGATIVE_INFINITY }], /-Infinity under 'a' would become null/],
    ['an invalid date', { at: new Date(Number.NaN) }, /invalid date under 'at' would become null/],
    ['a list of 511 levels', nested(511), /nested more than 500 levels deep/],
    ['a list of 100,000 levels', nested(100_000), /nested more than 500 levels deep/],
    [
      'a toJSON that throws',
      {
        toJSON: () => {
          throw new Error('no JSON from me');
        },
      },
      /no JSON from me/,
    ],
  ])('%s is not representable', (_, value, message) => {
    const json = toJson(value);
    if (json.ok) throw new Error('it was taken');
    expect(json.error.kind).toBe('output');
    expect(json.error.message).toMatch(/^the module's result is not representable as JSON: /);
    expect(json.error.message).toMatch(message);
  });
});

describe('describeError', () => {
  it.each<[string, unknown, string]>([
    ['an error', new TypeError('no such thing'), 'TypeError: no such thing'],
    ['an error of a class of its own', new Custom('odd'), 'Custom: odd'],
    ['an error without a message', new RangeError(), 'RangeError'],
    ['a text', 'just text', 'threw "just text"'],
    ['nothing', undefined, 'threw undefined'],
    ['null', null, 'threw null'],
    ['an object', { code: 7 }, 'threw {"code":7}'],
    ['a symbol', Symbol('s'), 'threw Symbol(s)'],
    ['a bigint', 1n, 'threw [object BigInt]'],
    ['a circle', circular, 'threw [object Object]'],
    ['an object without a prototype', Object.create(null), 'threw {}'],
  ])('%s', (_, thrown, expected) => {
    expect(describeError(thrown)).toBe(expected);
  });
});

describe('stackOf', () => {
  it('has no frames but of the code that failed', () => {
    const error = new Error('x');
    const own = join(import.meta.dirname, '../../../src/actions/perform.ts');
    const frames = [
      'mine (/plans/tasks/mine.ts:3:9)',
      'AsyncLocalStorage.run (node:async_hooks:346:14)',
      `perform (${own}:1:1)`,
      'node:internal/process/task_queues:95:5',
    ];
    error.stack = ['Error: x', ...frames.map((frame) => `    at ${frame}`)].join('\n');
    expect(stackOf(error)).toEqual({ stack: 'Error: x\n    at mine (/plans/tasks/mine.ts:3:9)' });
  });

  it('is bounded', () => {
    const error = new Error('x');
    error.stack = ['Error: x', ...Array.from({ length: 100 }, (_, i) => `    at f${i} (/x.ts:1:1)`)].join('\n');
    expect(stackOf(error).stack?.split('\n')).toHaveLength(20);
  });

  it.each([['text'], [undefined], [{ stack: 'not mine' }]])('of %o there is none', (thrown) => {
    expect(stackOf(thrown)).toEqual({});
  });
});

describe('loadTaskFunction', () => {
  const load = (name: string, text: string, exportName = 'default') => {
    const folder = tempFolder();
    writeFiles(folder, { [name]: text });
    return { file: join(folder, name), loading: loadTaskFunction(join(folder, name), exportName) };
  };

  it.each([
    ['a.mjs', 'export default () => 7;'],
    ['b.js', 'export default () => 7;'],
    ['c.ts', 'const seven: number = 7;\nexport default (): number => seven;'],
    ['d.mts', 'export default (): number => 7;'],
    ['e.cjs', 'Object.defineProperty(exports, "__esModule", { value: true });\nexports.default = () => 7;'],
  ])('loads %s', async (name, text) => {
    const loaded = await load(name, text).loading;
    if (!loaded.ok) throw new Error(loaded.error.message);
    expect((loaded.value as () => unknown)()).toBe(7);
  });

  it('loads a named export', async () => {
    const loaded = await load('a.ts', 'export const rename = (): string => "named";', 'rename').loading;
    expect(loaded.ok && (loaded.value as () => unknown)()).toBe('named');
  });

  it.each([
    ['export const other = () => 1;', 'default', "has no function exported as 'default': it exports other"],
    ['export default 5;', 'default', "has no function exported as 'default': it exports default (no function)"],
    ['', 'toString', "has no function exported as 'toString': it exports nothing"],
  ])('says what %o exports, where that is not the function', async (text, exportName, message) => {
    const { file, loading } = load('a.mjs', text, exportName);
    expect(await loading).toEqual({ ok: false, error: { kind: 'module-load', message: `${file} ${message}` } });
  });

  it.each([
    ['a.mjs', 'throw new Error("not today");', /Error: not today \(.*:1:\d+\)$/],
    ['b.ts', 'throw new Error("not today");', /Error: not today \(.*:1:\d+\)$/],
    ['c.ts', 'export default (;', /ParseError: |SyntaxError: /],
  ])('says why %s cannot be loaded', async (name, text, message) => {
    const { file, loading } = load(name, text);
    const loaded = await loading;
    if (loaded.ok) throw new Error('it was loaded');
    expect(loaded.error.kind).toBe('module-load');
    expect(loaded.error.message.startsWith(`cannot load ${file}: `)).toBe(true);
    expect(loaded.error.message).toMatch(message);
  });
});
