import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileGraph } from '../../../src/graph/compile-graph.js';
import { groupWaves } from '../../../src/graph/waves.js';
import { acyclicTasks, graph, graphOf, plan } from './graphs.js';

describe('compileGraph', () => {
  it('keeps the file order and resolves names to positions', () => {
    const { nodes, indexOf } = graph({ sum: ['scan', 'each'], scan: [], each: ['scan'] });
    expect(nodes.map(({ task }) => task.id)).toEqual(['sum', 'scan', 'each']);
    expect(nodes.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect([...indexOf]).toEqual([
      ['sum', 0],
      ['scan', 1],
      ['each', 2],
    ]);
    expect(nodes.map(({ needs }) => needs)).toEqual([[1, 2], [], [1]]);
    expect(nodes.map(({ dependents }) => dependents)).toEqual([[], [0, 2], [0]]);
  });

  it('takes the longest path for the depth, not the shortest', () => {
    expect(graph({ a: [], b: ['a'], c: ['b'], last: ['a', 'c'] }).nodes.map(({ depth }) => depth)).toEqual([1, 2, 3, 4]);
  });

  it('knows names that are also members of every object', () => {
    expect(graph({ constructor: [], toString: ['constructor'] }).nodes.map(({ depth }) => depth)).toEqual([1, 2]);
  });

  it('calls a cycle or an unknown need what it is in a valid plan: a bug', () => {
    expect(() => graph({ a: ['b'], b: ['a'] })).toThrow('Internal error');
    expect(() => graph({ a: ['nobody'] })).toThrow('Internal error');
  });

  it('compiles no tasks to no nodes', () => {
    expect(compileGraph(plan([])).nodes).toEqual([]);
  });

  it('compiles a chain of 100,000 tasks, last task first', () => {
    const length = 100_000;
    const sketches = Array.from({ length }, (_, i) => ({ id: `t${i}`, needs: i + 1 < length ? [`t${i + 1}`] : [] }));
    const compiled = graphOf(sketches);
    expect(compiled.nodes[0]?.depth).toBe(length);
    expect(compiled.nodes[length - 1]?.depth).toBe(1);
    expect(groupWaves(compiled)).toHaveLength(length);
  });

  it('gives every task a depth just above the deepest of its needs', () => {
    fc.assert(
      fc.property(acyclicTasks, (sketches) => {
        const { nodes } = graphOf(sketches);
        for (const node of nodes) {
          const deepest = Math.max(0, ...node.needs.map((need) => nodes[need]?.depth ?? Number.NaN));
          expect(node.depth).toBe(deepest + 1);
        }
      }),
    );
  });

  it('has every edge in both directions, once', () => {
    fc.assert(
      fc.property(acyclicTasks, (sketches) => {
        const { nodes } = graphOf(sketches);
        const forth = nodes.flatMap(({ index, needs }) => needs.map((need) => `${need}>${index}`));
        const back = nodes.flatMap(({ index, dependents }) => dependents.map((dependent) => `${index}>${dependent}`));
        expect(back.sort()).toEqual(forth.sort());
        expect(new Set(forth).size).toBe(sketches.reduce((sum, { needs }) => sum + (needs?.length ?? 0), 0));
      }),
    );
  });
});
