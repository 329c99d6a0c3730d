import { describe, expect } from 'vitest';
import { randomFrom, randomPlan } from '../soak/random-plan.js';
import { newTally, soakPlan } from '../soak/soak-run.js';
import { fault } from '../support/faults.js';
import { tempFolder } from '../support/repository.js';

const NOTHING_WRONG = { lost: 0, repeated: 0, left: 0, different: 0 };

describe('kill -9', () => {
  // Fifty kills of one run are in `npm run soak`; the suite has time for a dozen.
  fault(
    1,
    'killed at a dozen random moments and resumed: nothing is lost, repeated, left behind or different',
    ['proc'],
    async () => {
      const random = randomFrom(20_261_125);
      const plan = randomPlan(random, { subtasks: 60, ms: 120 });
      const tally = newTally();
      const folders = { calm: tempFolder(), rough: tempFolder() };
      await soakPlan({ random, folders, plan, mostKills: 12, longestMs: 800, agents: 3 }, tally);
      expect(tally).toMatchObject(NOTHING_WRONG);
      expect(tally.kills).toBeGreaterThan(3);
      expect(tally.checkpoints).toBeGreaterThan(20);
    },
  );

  fault(1, 'a short soak: random plans, some eager, some flaky, with torn files', ['proc'], async () => {
    const tally = newTally();
    for (const seed of [3, 11]) {
      const random = randomFrom(seed);
      const plan = randomPlan(random, { subtasks: 30, ms: 60 });
      const folders = { calm: tempFolder(), rough: tempFolder() };
      await soakPlan({ random, folders, plan, mostKills: 4, longestMs: 900, agents: 4 }, tally);
    }
    expect(tally).toMatchObject({ plans: 2, ...NOTHING_WRONG });
    expect(tally.kills).toBeGreaterThan(2);
  });
});
