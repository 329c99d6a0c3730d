import { err, ok, type Result } from '../model/result.js';

/** The environment variable that says where Redis is, where no option does. */
export const REDIS_VARIABLE = 'WAVEPLAN_REDIS';

/** Where Redis is. */
export interface RedisUrl {
  /** As given, with its password: for the connection alone. */
  readonly url: string;
  /** For people and records: without the password. */
  readonly shown: string;
}

/** Reads the URL of a Redis: `redis://` or `rediss://` (TLS), with a user and a password where there are any. */
export function parseRedisUrl(text: string): Result<RedisUrl, string> {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    // The text may hold a password.
    return err('it is not a URL; write redis://HOST:PORT, or rediss://USER:PASSWORD@HOST:PORT for TLS');
  }
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') {
    return err(`it begins with ${url.protocol}//; write redis://, or rediss:// for TLS`);
  }
  if (url.hostname === '') return err('it names no host; write redis://HOST:PORT');
  const shown = new URL(url);
  if (shown.password !== '') shown.password = '***';
  // ioredis takes settings from the query, a password among them.
  shown.search = '';
  return ok({ url: text, shown: shown.href });
}
