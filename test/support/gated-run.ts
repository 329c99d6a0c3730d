import { join } from 'node:path';
import { expect } from 'vitest';
import { linesOf, type Running, start } from './processes.js';
import { KEY, onWorkers, type TestRedis } from './redis.js';
import { checkpointsOf, onlyRun, tempFolder, writeFiles } from './repository.js';

export const ENV = { WAVEPLAN_KEY: KEY };
export const ITEMS = 8;

/** A plan whose subtasks append to `begun`, wait for the file `go` or `go-ITEM`, and append to `ended`. They end with their folder. */
export function gatedFolder(): string {
  const folder = tempFolder();
  writeFiles(folder, {
    'plan.yaml': `version: 1
name: far
backup: none
tasks:
  gated:
    foreach: [${Array.from({ length: ITEMS }, (_, i) => i).join(', ')}]
    run: 'echo $ITEM >> begun; while [ -e plan.yaml ] && [ ! -e go ] && [ ! -e go-$ITEM ]; do sleep 0.02; done; echo $ITEM >> ended'
    estimate: 1s
  last: { needs: [gated], run: 'sort ended | uniq | wc -l' }
`,
  });
  return folder;
}

export function run(redis: TestRedis, cwd: string, more: readonly string[] = []): Running {
  return start(['run', 'plan.yaml', '-y', '--json', ...onWorkers(redis), ...more], { cwd, env: ENV });
}

/** Every subtask has one checkpoint, a success, and so has the last task. */
export function expectWhole(folder: string): void {
  const checkpoints = checkpointsOf(onlyRun(folder));
  const names = checkpoints.filter(({ status }) => status === 'success').map(({ task_id }) => task_id);
  expect([...names].sort()).toEqual([...Array.from({ length: ITEMS }, (_, i) => `gated[${i}]`), 'last']);
  expect(checkpoints.at(-1)?.results).toMatchObject({ stdout: expect.stringMatching(new RegExp(`^ *${ITEMS}\\n$`)) });
}

export function begun(folder: string): readonly string[] {
  return linesOf(join(folder, 'begun'));
}
