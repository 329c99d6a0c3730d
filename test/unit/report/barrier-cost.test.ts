import { describe, expect, it } from 'vitest';
import { barrierCost } from '../../../src/report/barrier-cost.js';

const task = (id: string, needs: readonly string[], meanMs: number) => ({ id, needs, subtasks: 1, meanMs });
const wave = (agents: number, workMs: number, leadAgentMs = 0, besideAgentMs = 0) => ({
  agents,
  workMs,
  leadAgentMs,
  besideAgentMs,
});

describe('the cost of barriers', () => {
  it('is what a slow task makes others wait that do not need it', () => {
    const tasks = [task('slow', [], 1000), task('fast', [], 100), task('next', ['fast'], 900)];
    expect(barrierCost(tasks, [wave(2, 1000), wave(2, 900)], 0)).toEqual({ seconds: 0.9, waveSeconds: 1.9, eagerSeconds: 1 });
  });

  it('is nothing in a chain but what lies between its waves and before their first subtasks', () => {
    const tasks = [task('a', [], 100), task('b', ['a'], 100)];
    expect(barrierCost(tasks, [wave(4, 100), wave(4, 100)], 0)?.seconds).toBe(0);
    const cost = barrierCost(tasks, [wave(1, 130, 30), wave(1, 120, 20)], 50);
    expect(cost).toEqual({ seconds: 0.07, waveSeconds: 0.27, eagerSeconds: 0.2 });
  });

  it('leaves out what passes between two subtasks with or without them', () => {
    const tasks = [task('a', [], 100), task('b', ['a'], 100)];
    expect(barrierCost(tasks, [wave(1, 110, 0, 10), wave(1, 110, 0, 10)], 0)?.seconds).toBe(0);
  });

  it('is not there where there is one wave', () => {
    expect(barrierCost([task('a', [], 100)], [wave(4, 100)], 0)).toBeUndefined();
  });
});
