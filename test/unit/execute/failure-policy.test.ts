import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FailureRules, failureLevel, fewerAgents, respond } from '../../../src/execute/failure-policy.js';

const RULES: FailureRules = { minor: 0.01, major: 0.1, critical: 0.5, agentsReduction: 0.25, onMajor: 'sequential' };
const ABORT: FailureRules = { ...RULES, onMajor: 'abort' };

const states = fc
  .record({
    subtasks: fc.integer({ min: 1, max: 100_000 }),
    agents: fc.integer({ min: 1, max: 5000 }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ subtasks, agents, share }) => ({ subtasks, agents, failed: Math.round(share * subtasks) }));

describe('the response to a share of failures', () => {
  it.each([
    [0, { kind: 'accept' }],
    [5, { kind: 'retry', agents: 8 }],
    [10, { kind: 'retry', agents: 8 }],
    [11, { kind: 'reduce', agents: 6 }],
    [50, { kind: 'reduce', agents: 6 }],
    [100, { kind: 'reduce', agents: 6 }],
    [101, { kind: 'sequential', agents: 1 }],
    [200, { kind: 'sequential', agents: 1 }],
    [500, { kind: 'sequential', agents: 1 }],
    [501, { kind: 'stop' }],
    [600, { kind: 'stop' }],
    [1000, { kind: 'stop' }],
  ])('of %i in 1000 failed on 8 agents is %o', (failed, response) => {
    expect(respond({ subtasks: 1000, failed, agents: 8 }, RULES)).toEqual(response);
  });

  it('stops above 10% where the plan says so', () => {
    expect(respond({ subtasks: 1000, failed: 100, agents: 8 }, ABORT)).toEqual({ kind: 'reduce', agents: 6 });
    expect(respond({ subtasks: 1000, failed: 101, agents: 8 }, ABORT)).toEqual({ kind: 'stop' });
  });

  it('takes the bounds by count, without the rounding of a division', () => {
    for (let tens = 1; tens <= 3000; tens++) {
      expect(failureLevel({ subtasks: 10 * tens, failed: tens }, RULES), `${tens} of ${10 * tens}`).toBe('moderate');
      expect(failureLevel({ subtasks: 10 * tens, failed: tens + 1 }, RULES)).not.toBe('moderate');
    }
  });

  it('never has more agents than before nor fewer than one, and gets no milder when more fail', () => {
    const severity = { accept: 0, retry: 1, reduce: 2, sequential: 3, stop: 4 };
    fc.assert(
      fc.property(states, fc.integer({ min: 0, max: 1000 }), fc.constantFrom(RULES, ABORT), (state, more, rules) => {
        const response = respond(state, rules);
        if ('agents' in response) {
          expect(response.agents).toBeGreaterThanOrEqual(1);
          expect(response.agents).toBeLessThanOrEqual(state.agents);
        }
        expect(response.kind === 'accept').toBe(state.failed === 0);
        const worse = respond({ ...state, failed: Math.min(state.subtasks, state.failed + more) }, rules);
        expect(severity[worse.kind]).toBeGreaterThanOrEqual(severity[response.kind]);
      }),
    );
  });

  it('takes a quarter of the agents away, rounded in favour of fewer', () => {
    expect([1, 2, 3, 4, 5, 8, 100].map((agents) => fewerAgents(agents, 0.25))).toEqual([1, 1, 2, 3, 3, 6, 75]);
    expect(fewerAgents(10, 1)).toBe(1);
    expect(fewerAgents(10, 0)).toBe(10);
  });
});
