import { describe, expect, it } from 'vitest';
import { apiCase, filesCase } from '../../bench/remote/cases.js';
import { FAULTS, type Fault } from '../../bench/remote/faults.js';
import { Network, withoutNamespaces } from '../../bench/remote/namespaces.js';
import { hasRedisServer, RedisServer } from '../../bench/remote/redis-server.js';
import { rehearse, runHere, type Stage } from '../../bench/remote/rehearse.js';
import type { Check } from '../../bench/scenarios/scenario.js';
import { tempFolder } from '../support/repository.js';

// `npm run scenarios:remote` has all scenarios at full size, and all that may go wrong.
const missing = hasRedisServer() ? withoutNamespaces() : 'there is no redis-server';
if (missing !== undefined)
  process.stderr.write(`\n*** SKIPPED: scenarios on workers with networks of their own: ${missing} ***\n\n`);

async function onStage(play: (stage: Stage) => Promise<void>): Promise<void> {
  const network = new Network(3);
  try {
    const redis = await RedisServer.start(network.host);
    try {
      await play({ network, redis, folder: tempFolder() });
    } finally {
      await redis.stop();
    }
  } finally {
    network.remove();
  }
}

function wrongOf(checks: readonly Check[]): readonly Check[] {
  expect(checks.length).toBeGreaterThan(0);
  return checks.filter(({ wrong }) => wrong !== undefined);
}

describe.skipIf(missing !== undefined)('the scenarios on workers with networks of their own, small', () => {
  it('posts each user once, with the coordinator killed and resumed here', async () => {
    await onStage(async (stage) => {
      const scenario = apiCase({ size: 30, seed: 7 });
      const here = await runHere(scenario, stage);
      expect(wrongOf(here.checks)).toEqual([]);
      const fault = faultNamed('the coordinator killed, and resumed here');
      expect(wrongOf((await rehearse(scenario, here.left, { stage, fault })).checks)).toEqual([]);
    });
  });

  it('renames the same files, with a worker killed', async () => {
    await onStage(async (stage) => {
      const options = { plan: 'rename-media', maker: 'make/media.ts', sizeOption: '--count', unit: 'images' };
      const scenario = await filesCase(options, { folder: stage.folder, size: 200, seed: 7 });
      const here = await runHere(scenario, stage);
      const fault = faultNamed('a worker killed');
      expect(wrongOf((await rehearse(scenario, here.left, { stage, fault })).checks)).toEqual([]);
    });
  });
});

function faultNamed(name: string): Fault {
  const fault = FAULTS.find((one) => one.name === name);
  if (fault === undefined) throw new Error(`no such fault: ${name}`);
  return fault;
}
