import { describe, expect, it } from 'vitest';
import { inlineValues } from '../../../src/plan/inline-values.js';

describe('inlineValues', () => {
  const scope = {
    params: { n: 3 },
    env: {},
    item: { id: 'u"7', list: [1, 2] },
    index: 4,
    tasks: { a: { results: { count: 9, large: 'x'.repeat(400) } } },
  };

  it.each([
    ['results.id == item.id', 'results.id == "u\\"7"'],
    ['size(results.users) == tasks.a.results.count', 'size(results.users) == 9'],
    ['results.n + params.n * 2 > index', 'results.n + 6 > 4'],
    ['results.all(r, r.n == params.n && r.x in item.list)', 'results.all(r, r.n == 3 && r.x in [1,2])'],
    ['results.text == tasks.a.results.large', 'results.text == tasks.a.results.large'],
    ['results.exitCode == 0', 'results.exitCode == 0'],
    ['item.none == results', 'item.none == results'],
    ['results ==', 'results =='],
  ])('%s', (source, inlined) => {
    expect(inlineValues(source, scope)).toBe(inlined);
  });
});
