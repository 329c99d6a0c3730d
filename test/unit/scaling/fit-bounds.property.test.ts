import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitInput } from '../../../src/scaling/decide.js';
import { fitAgents, predictSeconds, predictWave, widestWave } from '../../../src/scaling/fit.js';
import { inputs, machines } from './inputs.js';

const TOLERANCE = 0.02;

describe('fitAgents, against every count there is', () => {
  it('is the smallest within the tolerance, or the smallest of those that keeps the rate busy', () => {
    fc.assert(
      fc.property(inputs, machines, fc.integer({ min: 1, max: 2000 }), (given, machine, ceiling) => {
        const asked = fitInput(given);
        const counts = Array.from({ length: ceiling }, (_, i) => ({
          agents: i + 1,
          seconds: predictSeconds(i + 1, asked, machine),
        }));
        const best = Math.min(...counts.map(({ seconds }) => seconds));
        const within = counts.filter(({ seconds }) => seconds <= best * (1 + TOLERANCE));
        const widest = widestWave(asked.waves);
        const busy = within.find(({ agents }) => predictWave(agents, widest, asked, machine).bottleneck === 'rate');
        expect(fitAgents(ceiling, TOLERANCE, asked, machine)).toEqual(busy ?? within[0]);
      }),
      { numRuns: 200 },
    );
  });
});
