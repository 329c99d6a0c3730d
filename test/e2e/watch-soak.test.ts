import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Held, heldBy, ScriptedUser, tellingNode } from '../soak/watch-session.js';
import { PATIENCE_MS } from '../support/processes.js';
import { tempFolder } from '../support/repository.js';
import { watching } from '../support/watching.js';

const EDITS = 30;
/** What may be open at one moment and not at another. */
const FEW = 5;

it('watch follows a user who edits without a pause, and holds on to nothing of it', async () => {
  const folder = tempFolder();
  const user = new ScriptedUser(folder, { files: 20, seed: 3 });
  const telling = tellingNode(join(folder, '.held.ndjson'));
  const watch = watching(['plan.yaml', '--yes', '--overhead', '1ms', '-j', '2'], folder, telling);
  await watch.waitFor('Waiting for changes');
  const held: Held[] = [];
  for (let edit = 1; edit <= EDITS; edit++) {
    await user.edit();
    expect(await user.settled(PATIENCE_MS), watch.text()).toEqual([]);
    held.push(await heldBy(watch.pid, join(folder, '.held.ndjson')));
  }
  watch.signal('SIGINT');
  expect(await watch.exit).toBe(130);
  for (const what of ['files', 'threads'] as const) {
    const most = (of: readonly Held[]) => Math.max(...of.map((one) => one[what]));
    expect(most(held.slice(-EDITS / 2)), what).toBeLessThanOrEqual(most(held.slice(0, EDITS / 2)) + FEW);
  }
  expect(readFileSync(join(folder, 'out/src/1.txt'), 'utf8')).toBe(readFileSync(join(folder, 'src/1.txt'), 'utf8').toUpperCase());
});
