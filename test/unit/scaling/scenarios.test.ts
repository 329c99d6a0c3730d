import { describe, expect, it } from 'vitest';
import { decideScaling } from '../../../src/scaling/decide.js';
import { DEFAULT_RULES, inputOfWaves, MACHINE } from './inputs.js';

describe('10,000 files of 3 s, in waves of 5,000', () => {
  const wave = { subtasks: 5000, seconds: 3 };
  const given = inputOfWaves([wave, wave], { type: 'file_operations' });

  it('are 5,000 by formula, 25.1 minutes for 500, and GOOD', () => {
    const { formula, formulaRoi, sequentialMinutes, widestWave } = decideScaling(given, DEFAULT_RULES, MACHINE);
    expect([formula.agents, widestWave]).toEqual([5000, 5000]);
    expect(sequentialMinutes).toBeCloseTo(500, 9);
    expect(formulaRoi.timeSavedMinutes).toBeCloseTo(500 - 25.1, 9);
    expect(formulaRoi.ratio).toBeCloseTo(18.996, 9);
    expect(formulaRoi.band).toBe('GOOD');
  });

  it('have figures that JSON keeps, also where coordination costs nothing', () => {
    const free = { secondsPerAgent: 0, secondsPerWave: 0, source: 'given' } as const;
    const decision = decideScaling({ ...given, overhead: free }, DEFAULT_RULES, MACHINE);
    expect(JSON.parse(JSON.stringify(decision))).toEqual(JSON.parse(JSON.stringify(decision, nothingLost)));
    expect(decision.roi.band).toBe('EXCELLENT');
  });
});

function nothingLost(key: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Error(`${key} is ${value}`);
  return value;
}
