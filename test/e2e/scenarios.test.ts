import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { apiMigration } from '../../bench/scenarios/api-migration.js';
import { renameMedia } from '../../bench/scenarios/rename-media.js';
import { repoCleanup } from '../../bench/scenarios/repo-cleanup.js';
import type { ScenarioOptions, ScenarioOutcome } from '../../bench/scenarios/scenario.js';
import { tempFolder } from '../support/repository.js';

// `npm run scenarios` runs the same at full size. The checks look at the outcome by another route than the plans do.
const SCENARIOS: readonly (readonly [name: string, size: number, run: (options: ScenarioOptions) => Promise<ScenarioOutcome>])[] =
  [
    ['repo-cleanup', 25, repoCleanup],
    ['rename-media', 120, renameMedia],
    ['api-migration', 60, apiMigration],
  ];

describe('the scenarios, small', () => {
  it.each(SCENARIOS)('%s of %i: every check holds', async (name, size, run) => {
    const outcome = await run({ folder: join(tempFolder(), name), size, seed: 7 });
    expect(outcome.checks.length).toBeGreaterThan(3);
    expect(outcome.checks.filter(({ wrong }) => wrong !== undefined)).toEqual([]);
  });
});
