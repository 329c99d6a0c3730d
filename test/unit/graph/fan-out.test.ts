import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchCount, batchItem, expandsAfterWave } from '../../../src/graph/fan-out.js';
import { FAN_OUT, graphOf } from './graphs.js';

describe('batches of items', () => {
  it('hands items over bare without a batch, and as lists with one, even of one', () => {
    expect(batchItem(['a', 'b'], undefined, 1)).toBe('b');
    expect(batchItem(['a', 'b'], 1, 1)).toEqual(['b']);
    expect(batchItem(['a', 'b', 'c'], 2, 1)).toEqual(['c']);
  });

  it('hands over items that are false, null, zero or empty', () => {
    const items = [false, null, 0, ''];
    expect(items.map((_, i) => batchItem(items, undefined, i))).toEqual(items);
  });

  it('hands over the item itself, not a copy', () => {
    const item = { name: 'a' };
    expect(batchItem([item], undefined, 0)).toBe(item);
  });

  it('calls an item that is not there a bug', () => {
    expect(() => batchItem(['a'], undefined, 1)).toThrow('Internal error');
  });

  it('splits any list into batches that join to the list, all full but the last', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.integer({ min: 1, max: 20 }), (items, batch) => {
        const batches = Array.from({ length: batchCount(items.length, batch) }, (_, i) => batchItem(items, batch, i));
        expect(batches.flat()).toEqual(items);
        for (const list of batches.slice(0, -1)) expect(list).toHaveLength(batch);
        expect(batches).not.toContainEqual([]);
      }),
    );
  });
});

describe('expandsAfterWave', () => {
  const reading = (...tasks: string[]) => ({ kind: 'expression', expression: 'tasks.a.results', tasks }) as const;
  const compiled = graphOf([
    { id: 'a' },
    { id: 'b', needs: ['a'] },
    { id: 'plain', needs: ['b'] },
    { id: 'list', needs: ['b'], foreach: FAN_OUT },
    { id: 'params', needs: ['b'], foreach: { kind: 'expression', expression: 'params.names', tasks: [] } },
    { id: 'shallow', needs: ['b'], foreach: reading('a') },
    { id: 'both', needs: ['b'], foreach: reading('b', 'a') },
  ]);
  it.each([
    ['plain', undefined],
    ['list', undefined],
    ['params', undefined],
    ['shallow', 1],
    ['both', 2],
  ] as const)('%s: %s', (id, expected) => {
    const node = compiled.nodes.find(({ task }) => task.id === id);
    if (node === undefined) throw new Error(`no task ${id}`);
    expect(expandsAfterWave(node, compiled)).toBe(expected);
  });
});
