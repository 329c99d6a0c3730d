import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FormulaInput, formulaAgents } from '../../../src/scaling/formula.js';
import { returnOnAgents } from '../../../src/scaling/roi.js';
import { DEFAULT_RULES, input, inputs, MACHINE, machines, NO_LIMITS } from './inputs.js';

function formula(overrides: Partial<FormulaInput>) {
  const subtasks = overrides.subtasks ?? 1000;
  const rest: FormulaInput = {
    subtasks,
    widestWave: subtasks,
    averageMinutes: 2,
    type: 'general',
    overheadSeconds: 0.3,
    limits: NO_LIMITS,
    ...overrides,
  };
  return formulaAgents(rest, DEFAULT_RULES, MACHINE);
}

describe('the formula', () => {
  it('gives one agent where nothing can run at once', () => {
    expect(formula({ subtasks: 50, widestWave: 1 })).toEqual({ agents: 1, phase: 'sequential' });
  });

  it('looks for the optimum where the overhead eats what is saved', () => {
    // ceil(100/n) × 0.6 s + 0.5 s × n: 10 rounds at 10 agents are 11 s, 9 at 12 are 11.4 s, 12 at 9 are 11.7 s.
    expect(formula({ subtasks: 100, averageMinutes: 0.01, overheadSeconds: 0.5 })).toEqual({ agents: 10, phase: 'find_optimal' });
  });

  it.each([
    ['file_operations', NO_LIMITS, 10_000],
    ['file_operations', { ...NO_LIMITS, iops: 700 }, 700],
    ['network_operations', NO_LIMITS, 5000],
    ['network_operations', { ...NO_LIMITS, connections: 70 }, 70],
    ['api_calls', NO_LIMITS, 5000],
    ['api_calls', { ...NO_LIMITS, connections: 70 }, 70],
    ['api_calls', { ...NO_LIMITS, connections: 70, ratePerMinute: 1000 }, 1000],
    ['computation', NO_LIMITS, 8],
    ['database_operations', NO_LIMITS, 20_000],
    ['code_analysis', NO_LIMITS, 20_000],
    ['general', NO_LIMITS, 20_000],
  ] as const)('caps %s with %o at %i', (type, limits, agents) => {
    expect(formula({ subtasks: 20_000, type, limits })).toEqual({ agents, phase: 'task_type' });
  });

  it('spends at most a tenth of the time of short subtasks on coordination', () => {
    // 1,000 × 30 s = 30,000 s; a tenth of that is the overhead of 300 agents at 10 s each.
    expect(formula({ averageMinutes: 0.5, overheadSeconds: 10 })).toEqual({ agents: 300, phase: 'micro_task' });
    expect(formula({ averageMinutes: 0.5, overheadSeconds: 0.1 })).toEqual({ agents: 1000, phase: 'task_type' });
  });

  it('gives long subtasks the whole width, whatever the type', () => {
    expect(formula({ subtasks: 40, averageMinutes: 31, type: 'computation' })).toEqual({ agents: 40, phase: 'long_task' });
    expect(formula({ subtasks: 40, averageMinutes: 30, type: 'computation' })).toEqual({ agents: 8, phase: 'task_type' });
  });

  it('never goes below one agent, however low a limit is', () => {
    expect(formula({ type: 'api_calls', limits: { ...NO_LIMITS, ratePerMinute: 0.5 } }).agents).toBe(1);
    // A tenth of the time is less than one agent's overhead, and still more is saved than that costs.
    expect(formula({ subtasks: 3, averageMinutes: 0.9, overheadSeconds: 17 })).toEqual({ agents: 1, phase: 'micro_task' });
  });

  it('stays between 1 and the widest wave', () => {
    fc.assert(
      fc.property(inputs, machines, (work, machine) => {
        const { subtasks, widestWave, averageMinutes, type, limits, overhead } = work;
        const asked = { subtasks, widestWave, averageMinutes, type, limits, overheadSeconds: overhead.secondsPerAgent };
        const { agents } = formulaAgents(asked, DEFAULT_RULES, machine);
        expect(Number.isInteger(agents)).toBe(true);
        expect(agents).toBeGreaterThanOrEqual(1);
        expect(agents).toBeLessThanOrEqual(Math.max(1, widestWave));
      }),
    );
  });

  it('does not lower its number for more cores, or for a higher declared limit', () => {
    fc.assert(
      fc.property(inputs, machines, fc.integer({ min: 1, max: 64 }), (work, machine, more) => {
        const { subtasks, widestWave, averageMinutes, type, overhead } = work;
        const agents = (cores: number, bound: number) =>
          formulaAgents(
            {
              subtasks,
              widestWave,
              averageMinutes,
              type,
              overheadSeconds: overhead.secondsPerAgent,
              limits: { ...NO_LIMITS, connections: bound, iops: bound },
            },
            DEFAULT_RULES,
            { ...machine, cores },
          ).agents;
        expect(agents(machine.cores + more, 100)).toBeGreaterThanOrEqual(agents(machine.cores, 100));
        expect(agents(machine.cores, 100 + more)).toBeGreaterThanOrEqual(agents(machine.cores, 100));
      }),
    );
  });

  it('finds the least time there is, and the smallest count for it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 300 }), fc.integer({ min: 1, max: 50 }), (subtasks, hundredths) => {
        const averageMinutes = hundredths / 6000;
        const { agents, phase } = formula({ subtasks, averageMinutes, overheadSeconds: 1.5 });
        fc.pre(phase === 'find_optimal');
        const minutes = (n: number) => Math.ceil(subtasks / n) * averageMinutes + (1.5 * n) / 60;
        for (let n = 1; n <= subtasks; n++) {
          if (n < agents) expect(minutes(n)).toBeGreaterThan(minutes(agents));
          else expect(minutes(n)).toBeGreaterThanOrEqual(minutes(agents));
        }
      }),
    );
  });
});

describe('the return on agents', () => {
  const work = { subtasks: 100, averageMinutes: 1, overheadSeconds: 60 };

  it('is time saved over overhead', () => {
    expect(returnOnAgents(10, work, DEFAULT_RULES)).toEqual({
      agents: 10,
      overheadMinutes: 10,
      timeSavedMinutes: 80,
      ratio: 8,
      band: 'MARGINAL',
    });
  });

  it('is -1 for one agent, which saves nothing and costs its overhead', () => {
    expect(returnOnAgents(1, work, DEFAULT_RULES)).toMatchObject({ ratio: -1, band: 'POOR' });
  });

  // n agents for n subtasks of d minutes at 1 minute of overhead each: (d·(n - 1) - n) / n.
  it.each([
    ['POOR', 2, 6],
    ['MARGINAL', 2, 6.01],
    ['MARGINAL', 2, 22],
    ['GOOD', 2, 22.01],
    ['GOOD', 2, 202],
    ['EXCELLENT', 2, 202.01],
  ] as const)('%s: %i agents for 2 subtasks of %d minutes; a band begins above its bound', (band, agents, averageMinutes) => {
    expect(returnOnAgents(agents, { subtasks: 2, averageMinutes, overheadSeconds: 60 }, DEFAULT_RULES).band).toBe(band);
  });

  it('is a number without overhead as well', () => {
    expect(returnOnAgents(10, { ...work, overheadSeconds: 0 }, DEFAULT_RULES)).toMatchObject({
      ratio: Number.MAX_VALUE,
      band: 'EXCELLENT',
    });
    expect(returnOnAgents(1, { ...work, overheadSeconds: 0 }, DEFAULT_RULES)).toMatchObject({ ratio: 0, band: 'POOR' });
  });

  it('has 10,000 files of 3 s, 5,000 agents: 25.1 minutes in place of 500', () => {
    const { subtasks, averageMinutes } = input(10_000, 3);
    const roi = returnOnAgents(5000, { subtasks, averageMinutes, overheadSeconds: 0.3 }, DEFAULT_RULES);
    expect(roi.overheadMinutes).toBeCloseTo(25, 9);
    expect(500 - roi.timeSavedMinutes).toBeCloseTo(25.1, 9);
    expect(roi.ratio).toBeCloseTo(18.996, 9);
    expect(roi.band).toBe('GOOD');
  });
});
