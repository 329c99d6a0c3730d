import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideScaling, type ScalingInput } from '../../../src/scaling/decide.js';
import { DEFAULT_RULES, input, inputs, MACHINE, machines, NO_LIMITS } from './inputs.js';

function decide(given: ScalingInput) {
  return decideScaling(given, DEFAULT_RULES, MACHINE);
}

/** Every number in a value, however deep. */
function numbersIn(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbersIn) : [];
}

describe("the methodology's examples", () => {
  it('10,000 files of 3 s, 5,000 at once: the formula has 25.1 minutes for 500', () => {
    const given = input(10_000, 3, { type: 'file_operations', limits: { ...NO_LIMITS, iops: 5000 } });
    const { formula, formulaRoi, sequentialMinutes } = decide(given);
    expect(formula).toEqual({ agents: 5000, phase: 'task_type' });
    expect(sequentialMinutes).toBeCloseTo(500, 9);
    expect(sequentialMinutes - formulaRoi.timeSavedMinutes).toBeCloseTo(25.1, 9);
    expect(Math.round(formulaRoi.ratio)).toBe(19);
    expect(formulaRoi.band).toBe('GOOD');
  });

  it('50,000 users of 5 s at 1,000 a minute: 1,000 by formula, the rate needs 84', () => {
    const given = input(50_000, 5, { type: 'api_calls', limits: { ...NO_LIMITS, ratePerMinute: 1000 } });
    const { formula, capacity, decided, roi, formulaRoi } = decide(given);
    expect(formula.agents).toBe(1000);
    expect(capacity).toMatchObject({ agents: 1000, limit: 'rate' });
    expect(decided).toEqual({ agents: 84, reason: '1,000 by formula; 84 keep the 1,000/min limit busy' });
    expect(roi.agents).toBe(84);
    expect(formulaRoi.agents).toBe(1000);
  });
});

describe('an automatic decision', () => {
  it('runs one subtask after another where none can run at once', () => {
    const given = input(5, 60, { widestWave: 1, waves: Array.from({ length: 5 }, () => ({ subtasks: 1, seconds: 60 })) });
    const { decided, mode, requested, warnings } = decide(given);
    expect(decided.agents).toBe(1);
    expect(decided.reason).toMatch(/^sequential: /);
    expect([mode, requested, warnings]).toEqual(['AUTOMATIC_SCALING', undefined, []]);
  });

  it('says what the machine carries where that is less than the formula', () => {
    const { formula, capacity, decided } = decide(input(1000, 7200));
    expect([formula.agents, capacity.agents]).toEqual([1000, 32]);
    expect(decided.agents).toBe(32);
    expect(decided.reason).toBe('1,000 by formula; 32 are carried (16.0 GB at 500 MB an agent)');
  });

  it('says that the cores are busy', () => {
    expect(decide(input(1000, 120, { type: 'computation' })).decided).toEqual({
      agents: 2,
      reason: '8 by formula; 2 keep 2 cores busy',
    });
  });

  it('says that fewer are nearly as fast', () => {
    // The fixed minute of the wave is most of the time, however many agents there are.
    const given = input(30, 0.3, { overhead: { secondsPerAgent: 0.01, secondsPerWave: 60, source: 'given' } });
    const { formula, decided } = decide(given);
    expect(decided.agents).toBeLessThan(formula.agents);
    expect(decided.reason).toBe(`${formula.agents} by formula; ${decided.agents} are within 2% of the best predicted time`);
  });

  it('decides for no subtasks', () => {
    const { decided, roi } = decide(input(0, 0, { waves: [{ subtasks: 0, seconds: 0 }] }));
    expect(decided.agents).toBe(1);
    expect(roi.timeSavedMinutes).toBeLessThanOrEqual(0);
  });

  it('is at least 1, at most the formula and the capacity, and returns what it decided on', () => {
    fc.assert(
      fc.property(inputs, machines, (given, machine) => {
        const { formula, capacity, fit, decided, roi, formulaRoi } = decideScaling(given, DEFAULT_RULES, machine);
        expect(decided.agents).toBeGreaterThanOrEqual(1);
        expect(decided.agents).toBeLessThanOrEqual(formula.agents);
        expect(decided.agents).toBeLessThanOrEqual(capacity.agents);
        expect([fit.agents, roi.agents]).toEqual([decided.agents, decided.agents]);
        expect(formulaRoi.agents).toBe(formula.agents);
      }),
    );
  });

  it('holds only finite numbers, and survives JSON', () => {
    const requests = fc.option(
      fc.oneof(
        fc.record({ kind: fc.constant('count' as const), agents: fc.integer({ min: 1, max: 1_000_000 }) }),
        fc.record({ kind: fc.constant('share' as const), share: fc.constantFrom(0.001, 0.5, 1, 3) }),
      ),
      { nil: undefined },
    );
    fc.assert(
      fc.property(inputs, machines, requests, (given, machine, requested) => {
        const decision = decideScaling({ ...given, requested }, DEFAULT_RULES, machine);
        const numbers = numbersIn(decision);
        expect(numbers.filter((value) => !Number.isFinite(value))).toEqual([]);
        expect(numbersIn(JSON.parse(JSON.stringify(decision)))).toHaveLength(numbers.length);
      }),
    );
  });
});

describe("a user's number", () => {
  it('is obeyed, with three warnings above the capacity', () => {
    const { mode, requested, decided, warnings } = decide(input(20_000, 60, { requested: { kind: 'count', agents: 5000 } }));
    expect([mode, requested]).toEqual(['USER_OVERRIDE', 5000]);
    expect(decided).toEqual({ agents: 5000, reason: '5,000 as requested' });
    expect(warnings).toEqual([
      'Requested 5,000 agents exceeds safe capacity (32)',
      'Recommend: Use auto-scaling or reduce to 32',
      'Proceeding with 5,000 as requested...',
    ]);
  });

  it('raises no warning at the capacity', () => {
    expect(decide(input(1000, 60, { requested: { kind: 'count', agents: 32 } })).warnings).toEqual([]);
    expect(decide(input(1000, 60, { requested: { kind: 'count', agents: 33 } })).warnings).toHaveLength(3);
  });

  it.each([
    [1, 32],
    [0.75, 24],
    [0.5, 16],
    [0.999, 31],
    [0.001, 1],
    [2, 64],
  ])('of %d of the capacity is %i agents', (share, agents) => {
    const { decided, requested } = decide(input(1000, 60, { requested: { kind: 'share', share } }));
    expect([decided.agents, requested]).toEqual([agents, agents]);
  });

  it('is shown beside the automatic figures, which it does not change', () => {
    fc.assert(
      fc.property(inputs, machines, fc.integer({ min: 1, max: 2000 }), (given, machine, agents) => {
        const automatic = decideScaling(given, DEFAULT_RULES, machine);
        const override = decideScaling({ ...given, requested: { kind: 'count', agents } }, DEFAULT_RULES, machine);
        expect([override.decided.agents, override.roi.agents]).toEqual([agents, agents]);
        for (const figure of ['formula', 'capacity', 'fit', 'formulaRoi'] as const) {
          expect(override[figure]).toEqual(automatic[figure]);
        }
      }),
    );
  });
});
