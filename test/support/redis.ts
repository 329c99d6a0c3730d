import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { Redis } from 'ioredis';
import { afterEach, describe } from 'vitest';
import { type Running, start, until } from './processes.js';
import { tempFolder } from './repository.js';

/** The key that coordinators and workers of the tests share. */
export const KEY = 'a key of the tests, long enough';

/** A Redis of its own, without anything on disk. */
export interface TestRedis {
  readonly url: string;
  /** Ends it at once, with all that it had. */
  readonly kill: () => Promise<void>;
  /** Starts it again at the same place, empty. */
  readonly startAgain: () => Promise<void>;
}

const servers: ChildProcess[] = [];
const workers: Running[] = [];
afterEach(async () => {
  for (const worker of workers.splice(0)) {
    worker.signal('SIGCONT');
    worker.signal('SIGKILL');
    await worker.ended;
  }
  for (const server of servers.splice(0)) server.kill('SIGKILL');
});

/** Tests that need a Redis; skipped, aloud, where there is no redis-server. */
export function describeWithRedis(title: string, body: () => void): void {
  if (spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0) {
    describe(title, body);
    return;
  }
  process.stderr.write(`SKIPPED ${title}: this machine lacks redis-server (of the package redis-server)\n`);
  describe.skip(`${title} [needs redis-server]`, body);
}

export async function startRedis(options: readonly string[] = []): Promise<TestRedis> {
  const port = await freePort();
  const folder = tempFolder();
  let server: ChildProcess | undefined;
  const startAgain = async () => {
    server = spawn('redis-server', ['--port', String(port), '--save', '', '--dir', folder, ...options], { stdio: 'ignore' });
    servers.push(server);
    await answers(port);
  };
  await startAgain();
  return {
    url: `redis://127.0.0.1:${port}`,
    startAgain,
    kill: async () => {
      const ended = new Promise((resolve) => server?.once('exit', resolve));
      server?.kill('SIGKILL');
      await ended;
    },
  };
}

/** Starts a worker and waits until it says that it is there. */
export async function startWorker(redis: TestRedis, root: string, more: readonly string[] = []): Promise<Running> {
  const args = ['worker', '--redis', redis.url, '--root', root, '--worker-timeout', '2s', ...more];
  const worker = start(args, { cwd: root, env: { WAVEPLAN_KEY: KEY } });
  workers.push(worker);
  await until(() => worker.printed().includes(', plans in '), `a worker, which said ${worker.printed()}`);
  return worker;
}

/** The arguments that let a run or a resume take place on workers. */
export function onWorkers(redis: TestRedis): readonly string[] {
  return ['--executor', 'bullmq', '--redis', redis.url, '--worker-timeout', '2s', '--overhead', '1ms'];
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return address.port;
}

async function answers(port: number): Promise<void> {
  const client = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: null, retryStrategy: () => 20 });
  client.on('error', () => {});
  // One that wants a password answers as well.
  await client.ping().catch(() => {});
  client.disconnect();
}
