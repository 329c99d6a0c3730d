import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { printing } from '../../bench/watch/printing.js';
import { type Held, heldBy, ScriptedUser } from './watch-session.js';

/*
 * npm run soak:watch -- --edits 2000 [--files N] [--seed N]
 *
 * A session of `watch` and a user who edits as soon as the round before is over: an hour's work without its pauses. What must hold:
 * every file's output follows it, and memory, open files and threads of the session's second half are no more than of its first.
 */
const { values } = parseArgs({
  options: {
    edits: { type: 'string', default: '2000' },
    files: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
  },
});
const edits = Number(values.edits);
if (!Number.isInteger(edits) || edits < 1) throw new Error('--edits takes a whole number');
const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'waveplan-soak-watch-'));
const user = new ScriptedUser(folder, { files: Number(values.files), seed: Number(values.seed) });
const watch = printing([MAIN, 'watch', 'plan.yaml', '--yes'], folder);
const held: Held[] = [];
const kinds = new Map<string, number>();
const begun = performance.now();
try {
  await watch.next('Waiting for changes');
  for (let edit = 1; edit <= edits; edit++) {
    const kind = user.edit().split(' ').slice(0, 1).join(' ');
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    await watch.next('Waiting for changes');
    held.push(heldBy(watch.child.pid ?? 0));
    if (edit % Math.max(1, Math.floor(edits / 20)) !== 0) continue;
    const { megabytes, files, threads } = held.at(-1) ?? heldBy(0);
    process.stdout.write(`after ${edit} edits: ${megabytes.toFixed(0)} MB, ${files} open files, ${threads} threads\n`);
  }
} finally {
  await watch.end('SIGINT');
}
const wrong = user.wrong();
const half = Math.floor(held.length / 2);
const quarter = Math.floor(held.length / 4);
const most = (of: readonly Held[], what: keyof Held) => Math.max(...of.map((one) => one[what]));
// The first quarter fills caches and lets the compiler settle.
const told = (['megabytes', 'files', 'threads'] as const).map((what) => {
  const [before, after] = [most(held.slice(quarter, half), what), most(held.slice(half), what)];
  return { what, before, after, growth: after / before - 1 };
});
for (const { what, before, after, growth } of told)
  process.stdout.write(
    `${what}: most in the second quarter ${before.toFixed(0)}, in the second half ${after.toFixed(0)} (${(100 * growth).toFixed(1)}%)\n`,
  );
process.stdout.write(
  `${edits} edits in ${((performance.now() - begun) / 1000).toFixed(0)} s (${[...kinds].map(([kind, count]) => `${count} ${kind}`).join(', ')}), ${wrong.length} outputs wrong\n`,
);
if (wrong.length > 0 || told.some(({ growth }) => growth > 0.1)) process.exitCode = 1;
rmSync(folder, { recursive: true, force: true });
