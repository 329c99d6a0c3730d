import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endsWithThis } from './children.ts';

/** How long a server may take to answer, in milliseconds. */
const PATIENCE_MS = 10_000;

/** Whether there is a `redis-server` on this machine. */
export function hasRedisServer(): boolean {
  return spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0;
}

/** What a Redis counted since it was started, of what waveplan asks of it. */
export interface RedisCounters {
  /** Jobs that were added: BullMQ numbers each. */
  readonly jobs: number;
  /** Envelopes that were posted: each renews the time that its stream is kept. */
  readonly envelopes: number;
  readonly receivedBytes: number;
  readonly usedBytes: number;
  readonly peakBytes: number;
}

/** A real Redis, which keeps nothing on disk. */
export class RedisServer {
  readonly host: string;
  readonly port: number;
  readonly #folder: string;
  #child: ChildProcess;

  private constructor(at: { readonly host: string; readonly port: number }, folder: string, child: ChildProcess) {
    this.host = at.host;
    this.port = at.port;
    this.#folder = folder;
    this.#child = child;
  }

  /** Starts one on a free port of an address of this machine; resolves when it answers. */
  static async start(host = '127.0.0.1'): Promise<RedisServer> {
    const at = { host, port: await freePort(host) };
    const folder = mkdtempSync(join(tmpdir(), 'waveplan-redis-'));
    try {
      return new RedisServer(at, folder, await launch(at, folder));
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  get url(): string {
    return `redis://${this.host}:${this.port}`;
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error('redis-server did not start');
    return pid;
  }

  /** Ends it at once, and with it all that it held. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  /** Starts an empty one in its place, on the same port. */
  async startAgain(): Promise<void> {
    await this.kill();
    this.#child = await launch(this, this.#folder);
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** What it counted so far. */
  async counters(): Promise<RedisCounters> {
    const [commands, stats, memory] = [await this.info('commandstats'), await this.info('stats'), await this.info('memory')];
    const calls = (command: string) => Number(/^calls=(\d+)/.exec(commands.get(`cmdstat_${command}`) ?? '')?.[1] ?? 0);
    return {
      jobs: calls('incr'),
      envelopes: calls('pexpire'),
      receivedBytes: Number(stats.get('total_net_input_bytes')),
      usedBytes: Number(memory.get('used_memory')),
      peakBytes: Number(memory.get('used_memory_peak')),
    };
  }

  /** What `INFO` says, by name. */
  async info(section: string): Promise<ReadonlyMap<string, string>> {
    const text = await ask(this, `INFO ${section}\r\n`);
    return new Map(
      text.split('\r\n').flatMap((line): [string, string][] => {
        const cut = line.indexOf(':');
        return cut > 0 && !line.startsWith('#') ? [[line.slice(0, cut), line.slice(cut + 1)]] : [];
      }),
    );
  }
}

async function launch(at: { readonly host: string; readonly port: number }, folder: string): Promise<ChildProcess> {
  const settings = ['--save', '', '--appendonly', 'no', '--protected-mode', 'no', '--loglevel', 'warning', '--dir', folder];
  const child = spawn('redis-server', ['--port', String(at.port), '--bind', at.host, ...settings], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  endsWithThis(child);
  child.on('error', () => {});
  for (const begun = performance.now(); ; ) {
    if ((await ask(at, 'PING\r\n').catch(() => '')).startsWith('+PONG')) return child;
    if (child.exitCode !== null || performance.now() - begun > PATIENCE_MS) {
      child.kill('SIGKILL');
      throw new Error(`redis-server did not answer at ${at.host}:${at.port}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Sends one inline command on a connection of its own, and resolves with the answer as it came. */
function ask({ host, port }: { readonly host: string; readonly port: number }, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: Socket = createConnection({ host, port });
    let text = '';
    socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error('Redis did not answer')));
    socket.on('connect', () => socket.write(`${command}QUIT\r\n`));
    socket.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
  });
}

async function freePort(host: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.on('error', reject);
    server.listen(0, host, resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error(`no free port at ${host}`);
  return address.port;
}
