import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { EnvironmentProblem } from '../checkpoint/problem.js';
import { err, ok, type Result } from '../model/result.js';
import { parseRedisUrl, REDIS_VARIABLE, type RedisUrl } from '../remote/redis-url.js';
import type { RedisWire } from '../remote/redis-wire.js';
import { KEY_VARIABLE, type Sealer, sealerFrom } from '../remote/seal.js';
import { orInvalid, timeoutArgument } from './plan-options.js';

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
