import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classifyDependencies, classifyPattern } from '../../../src/graph/shape.js';
import { acyclicTasks, graph, graphOf } from './graphs.js';

function chain(length: number) {
  return graphOf(Array.from({ length }, (_, i) => ({ id: `t${i}`, needs: i === 0 ? [] : [`t${i - 1}`] })));
}

describe('classifyDependencies', () => {
  it.each([
    [1, 'none'],
    [2, 'shallow'],
    [3, 'moderate'],
    [5, 'moderate'],
    [6, 'deep'],
    [50, 'deep'],
  ] as const)('calls %i tasks in a row %s', (length, expected) => {
    expect(classifyDependencies(chain(length))).toBe(expected);
  });

  it('counts tasks in a row, not tasks', () => {
    expect(classifyDependencies(graph({ a: [], b: [], c: [], d: [], e: [], f: [], g: ['a', 'b', 'c', 'd', 'e', 'f'] }))).toBe(
      'shallow',
    );
    expect(classifyDependencies(graph({ a: [], b: [] }))).toBe('none');
  });
});

describe('classifyPattern', () => {
  it.each([
    ['one task', 'independent', graph({ a: [] })],
    ['tasks without needs', 'independent', graph({ a: [], b: [], c: [] })],
    ['a fan-out alone', 'independent', graph({ a: [] }, ['a'])],
    ['two in a row', 'pipeline', graph({ a: [], b: ['a'] })],
    ['two chains', 'pipeline', graph({ a: [], b: ['a'], x: [], y: ['x'] })],
    ['one before many', 'fan-out', graph({ a: [], b: ['a'], c: ['a'] })],
    ['a tree', 'fan-out', graph({ a: [], b: ['a'], c: ['a'], d: ['b'], e: ['b'] })],
    ['scan → each', 'fan-out', graph({ scan: [], each: ['scan'] }, ['each'])],
    ['many before one', 'fan-in', graph({ a: [], b: [], c: ['a', 'b'] })],
    ['each → sum', 'fan-in', graph({ each: [], sum: ['each'] }, ['each'])],
    ['one, two, one', 'diamond', graph({ a: [], b: ['a'], c: ['a'], d: ['b', 'c'] })],
    ['scan → each → sum', 'diamond', graph({ scan: [], each: ['scan'], sum: ['each'] }, ['each'])],
    ['two diamonds in a row', 'layered', graph({ a: [], b: ['a'], c: ['a'], d: ['b', 'c'], e: ['d'], f: ['d'], g: ['e', 'f'] })],
    ['two fan-outs in a row', 'layered', graph({ each: [], again: ['each'] }, ['each', 'again'])],
    ['two before two', 'layered', graph({ a: [], b: [], c: ['a', 'b'], d: ['a', 'b'] })],
    ['an edge across the middle', 'layered', graph({ a: [], b: ['a'], c: ['a', 'b'], d: ['b', 'c'] })],
  ] as const)('%s: %s', (_, expected, shape) => {
    expect(classifyPattern(shape)).toBe(expected);
  });

  it('does not depend on the order of the tasks in the file', () => {
    fc.assert(
      fc.property(acyclicTasks, (sketches) => {
        const reversed = [...sketches].reverse();
        expect(classifyPattern(graphOf(reversed))).toBe(classifyPattern(graphOf(sketches)));
        expect(classifyDependencies(graphOf(reversed))).toBe(classifyDependencies(graphOf(sketches)));
      }),
    );
  });

  it('says independent exactly where no task depends on another', () => {
    fc.assert(
      fc.property(acyclicTasks, (sketches) => {
        const compiled = graphOf(sketches);
        expect(classifyPattern(compiled) === 'independent').toBe(classifyDependencies(compiled) === 'none');
      }),
    );
  });
});
