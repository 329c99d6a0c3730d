/**
 * The three scenarios on workers that each have a network of their own, with a real Redis, and with everything that may go
 * wrong there: `npm run scenarios:remote`. Each run's outcome is held against a run on this machine.
 * Options: `--only NAME`, `--fault WORD` (faults whose name has the word), `--seed N` (default 1), `--scale N` (default 1),
 * `--keep` (leave the folders). Needs root, iproute2 and redis-server. Exits 1 when a check does not hold.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { apiCase, type Case, filesCase } from './cases.ts';
import { FAULTS } from './faults.ts';
import { Network, withoutNamespaces } from './namespaces.ts';
import { hasRedisServer, RedisServer } from './redis-server.ts';
import { type Rehearsal, rehearse, runHere, type Stage } from './rehearse.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    fault: { type: 'string' },
    seed: { type: 'string', default: '1' },
    scale: { type: 'string', default: '1' },
    keep: { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed);
const size = (full: number) => Math.round(full * Number(values.scale));

/** The sizes are such that every run is long enough to be struck in its middle. */
const CASES: readonly (readonly [name: string, make: (folder: string) => Promise<Case>])[] = [
  [
    'repo-cleanup',
    (folder) =>
      filesCase(
        { plan: 'repo-cleanup', maker: 'make/messy-repository.ts', sizeOption: '--modules', unit: 'modules' },
        { folder, size: size(200), seed },
      ),
  ],
  [
    'rename-media',
    (folder) =>
      filesCase(
        { plan: 'rename-media', maker: 'make/media.ts', sizeOption: '--count', unit: 'images' },
        { folder, size: size(10_000), seed },
      ),
  ],
  ['api-migration', async () => apiCase({ size: size(2000), seed })],
];

const missing = hasRedisServer() ? withoutNamespaces() : 'there is no redis-server';
if (missing === undefined) await all();
else {
  console.error(`*** SKIPPED: ${missing}: nothing was tried ***`);
  process.exitCode = 3;
}

async function all(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'waveplan-remote-'));
  const network = new Network(3);
  try {
    const redis = await RedisServer.start(network.host);
    try {
      for (const [name, make] of CASES) {
        if (values.only !== undefined && values.only !== name) continue;
        const own = join(folder, name);
        mkdirSync(own);
        await tryOut(await make(own), { network, redis, folder: own });
      }
    } finally {
      await redis.stop();
    }
  } finally {
    network.remove();
    if (values.keep) console.log(`kept: ${folder}`);
    else rmSync(folder, { recursive: true, force: true });
  }
}

async function tryOut(scenario: Case, stage: Stage): Promise<void> {
  console.log(`\n${scenario.name} (${scenario.size})`);
  const here = await runHere(scenario, stage);
  tell(here);
  const faults = FAULTS.filter(({ name }) => values.fault === undefined || name.includes(values.fault));
  tell(await rehearse(scenario, here.left, { stage }));
  for (const fault of faults) tell(await rehearse(scenario, here.left, { stage, fault }));
}

function tell({ name, seconds, checks }: Rehearsal): void {
  console.log(`  ${name} (${seconds.toFixed(1)} s)`);
  for (const { what, wrong } of checks)
    console.log(`    ${wrong === undefined ? 'ok    ' : 'WRONG '} ${what}${wrong === undefined ? '' : `: ${wrong}`}`);
  if (checks.some(({ wrong }) => wrong !== undefined)) process.exitCode = 1;
}
