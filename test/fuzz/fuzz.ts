/**
 * The property tests again and again, each round with a new seed, until the time is up; ends with 1 at the first
 * counter-example, which is printed with its seed.
 *
 * npm run fuzz -- --minutes 10 [--seed N]
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string' } } });
const minutes = Number(values.minutes);
const firstSeed = values.seed === undefined ? Date.now() % 1_000_000_000 : Number(values.seed);
if (!(minutes > 0) || !Number.isInteger(firstSeed)) throw new Error('--minutes takes a number above 0, --seed a whole one');

const files = readdirSync('test/unit', { recursive: true, encoding: 'utf8' })
  .map((file) => join('test/unit', file))
  .filter((file) => file.endsWith('.test.ts') && readFileSync(file, 'utf8').includes('fast-check'));
const until = performance.now() + minutes * 60_000;
let rounds = 0;
process.stdout.write(`${files.length} files of property tests, ${minutes} minutes, first seed ${firstSeed}\n`);
while (performance.now() < until) {
  const seed = firstSeed + rounds;
  const run = spawnSync('npx', ['vitest', 'run', '--config', 'test/vitest.config.ts', '--reporter=dot', ...files], {
    env: { ...process.env, FUZZ_SEED: String(seed) },
    encoding: 'utf8',
  });
  if (run.status !== 0) {
    process.stdout.write(`${run.stdout}${run.stderr}\nseed ${seed} found the above; again: FUZZ_SEED=${seed} npm test\n`);
    process.exit(1);
  }
  rounds++;
}
process.stdout.write(`${rounds} rounds, no counter-example\n`);
