import { fromRecordLine } from '../../../src/data/checkpoint-line.ts';
import { parseRedisUrl } from '../../../src/remote/redis-url.ts';
import { connectRedis } from '../../../src/remote/redis-wire.ts';
import type { RedisServer } from '../../remote/redis-server.ts';
import type { Costs, MessageCost } from '../model/costs.ts';

/** Jobs or envelopes that are put there to be weighed. */
const WEIGHED = 200;
/** Subtasks of a large one. */
const LARGE = 500;
/** A seal, and the names and digests that stand in every job. */
const SEAL = 'x'.repeat(43);
const HEAD = {
  run: 'r'.repeat(22),
  coordinator: 's'.repeat(12),
  worker: 's'.repeat(12),
  plan: 'd'.repeat(64),
  programDigest: 'd'.repeat(64),
};

/** What jobs and envelopes take in Redis, of `src/remote`'s own wire, with lines of checkpoints as given. Bytes. */
export async function weighInRedis(redis: RedisServer, line: string): Promise<Pick<Costs['memory'], 'chunk' | 'envelope'>> {
  if (fromRecordLine(Buffer.from(line.trimEnd())) === undefined) throw new Error('no line of a checkpoint');
  const url = parseRedisUrl(redis.url);
  if (!url.ok) throw new Error(url.error);
  const connected = await connectRedis(url.value);
  if (!connected.ok) throw new Error(connected.error.message);
  const wire = connected.value;
  let names = 0;
  const weigh = async (put: (session: string, i: number) => Promise<void>) => {
    const session = `weigh-${names++}`;
    // What the first one makes stays, and is no part of the others.
    await put(session, 0);
    const before = (await redis.counters()).usedBytes;
    for (let i = 1; i <= WEIGHED; i++) await put(session, i);
    return ((await redis.counters()).usedBytes - before) / WEIGHED;
  };
  const ofChunk = (subtasks: number) =>
    weigh((session, i) => {
      const items = Array.from({ length: subtasks }, (_, n) => n);
      const text = JSON.stringify({
        ...HEAD,
        serial: i,
        delivery: 1,
        task: 'each',
        chunk: i,
        agent: 'agent_1',
        first: 0,
        count: subtasks,
        items,
      });
      return wire.sendJob(session, `job-${i}`, { text, seal: SEAL });
    });
  const ofEnvelope = (subtasks: number) =>
    weigh((session, i) => {
      const lines = Buffer.from(line.repeat(subtasks));
      const results = Array.from({ length: 2 * subtasks }, (_, n) => 60 + line.length * Math.floor(n / 2) + 4 * (n % 2));
      const durationsMs = Array.from({ length: subtasks }, () => 0.002);
      const outcome = { type: 'outcome', chunk: i, kind: 'success', position: 0, count: subtasks, results, durationsMs, log: '' };
      const head = JSON.stringify([
        [outcome, lines.byteLength],
        [{ type: 'ended', chunk: i, begun: subtasks }, 0],
      ]);
      return wire.post({ from: 's'.repeat(12), to: session, serial: i, ack: i, head, body: lines, seal: SEAL });
    });
  const cost = async (of: (subtasks: number) => Promise<number>): Promise<MessageCost> => {
    const [one, many] = [await of(1), await of(LARGE)];
    const perSubtask = (many - one) / (LARGE - 1);
    return { each: Math.max(0, one - perSubtask), perSubtask };
  };
  try {
    return { chunk: await cost(ofChunk), envelope: await cost(ofEnvelope) };
  } finally {
    await wire.close();
  }
}
