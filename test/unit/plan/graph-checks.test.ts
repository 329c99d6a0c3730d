import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Ancestry } from '../../../src/plan/ancestry.js';
import { closest, didYouMean } from '../../../src/plan/closest.js';
import { findCycles } from '../../../src/plan/cycles.js';

/** Graphs of up to eight nodes as lists of needs, no node needing itself. */
const graphs = fc
  .integer({ min: 1, max: 8 })
  .chain((count) =>
    fc
      .array(fc.uniqueArray(fc.nat(count - 1), { maxLength: 4 }), { minLength: count, maxLength: count })
      .map((needs) => needs.map((targets, node) => targets.filter((target) => target !== node))),
  );

/** By the definition: all nodes that can be reached, step after step. */
function reachableFrom(needs: readonly (readonly number[])[], start: number): ReadonlySet<number> {
  const found = new Set<number>();
  const visit = (node: number): void => {
    for (const target of needs[node] ?? []) {
      if (found.has(target)) continue;
      found.add(target);
      visit(target);
    }
  };
  visit(start);
  return found;
}

describe('findCycles', () => {
  it('finds circles, and none where there are none', () => {
    fc.assert(
      fc.property(graphs, (needs) => {
        const cycles = findCycles(needs);
        const cyclic = needs.some((_, node) => reachableFrom(needs, node).has(node));
        expect(cycles.length > 0).toBe(cyclic);
        for (const cycle of cycles) {
          expect(new Set(cycle).size).toBe(cycle.length);
          for (const [position, node] of cycle.entries()) {
            expect(needs[node]).toContain(cycle[(position + 1) % cycle.length]);
          }
          expect(Math.min(...cycle)).toBe(cycle[0]);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('names circles that share no edge, and leaves no circle behind', () => {
    fc.assert(
      fc.property(graphs, (needs) => {
        const edges = findCycles(needs).flatMap((cycle) =>
          cycle.map((node, position) => `${node}>${cycle[(position + 1) % cycle.length]}`),
        );
        expect(new Set(edges).size).toBe(edges.length);
        const rest = needs.map((targets, node) => targets.filter((target) => !edges.includes(`${node}>${target}`)));
        expect(rest.some((_, node) => reachableFrom(rest, node).has(node))).toBe(false);
      }),
      { numRuns: 500 },
    );
  });
});

describe('Ancestry', () => {
  it('answers as a search from scratch does, however often it is asked', () => {
    fc.assert(
      fc.property(graphs, (needs) => {
        const ancestry = new Ancestry(needs);
        for (let later = 0; later < needs.length; later += 1) {
          for (let earlier = 0; earlier < needs.length; earlier += 1) {
            expect(ancestry.comesBefore(earlier, later)).toBe(reachableFrom(needs, later).has(earlier));
          }
        }
      }),
    );
  });
});

describe('closest', () => {
  it.each([
    ['nedes', ['needs', 'name', 'run'], 'needs'],
    ['Timeout', ['timeout', 'run'], 'timeout'],
    ['dependson', ['needs', 'run'], undefined],
    ['ab', ['ac', 'AB'], 'AB'],
    ['a', ['b'], undefined],
    ['', ['a'], undefined],
  ])('%s among %j is %s', (name, candidates, found) => {
    expect(closest(name, candidates)).toBe(found);
  });

  it('is worded as a question', () => {
    expect(didYouMean('nedes', ['needs'])).toBe("did you mean 'needs'?");
    expect(didYouMean('x', ['needs'])).toBeUndefined();
  });
});
