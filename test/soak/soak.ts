import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { randomFrom, randomPlan } from './random-plan.js';
import { newTally, soakPlan } from './soak-run.js';

/*
 * npm run soak -- --minutes 10 [--seed N]
 *
 * Random plans with random faults of their own, killed at random moments and resumed, until the time is up. What must hold:
 * no checkpoint that was written is lost, nothing runs again after its checkpoint, no process is left, and the results are
 * those of an undisturbed run.
 */
const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string' } } });
const minutes = Number(values.minutes);
const firstSeed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed);
if (!(minutes > 0) || !Number.isInteger(firstSeed)) throw new Error('--minutes takes a number above 0, --seed a whole one');

const tally = newTally();
const until = performance.now() + minutes * 60_000;
process.stdout.write(`soak of ${minutes} minutes, first seed ${firstSeed}\n`);
for (let seed = firstSeed; performance.now() < until; seed++) {
  const random = randomFrom(seed);
  const calm = mkdtempSync(join(tmpdir(), 'waveplan-soak-'));
  const rough = mkdtempSync(join(tmpdir(), 'waveplan-soak-'));
  const plan = randomPlan(random, { subtasks: 120, ms: 120 });
  const before = JSON.stringify(tally);
  try {
    await soakPlan({ random, folders: { calm, rough }, plan, mostKills: 50, longestMs: 1500, agents: 4 }, tally);
  } catch (error) {
    process.stdout.write(
      `seed ${seed}: ${plan.shape}\n${error instanceof Error ? error.message : String(error)}\n  kept: ${rough}\n`,
    );
    process.exitCode = 1;
    break;
  }
  const bad = tally.lost + tally.repeated + tally.left + tally.different;
  process.stdout.write(
    `seed ${seed}: ${tally.kills} kills so far${bad > 0 ? `; BAD: ${before} -> ${JSON.stringify(tally)}` : ''}\n`,
  );
  if (bad > 0) {
    process.stdout.write(`  ${plan.shape}\n  kept: ${rough}\n`);
    process.exitCode = 1;
    break;
  }
  for (const folder of [calm, rough]) rmSync(folder, { recursive: true, force: true });
}
const { plans, kills, torn, checkpoints, lost, repeated, left, different } = tally;
process.stdout.write(
  `${plans} plans, ${kills} kills survived, ${torn} torn files, ${checkpoints} checkpoints written, ${lost} lost, ` +
    `${repeated} repeated after a checkpoint, ${left} processes left, ${different} results different\n`,
);
