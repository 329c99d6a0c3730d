import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { EnvironmentProblem } from '../checkpoint/problem.js';
import { err, ok, type Result } from '../model/result.js';
import { parseRedisUrl, REDIS_VARIABLE, type RedisUrl } from '../remote/redis-url.js';
import type { RedisWire } from '../remote/redis-wire.js';
import { KEY_VARIABLE, type Sealer, sealerFrom } from '../remote/seal.js';
import { humanDuration } from '../report/figures.js';
import { EXIT } from './exit-code.js';
import { orInvalid, timeoutArgument } from './plan-options.js';
import type { RemoteRun } from './remote-run.js';
import { printProblem } from './streams.js';

/** Where Redis is, and how long the other side may be silent. */
export interface RedisOptions {
  readonly redis?: RedisUrl;
  /** Milliseconds. */
  readonly workerTimeout: number;
  readonly shared?: string;
}

/** The options of a run that may take place on other machines. */
export interface RemoteOptions extends RedisOptions {
  readonly executor: 'threads' | 'bullmq';
  /** Milliseconds. */
  readonly workerWait: number;
}

/** Adds what a worker and a coordinator both have to know. */
export function addRedisOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--redis <url>', `the Redis between coordinator and workers; or set ${REDIS_VARIABLE}`).argParser((text) =>
        orInvalid(parseRedisUrl(text)),
      ),
    )
    .addOption(
      new Option('--worker-timeout <duration>', 'when the other side is given up that is not heard of')
        .argParser(timeoutArgument)
        .default(10_000, '10s'),
    )
    .option('--shared <dir>', 'a folder that coordinator and workers all see, for results above 1 MiB');
}

/** Adds the options for running on other machines to a verb. */
export function addRemoteOptions(command: Command): Command {
  const own = command.addOption(
    new Option('--executor <where>', 'where subtasks run: on threads of this machine, or on workers, through BullMQ')
      .choices(['threads', 'bullmq'])
      .default('threads'),
  );
  return addRedisOptions(own).addOption(
    new Option('--worker-wait <duration>', 'how long to wait where there is no worker')
      .argParser(timeoutArgument)
      .default(60_000, '60s'),
  );
}

/**
 * Lets a verb work with the machines that its options ask for, if they do, when there are workers. Its exit code, or the one for
 * what kept it from working, which was printed.
 */
export async function withRemote(
  options: RemoteOptions,
  say: (text: string) => void,
  work: (remote: RemoteRun | undefined) => Promise<number>,
): Promise<number> {
  const remote = await remoteRunOf(options, say);
  if (!remote.ok) return remote.error;
  try {
    return await work(remote.value);
  } finally {
    await remote.value?.connection.wire.close();
  }
}

async function remoteRunOf(options: RemoteOptions, say: (text: string) => void): Promise<Result<RemoteRun | undefined, number>> {
  if (options.executor !== 'bullmq') return ok(undefined);
  const connected = await connectRemote(options);
  if (!connected.ok) {
    printProblem(connected.error);
    return err(connected.error.kind === 'use' ? EXIT.refused : EXIT.environment);
  }
  const { value: connection } = connected;
  const { workerWait: waitMs } = options;
  const { awaitWorkers, fleetOf } = await import('../remote/fleet.js');
  const onWait = () => say(`Waiting for a worker at ${connection.redis.shown}, for ${humanDuration(waitMs)} at most`);
  const workers = await awaitWorkers(connection.wire, connection.sealer, { waitMs, onWait });
  if (workers.length > 0) return ok({ connection, waitMs, fleet: fleetOf(workers) });
  await connection.wire.close();
  const message = `there is no worker at ${connection.redis.shown} with the same ${KEY_VARIABLE}`;
  printProblem({ message, hint: 'start some in checkouts of this plan: waveplan worker --redis URL --root DIR' });
  return err(EXIT.environment);
}

/** A connection to Redis and the key to what goes over it. */
export interface RemoteConnection {
  readonly wire: RedisWire;
  readonly sealer: Sealer;
  readonly redis: RedisUrl;
  readonly silenceMs: number;
  readonly shared: string | undefined;
}

/** What keeps a verb from reaching the others: wrong use, or the surroundings. */
export type RemoteProblem = EnvironmentProblem & { readonly kind: 'use' | 'environment' };

/**
 * Connects as the options and the environment say. Takes the key and the URL out of this process's environment: what a plan
 * runs must not read them there.
 */
export async function connectRemote({
  redis,
  workerTimeout,
  shared,
}: RedisOptions): Promise<Result<RemoteConnection, RemoteProblem>> {
  const fromVariable = process.env[REDIS_VARIABLE];
  const key = process.env[KEY_VARIABLE];
  delete process.env[REDIS_VARIABLE];
  delete process.env[KEY_VARIABLE];
  const url = redis === undefined && fromVariable !== undefined ? parseRedisUrl(fromVariable) : ok(redis);
  if (!url.ok) return err({ kind: 'use', message: `${REDIS_VARIABLE}: ${url.error}`, hint: 'or give it by --redis URL' });
  if (url.value === undefined) {
    return err({ kind: 'use', message: 'where is Redis?', hint: `give it by --redis URL, or set ${REDIS_VARIABLE}` });
  }
  const sealer = sealerFrom(key);
  if (!sealer.ok) return err({ kind: 'use', ...sealer.error });
  const { connectRedis } = await import('../remote/redis-wire.js');
  const wire = await connectRedis(url.value);
  if (!wire.ok) return err({ kind: 'environment', ...wire.error });
  return ok({
    wire: wire.value,
    sealer: sealer.value,
    redis: url.value,
    silenceMs: workerTimeout,
    shared: shared === undefined ? undefined : resolve(shared),
  });
}
