import type { Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { err, ok, type Result } from '../model/result.js';
import type { RedisUrl } from './redis-url.js';
import type { Envelope, Party, Sealed, Wire } from './wire.js';

/*
 * What is in Redis, all of it under one prefix, with S the random name of a session:
 *
 *   waveplan:jobs-S:*            the BullMQ queue of a worker
 *   waveplan:post:S              a stream: the envelopes for a session, removed as it reads them
 *   waveplan:workers             the sessions that said they are there, and
 *   waveplan:coordinators
 *   waveplan:worker:S            the last beat of each, which expires when no other follows
 *   waveplan:coordinator:S
 */

const PREFIX = 'waveplan';
/** How long Redis may take to answer the first time. */
const CONNECT_MS = 10_000;
/** The longest pause between two attempts to reach Redis again. */
const RETRY_MS = 1000;
/** How long a read waits for envelopes before it asks again. */
const BLOCK_MS = 2000;
/** How long BullMQ may take to close. */
const CLOSE_MS = 1000;
/** Envelopes that are read at once. */
const READ_COUNT = 64;
/** Post for a session that reads no more is kept this long. */
const POST_TTL_MS = 600_000;
/** A queue is read by its one worker, who takes jobs in and is done: nothing is ever waited for. */
const LOCK_MS = 3_600_000;

/** Connects to Redis. The error says why that could not be, and what to do. */
export async function connectRedis(
  redis: RedisUrl,
): Promise<Result<RedisWire, { readonly message: string; readonly hint: string }>> {
  const libraries = await loadLibraries();
  if (libraries === undefined) {
    return err({
      message: 'BullMQ or ioredis is not installed: they are needed to work with other machines, and for nothing else',
      hint: 'install them beside waveplan: npm install bullmq ioredis',
    });
  }
  const client = new libraries.Redis(redis.url, {
    lazyConnect: true,
    // Commands wait for a Redis that is gone, however long; only the first connection is given up.
    maxRetriesPerRequest: null,
    retryStrategy: (times) => Math.min(50 * times, RETRY_MS),
    connectTimeout: CONNECT_MS,
    connectionName: PREFIX,
  });
  const failed = await firstConnection(client);
  if (failed === undefined) return ok(new RedisWire(client, libraries));
  client.disconnect();
  return err({
    message: `Redis at ${redis.shown} cannot be used: ${failed}`,
    hint: 'is it running, and may this machine reach it? try: redis-cli -u URL ping',
  });
}

interface Libraries {
  readonly Redis: typeof Redis;
  readonly Queue: typeof Queue;
  readonly Worker: typeof Worker;
}

/** Both are optional; undefined where one is missing. */
async function loadLibraries(): Promise<Libraries | undefined> {
  try {
    const [ioredis, bullmq] = await Promise.all([import('ioredis'), import('bullmq')]);
    return { Redis: ioredis.Redis, Queue: bullmq.Queue, Worker: bullmq.Worker };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

/** Why Redis does not answer; undefined where it does. */
async function firstConnection(client: Redis): Promise<string | undefined> {
  let last = 'it did not answer';
  const take = (error: Error) => {
    last = error.message;
  };
  client.on('error', take);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`${last} (for ${CONNECT_MS / 1000} s)`), CONNECT_MS);
  });
  const answered = client.connect().then(
    () => client.ping().then(() => undefined),
    (error: Error) => error.message,
  );
  const failed = await Promise.race([answered, late]).catch((error: Error) => error.message);
  clearTimeout(timer);
  client.off('error', take);
  return failed === 'Connection is closed.' ? last : failed;
}

/** A wire over Redis: jobs by BullMQ, everything else by streams and keys that expire. */
export class RedisWire implements Wire {
  readonly #client: Redis;
  readonly #libraries: Libraries;
  readonly #queues = new Map<string, Queue>();
  readonly #workers: Worker[] = [];
  readonly #readers: Redis[] = [];
  readonly #whenBack: (() => void)[] = [];
  #closed = false;

  constructor(client: Redis, libraries: Libraries) {
    this.#client = client;
    this.#libraries = libraries;
    // That it is gone shows in `connected`.
    client.on('error', () => {});
    client.on('ready', () => {
      for (const listener of this.#whenBack) listener();
    });
  }

  get connected(): boolean {
    return this.#client.status === 'ready';
  }

  onReconnected(listener: () => void): void {
    this.#whenBack.push(listener);
  }

  async sendJob(worker: string, id: string, job: Sealed): Promise<void> {
    await this.#queue(worker).add('chunk', job, { jobId: id, removeOnComplete: true, removeOnFail: true });
  }

  async receiveJobs(worker: string, take: (job: unknown) => void): Promise<void> {
    const { Worker } = this.#libraries;
    const receiver = new Worker(queueName(worker), async ({ data }) => take(data), {
      connection: this.#client,
      prefix: PREFIX,
      lockDuration: LOCK_MS,
      // A job that was taken and not completed is no longer there: whoever sent it sends it again.
      skipStalledCheck: true,
      skipLockRenewal: true,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    });
    receiver.on('error', () => {});
    this.#workers.push(receiver);
    await receiver.waitUntilReady();
  }

  async post({ from, to, serial, ack, head, body, seal }: Envelope): Promise<void> {
    const key = postKey(to);
    await this.#client
      .multi()
      .xadd(key, '*', 'from', from, 'serial', serial, 'ack', ack, 'head', head, 'body', Buffer.from(body), 'seal', seal)
      .pexpire(key, POST_TTL_MS)
      .exec();
  }

  receivePost(session: string, take: (envelope: Envelope) => void): void {
    const reader = this.#client.duplicate({ lazyConnect: false });
    reader.on('error', () => {});
    this.#readers.push(reader);
    void this.#read(reader, session, take);
  }

  async #read(reader: Redis, session: string, take: (envelope: Envelope) => void): Promise<void> {
    const key = postKey(session);
    let last = '0';
    while (!this.#closed) {
      try {
        const read = await reader.xreadBuffer('COUNT', READ_COUNT, 'BLOCK', BLOCK_MS, 'STREAMS', key, last);
        const entries = read?.[0]?.[1] ?? [];
        for (const [id, fields] of entries) {
          last = id.toString();
          take(envelopeOf(session, fields ?? []));
        }
        if (entries.length > 0) await reader.xdel(key, ...entries.map(([id]) => id));
      } catch {
        if (this.#closed) return;
        // A Redis that was started again may count from anywhere; what was read before is known by its serial.
        last = '0';
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS / 10));
      }
    }
  }

  async beat(party: Party, session: string, { text, seal }: Sealed, ttlMs: number): Promise<void> {
    await this.#client.multi().set(beatKey(party, session), `${seal} ${text}`, 'PX', ttlMs).sadd(partyKey(party), session).exec();
  }

  async beats(party: Party): Promise<ReadonlyMap<string, Sealed>> {
    const sessions = await this.#client.smembers(partyKey(party));
    if (sessions.length === 0) return new Map();
    const beats = await this.#client.mget(sessions.map((session) => beatKey(party, session)));
    const gone = sessions.filter((_, i) => beats[i] === null);
    if (gone.length > 0) await this.#client.srem(partyKey(party), gone);
    return new Map(
      sessions.flatMap((session, i): [string, Sealed][] => {
        const beat = beats[i];
        if (typeof beat !== 'string') return [];
        const cut = beat.indexOf(' ');
        return [[session, { seal: beat.slice(0, cut), text: beat.slice(cut + 1) }]];
      }),
    );
  }

  async forget(party: Party, session: string): Promise<void> {
    if (party === 'worker') await this.#queue(session).obliterate({ force: true });
    await this.#client.multi().del(postKey(session), beatKey(party, session)).srem(partyKey(party), session).exec();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const reader of this.#readers) reader.disconnect();
    const closing = Promise.all([
      ...this.#workers.map((worker) => worker.close(true)),
      ...[...this.#queues.values()].map((queue) => queue.close()),
    ]);
    // BullMQ waits for a Redis that may be gone for good.
    await Promise.race([closing, new Promise((resolve) => setTimeout(resolve, CLOSE_MS).unref())]).catch(() => {});
    this.#client.disconnect();
  }

  #queue(worker: string): Queue {
    const known = this.#queues.get(worker);
    if (known !== undefined) return known;
    const queue = new this.#libraries.Queue(queueName(worker), {
      connection: this.#client,
      prefix: PREFIX,
      // Nobody listens to BullMQ's own events.
      streams: { events: { maxLen: 1 } },
    });
    queue.on('error', () => {});
    this.#queues.set(worker, queue);
    return queue;
  }
}

function queueName(worker: string): string {
  return `jobs-${worker}`;
}

function postKey(session: string): string {
  return `${PREFIX}:post:${session}`;
}

function partyKey(party: Party): string {
  return `${PREFIX}:${party}s`;
}

function beatKey(party: Party, session: string): string {
  return `${PREFIX}:${party}:${session}`;
}

/** Whatever stands there: what is no envelope of ours has no seal that holds. */
function envelopeOf(to: string, fields: readonly Buffer[]): Envelope {
  const values = new Map<string, Buffer>();
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const [name, value] = [fields[i], fields[i + 1]];
    if (name !== undefined && value !== undefined) values.set(name.toString(), value);
  }
  const text = (name: string) => values.get(name)?.toString() ?? '';
  return {
    from: text('from'),
    to,
    serial: Number(text('serial')),
    ack: Number(text('ack')),
    head: text('head'),
    body: values.get('body') ?? Buffer.alloc(0),
    seal: text('seal'),
  };
}
