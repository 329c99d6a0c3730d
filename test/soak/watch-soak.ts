import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { printing } from '../../bench/watch/printing.js';
import { type Held, heldBy, ScriptedUser, tellingNode } from './watch-session.js';

/*
 * npm run soak:watch -- --edits 2000 [--files N] [--seed N]
 *
 * A session of `watch` and a user who edits as soon as the outputs are right: an hour's work without its pauses. What must hold:
 * every file's output follows it, and memory after a collection of garbage, open files and threads do not grow.
 */
const { values } = parseArgs({
  options: {
    edits: { type: 'string', default: '2000' },
    files: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
  },
});
/** How often it is asked what the session holds. */
const LOOKS = 40;
const MOST_GROWTH = 0.1;
/** How long an output may take to follow its file, on a machine that does much else. */
const PATIENCE_MS = 30_000;
const edits = Number(values.edits);
if (!Number.isInteger(edits) || edits < 1) throw new Error('--edits takes a whole number');
const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'waveplan-soak-watch-'));
const user = new ScriptedUser(folder, { files: Number(values.files), seed: Number(values.seed) });
const heldFile = join(folder, '.held.ndjson');
const telling = tellingNode(heldFile);
const watch = printing([...telling.args, MAIN, 'watch', 'plan.yaml', '--yes'], folder, telling.env);
const held: Held[] = [];
const kinds = new Map<string, number>();
let unseen = 0;
const begun = performance.now();
try {
  await watch.next('Waiting for changes');
  for (let edit = 1; edit <= edits; edit++) {
    const done = await user.edit();
    const kind = done.split(' ').slice(0, 1).join(' ');
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    const late = await user.settled(PATIENCE_MS);
    for (const file of late) process.stdout.write(`${done}: the output of ${file} did not follow\n`);
    unseen += late.length;
    if (edit % Math.max(1, Math.floor(edits / LOOKS)) !== 0) continue;
    const now = await heldBy(watch.child.pid ?? 0, heldFile);
    held.push(now);
    process.stdout.write(
      `after ${edit} edits: ${now.heap.toFixed(1)} MB in use (${now.resident.toFixed(0)} MB resident), ${now.files} open files, ${now.threads} threads\n`,
    );
  }
} finally {
  await watch.end('SIGINT');
}
// The first quarter fills caches and lets the compiler settle; the middles of what follows do not hang on one moment.
const rest = held.slice(Math.floor(held.length / 4));
const middle = (of: readonly Held[], what: keyof Held) =>
  of.map((one) => one[what]).sort((a, b) => a - b)[Math.floor(of.length / 2)] ?? 0;
const told = (['heap', 'files', 'threads'] as const).map((what) => {
  const third = Math.ceil(rest.length / 3);
  const [before, after] = [middle(rest.slice(0, third), what), middle(rest.slice(-third), what)];
  return { what, before, after, growth: after / before - 1 };
});
for (const { what, before, after, growth } of told) {
  process.stdout.write(
    `${what}: ${before.toFixed(1)} after a quarter of the session, ${after.toFixed(1)} at its end (${(100 * growth).toFixed(1)}%)\n`,
  );
}
process.stdout.write(
  `${edits} edits in ${((performance.now() - begun) / 1000).toFixed(0)} s (${[...kinds].map(([kind, count]) => `${count} ${kind}`).join(', ')}), ${unseen} outputs wrong\n`,
);
if (unseen > 0 || told.some(({ growth }) => growth > MOST_GROWTH)) process.exitCode = 1;
rmSync(folder, { recursive: true, force: true });
