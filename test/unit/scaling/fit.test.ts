import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitInput } from '../../../src/scaling/decide.js';
import { type FitInput, fitAgents, predictSeconds, predictWave } from '../../../src/scaling/fit.js';
import { inputs, MACHINE, machines } from './inputs.js';

function work(overrides: Partial<FitInput> = {}): FitInput {
  return {
    waves: [{ subtasks: 100, seconds: 2 }],
    overhead: { secondsPerAgent: 0.25, secondsPerWave: 4, source: 'given' },
    ratePerMinute: undefined,
    cpuShare: 0,
    ...overrides,
  };
}

describe('predictWave', () => {
  const wave = { subtasks: 100, seconds: 2 };

  it('counts rounds of agents, the wave, and each agent', () => {
    expect(predictWave(30, wave, work(), MACHINE)).toEqual({ seconds: 4 * 2 + 4 + 30 * 0.25, bottleneck: 'agents' });
  });

  it('is held up by the cores', () => {
    expect(predictWave(50, wave, work({ cpuShare: 0.5 }), MACHINE)).toEqual({ seconds: 50 + 4 + 12.5, bottleneck: 'cores' });
  });

  it('is held up by the rate', () => {
    expect(predictWave(50, wave, work({ ratePerMinute: 60 }), MACHINE)).toEqual({
      seconds: 100 + 4 + 12.5,
      bottleneck: 'rate',
    });
  });

  it('does not charge for agents that the wave has no work for', () => {
    expect(predictWave(1000, wave, work(), MACHINE)).toEqual(predictWave(100, wave, work(), MACHINE));
  });

  it('adds waves up', () => {
    const waves = [wave, { subtasks: 10, seconds: 1 }];
    const sum = waves.reduce((seconds, each) => seconds + predictWave(7, each, work(), MACHINE).seconds, 0);
    expect(predictSeconds(7, work({ waves }), MACHINE)).toBe(sum);
  });
});

describe('fitAgents', () => {
  it('keeps to the ceiling', () => {
    fc.assert(
      fc.property(inputs, machines, fc.integer({ min: 1, max: 1024 }), (given, machine, ceiling) => {
        const { agents, seconds } = fitAgents(ceiling, 0.02, fitInput(given), machine);
        expect(agents).toBeGreaterThanOrEqual(1);
        expect(agents).toBeLessThanOrEqual(ceiling);
        expect(seconds).toBe(predictSeconds(agents, fitInput(given), machine));
      }),
    );
  });

  it('is within the tolerance of the best count there is, and without a rate the smallest that is', () => {
    fc.assert(
      fc.property(inputs, machines, fc.integer({ min: 1, max: 900 }), (given, machine, ceiling) => {
        const asked = fitInput(given);
        const times = Array.from({ length: ceiling }, (_, i) => predictSeconds(i + 1, asked, machine));
        const most = Math.min(...times) * 1.02;
        const { agents, seconds } = fitAgents(ceiling, 0.02, asked, machine);
        expect(seconds).toBeLessThanOrEqual(most);
        if (asked.ratePerMinute === undefined) expect(agents).toBe(times.findIndex((time) => time <= most) + 1);
      }),
    );
  });

  it('takes the best count itself without tolerance', () => {
    // ceil(100/n) × 2 s + 0.25 s × n: 4 rounds at 25 agents are 14.25 s, 5 at 20 are 15 s, 3 at 34 are 14.5 s.
    expect(fitAgents(100, 0, work(), MACHINE)).toEqual({ agents: 25, seconds: 8 + 4 + 6.25 });
  });

  it('adds no agents that only wait for cores', () => {
    expect(fitAgents(100, 0.02, work({ cpuShare: 1 }), MACHINE).agents).toBe(2);
  });

  it('keeps a rate busy, with as few agents as do', () => {
    const waves = [{ subtasks: 50_000, seconds: 5 }];
    const overhead = { secondsPerAgent: 0.3, secondsPerWave: 0, source: 'methodology' } as const;
    expect(fitAgents(1000, 0.02, work({ waves, overhead, ratePerMinute: 1000 }), MACHINE).agents).toBe(84);
  });

  it('decides for a million subtasks', () => {
    const waves = [{ subtasks: 1_000_000, seconds: 60 }];
    const { agents } = fitAgents(1_000_000, 0.02, work({ waves }), MACHINE);
    expect(agents).toBeGreaterThan(1);
    expect(agents).toBeLessThan(1_000_000);
  });
});
