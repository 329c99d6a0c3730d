import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { groupWaves } from '../../../src/graph/waves.js';
import { acyclicTasks, graphOf } from './graphs.js';

describe('groupWaves', () => {
  it('numbers waves from 1 and keeps the file order within one', () => {
    const waves = groupWaves(graphOf([{ id: 'z', needs: ['m'] }, { id: 'm' }, { id: 'b', needs: ['m'] }, { id: 'a' }]));
    expect(waves.map(({ number, nodes }) => [number, nodes.map(({ task }) => task.id)])).toEqual([
      [1, ['m', 'a']],
      [2, ['z', 'b']],
    ]);
  });

  it("names a wave by its tasks' phases: each once, in file order", () => {
    const waves = groupWaves(
      graphOf([
        { id: 'a', phase: 'Scan' },
        { id: 'b', phase: 'Analysis' },
        { id: 'c' },
        { id: 'd', phase: 'Scan' },
        { id: 'e', phase: 'Report', needs: ['a'] },
      ]),
    );
    expect(waves.map(({ name }) => name)).toEqual(['Scan + Analysis', 'Report']);
  });

  it('gives a wave without phases a name all the same', () => {
    for (const { name } of groupWaves(graphOf([{ id: 'a' }, { id: 'b', needs: ['a'] }]))) expect(name).toMatch(/\S/);
  });

  it('puts every task in exactly one wave, after all that it needs', () => {
    fc.assert(
      fc.property(acyclicTasks, (sketches) => {
        const compiled = graphOf(sketches);
        const waves = groupWaves(compiled);
        const waveOf = new Map(waves.flatMap(({ number, nodes }) => nodes.map(({ index }) => [index, number] as const)));
        expect(waves.reduce((sum, { nodes }) => sum + nodes.length, 0)).toBe(sketches.length);
        expect(waveOf.size).toBe(sketches.length);
        expect(waves.map(({ number }) => number)).toEqual(waves.map((_, i) => i + 1));
        for (const { index, needs } of compiled.nodes) {
          for (const need of needs) expect(waveOf.get(need)).toBeLessThan(waveOf.get(index) ?? 0);
        }
      }),
    );
  });
});
