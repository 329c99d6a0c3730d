import { join } from 'node:path';
import { expect, it } from 'vitest';
import { compilePlan, loadMethodology, loadPlan, type RunPlanOptions, runPlan } from '../../../src/index.js';
import { tempFolder, writeFiles } from '../../support/repository.js';

const MARK = 'WAVEPLAN_RUN';

it('marks this process as the run’s while it lasts, however it ends', async () => {
  const folder = tempFolder();
  writeFiles(folder, {
    'plan.yaml': 'version: 1\nname: example\nbackup: none\ntasks: { a: { run: "true" } }\n',
    file: 'no folder',
  });
  const plan = loadPlan(join(folder, 'plan.yaml'));
  const methodology = loadMethodology();
  if (!plan.ok || !methodology.ok) throw new Error('the plan is not valid');
  const run = (options: RunPlanOptions) => runPlan(compilePlan(plan.value, methodology.value), options);
  const marks: (string | undefined)[] = [];
  const done = await run({ onEvent: ({ type }) => type === 'wave-started' && marks.push(process.env[MARK]) });
  expect(done.ok && marks).toEqual([done.ok && done.value.summary.run]);
  expect(process.env[MARK]).toBeUndefined();
  const refused = await run({ checkpointFiles: join(folder, 'file', 'points') });
  expect(refused.ok).toBe(false);
  expect(process.env[MARK]).toBeUndefined();
});
