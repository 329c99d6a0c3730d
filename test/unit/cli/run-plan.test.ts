import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { compilePlan, loadMethodology, loadPlan, runPlan } from '../../../src/index.js';
import { tempFolder, writeFiles } from '../../support/repository.js';

const MARK = 'WAVEPLAN_RUN';

let started = 0;
let go: () => void = () => {};
const both = new Promise<void>((resolve) => {
  go = resolve;
});

it('marks the commands of each of two runs at once with their own run, and this process with none', async () => {
  const methodology = loadMethodology();
  const runs = [tempFolder(), tempFolder()].map(async (folder) => {
    // Each waits for the other, so that both are at work at once.
    writeFiles(folder, {
      'plan.yaml': `version: 1\nname: example\nbackup: none\ntasks: { a: { run: 'echo "$${MARK}" > mark; while ! [ -e go ]; do sleep 0.01; done' } }\n`,
    });
    const plan = loadPlan(join(folder, 'plan.yaml'));
    if (!plan.ok || !methodology.ok) throw new Error('the plan is not valid');
    const marks: (string | undefined)[] = [];
    const done = runPlan(compilePlan(plan.value, methodology.value), {
      cwd: folder,
      onEvent: ({ type }) => {
        if (type !== 'wave-started') return;
        marks.push(process.env[MARK]);
        started += 1;
        if (started === 2) go();
      },
    });
    await both;
    writeFiles(folder, { go: '' });
    const result = await done;
    expect(marks).toEqual([undefined]);
    expect(readFileSync(join(folder, 'mark'), 'utf8').trim()).toBe(result.ok && result.value.summary.run);
  });
  await Promise.all(runs);
  expect(process.env[MARK]).toBeUndefined();
});
