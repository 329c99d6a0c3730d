import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ItemList } from '../../../src/graph/item-list.js';
import { type Matrix, matrixItems } from '../../../src/graph/matrix.js';
import type { JsonObject, JsonValue } from '../../../src/model/json.js';
import { ok } from '../../../src/model/result.js';

function all(items: ItemList): readonly JsonValue[] {
  return Array.from({ length: items.length }, (_, i) => items.at(i) ?? null);
}

function itemsOf(axes: Readonly<Record<string, readonly JsonValue[]>>, more: Partial<Matrix> = {}): readonly JsonValue[] {
  const items = matrixItems({ axes: new Map(Object.entries(axes)), exclude: [], include: [], ...more });
  if (!items.ok) throw new Error(items.error);
  return all(items.value);
}

describe('a matrix', () => {
  it('has every combination once, the last axis the fastest', () => {
    expect(itemsOf({ os: ['linux', 'mac'], node: [20, 22] })).toEqual([
      { os: 'linux', node: 20 },
      { os: 'linux', node: 22 },
      { os: 'mac', node: 20 },
      { os: 'mac', node: 22 },
    ]);
  });

  it('leaves out what is excluded, by all values of an entry', () => {
    const exclude = [{ os: 'mac', node: 20 }, { os: 'bsd' }];
    expect(itemsOf({ os: ['linux', 'mac', 'bsd'], node: [20, 22] }, { exclude })).toEqual([
      { os: 'linux', node: 20 },
      { os: 'linux', node: 22 },
      { os: 'mac', node: 22 },
    ]);
  });

  it('adds what is included to the combinations that it fits, or as one of its own', () => {
    const include = [{ os: 'mac', slow: true }, { color: 'green' }, { os: 'bsd', node: 18 }, { os: 'mac', color: 'red' }];
    expect(itemsOf({ os: ['linux', 'mac'], node: [20] }, { include })).toEqual([
      { os: 'linux', node: 20, color: 'green' },
      { os: 'mac', node: 20, slow: true, color: 'red' },
      { os: 'bsd', node: 18 },
    ]);
  });

  it('is empty with an empty axis, and has only what is included without an axis', () => {
    expect(itemsOf({ os: [], node: [1] })).toEqual([]);
    expect(itemsOf({}, { include: [{ a: 1 }, { a: 2 }] })).toEqual([{ a: 1 }, { a: 2 }]);
  });

  it('compares values as JSON', () => {
    expect(itemsOf({ at: [{ x: 1, y: 2 }, [3]] }, { exclude: [{ at: { y: 2, x: 1 } }] })).toEqual([{ at: [3] }]);
  });

  it('keeps an axis called __proto__ a key like any other', () => {
    const axes = new Map<string, readonly JsonValue[]>([['__proto__', ['x']]]);
    const items = matrixItems({ axes, exclude: [], include: [] });
    expect(items.ok && JSON.stringify(items.value.at(0))).toBe('{"__proto__":"x"}');
  });

  it('is refused beyond a million combinations, at once', () => {
    const axis = Array.from({ length: 1001 }, (_, i) => i);
    const items = matrixItems({ axes: new Map([1, 2, 3].map((n) => [`a${n}`, axis])), exclude: [], include: [] });
    expect(items.ok ? '' : items.error).toMatch(/1,003,003,001 combinations.*at most 1,000,000/);
  });

  it('is what nested loops make of it', () => {
    const value = fc.constantFrom<JsonValue>(0, 1, 'a', null);
    const entry = fc.dictionary(fc.constantFrom('a', 'b', 'c'), value, { minKeys: 1 });
    const axis = fc.uniqueArray(value, { maxLength: 3 });
    fc.assert(
      fc.property(axis, axis, fc.array(entry, { maxLength: 3 }), fc.array(entry, { maxLength: 3 }), (a, b, include, excluded) => {
        const exclude = excluded.map(({ c: _, ...rest }) => rest).filter((one) => Object.keys(one).length > 0);
        const fits = (item: JsonObject, one: JsonObject) =>
          Object.entries(one).every(([key, wanted]) => key === 'c' || item[key] === wanted);
        const original = a
          .flatMap((x) => b.map((y): JsonObject => ({ a: x, b: y })))
          .filter((item) => !exclude.some((one) => fits(item, one)));
        const extended = original.map((item) => Object.assign({}, item, ...include.filter((one) => fits(item, one))));
        const alone = include.filter((one) => !original.some((item) => fits(item, one)));
        expect(itemsOf({ a, b }, { include, exclude })).toEqual([...extended, ...alone]);
        expect(matrixItems({ axes: new Map([['a', a]]), exclude: [], include: [] })).toMatchObject(ok({ length: a.length }));
      }),
    );
  });
});
