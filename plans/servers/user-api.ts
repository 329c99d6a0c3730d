/**
 * One of the two user APIs that plans/api-migration.yaml works on, as a process of its own:
 *
 *   npx jiti plans/servers/user-api.ts old --users 100
 *   npx jiti plans/servers/user-api.ts new --rate 500 --faults 0.01
 *
 * Prints `{"url": …}` when it listens. Options: --port (any), --users (100), --seed (1), --latency in ms (5),
 * --rate requests a second (none), --faults share of requests (0).
 *
 *   GET  /ids          old: the ids of all users
 *   GET  /users/ID     one user
 *   POST /users        new: creates a user; a repetition with the same Idempotency-Key gets the first answer again
 *   GET  /users        new: all users
 *   GET  /stats        what came in, second by second; not counted itself
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { chance, oldUser } from './users.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    port: { type: 'string', default: '0' },
    users: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    latency: { type: 'string', default: '5' },
    rate: { type: 'string', default: '0' },
    faults: { type: 'string', default: '0' },
  },
});
const [role] = positionals;
if (role !== 'old' && role !== 'new') throw new Error('say which API: old or new');
const users = Number(values.users);
const seed = Number(values.seed);
const latencyMs = Number(values.latency);
const ratePerSecond = Number(values.rate);
const faultShare = Number(values.faults);

/** When requests of the last second came, oldest first: the limit holds for every window of one second. */
const recent: number[] = [];
/** When each request came, in milliseconds since the first. */
const arrivals: number[] = [];
const created = new Map<string, { readonly key: string; readonly user: unknown; times: number }>();
const answered = new Map<string, string>();
const counts = { accepted: 0, refused: 0, faults: 0, repeated: 0, conflicts: 0 };
let firstAt: number | undefined;

/** The seconds to wait, or undefined where the request is within the limit. */
function tooSoon(now: number): number | undefined {
  if (ratePerSecond === 0) return undefined;
  while (recent[0] !== undefined && recent[0] <= now - 1000) recent.shift();
  if (recent.length < ratePerSecond) {
    recent.push(now);
    return undefined;
  }
  return Math.max(1, Math.ceil(((recent[0] ?? now) + 1000 - now) / 1000));
}

function reply(response: ServerResponse, status: number, body: string, headers: Readonly<Record<string, string>> = {}): void {
  setTimeout(() => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(body);
  }, latencyMs);
}

/** Which fault a request meets, if any: the same for the same request, and none when it is repeated. */
const met = new Set<string>();
function faultOf(request: IncomingMessage): 'busy' | 'reset' | 'lost' | undefined {
  const name = `${request.method} ${request.url} ${request.headers['idempotency-key'] ?? ''}`;
  if (met.has(name) || chance(seed, name) >= faultShare) return undefined;
  met.add(name);
  counts.faults += 1;
  const kind = chance(seed + 1, name);
  return kind < 1 / 3 ? 'busy' : kind < 2 / 3 ? 'reset' : 'lost';
}

/** Creates a user once for each key; another key for the same user is a conflict. */
function create(body: string, key: string): { readonly status: number; readonly body: string } {
  const known = answered.get(key);
  if (known !== undefined) {
    counts.repeated += 1;
    return { status: 201, body: known };
  }
  const user = JSON.parse(body) as { readonly id: string };
  const there = created.get(user.id);
  if (there !== undefined) {
    there.times += 1;
    counts.conflicts += 1;
    return { status: 409, body: '{"error":"there is such a user"}' };
  }
  created.set(user.id, { key, user, times: 1 });
  const answer = JSON.stringify({ id: user.id });
  answered.set(key, answer);
  return { status: 201, body: answer };
}

function answer(request: IncomingMessage, body: string): { readonly status: number; readonly body: string } {
  const { method, url = '' } = request;
  if (role === 'new' && method === 'POST' && url === '/users') return create(body, String(request.headers['idempotency-key']));
  if (role === 'new' && url === '/users')
    return { status: 200, body: JSON.stringify([...created.values()].map(({ user }) => user)) };
  if (role === 'old' && url === '/ids') {
    return { status: 200, body: JSON.stringify(Array.from({ length: users }, (_, i) => oldUser(seed, i).id)) };
  }
  const id = /^\/users\/u(\d+)$/.exec(url)?.[1];
  const found = id === undefined ? undefined : role === 'old' ? oldUserOf(Number(id)) : created.get(`u${id}`)?.user;
  return found === undefined ? { status: 404, body: '{"error":"no such user"}' } : { status: 200, body: JSON.stringify(found) };
}

function oldUserOf(index: number) {
  return index < users ? oldUser(seed, index) : undefined;
}

function stats(): string {
  const busiest = busiestWindow(arrivals);
  const seconds: number[] = [];
  for (const at of arrivals) seconds[Math.floor(at / 1000)] = (seconds[Math.floor(at / 1000)] ?? 0) + 1;
  const twice = [...created.values()].filter(({ times }) => times > 1).length;
  return JSON.stringify({
    ...counts,
    requests: arrivals.length,
    busiest,
    perSecond: Array.from(seconds, (n) => n ?? 0),
    created: created.size,
    twice,
  });
}

/** The most requests in any window of one second. */
function busiestWindow(times: readonly number[]): number {
  let most = 0;
  let start = 0;
  for (const [end, at] of times.entries()) {
    while ((times[start] ?? at) <= at - 1000) start += 1;
    most = Math.max(most, end - start + 1);
  }
  return most;
}

const server = createServer((request, response) => {
  if (request.url === '/stats') {
    response.end(stats());
    return;
  }
  const now = performance.now();
  firstAt ??= now;
  arrivals.push(now - firstAt);
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const wait = tooSoon(now);
    if (wait !== undefined) {
      counts.refused += 1;
      reply(response, 429, '{"error":"too many requests"}', { 'retry-after': String(wait) });
      return;
    }
    const fault = faultOf(request);
    if (fault === 'busy') return reply(response, 503, '{"error":"busy"}');
    if (fault === 'reset') return void request.socket.destroy();
    const { status, body } = answer(request, Buffer.concat(chunks).toString('utf8'));
    counts.accepted += 1;
    // Done, and the answer never arrives: only the key tells the repetition.
    if (fault === 'lost') return void request.socket.destroy();
    reply(response, status, body);
  });
});
// Longer than any pause of a client: a connection is closed by faults only.
server.keepAliveTimeout = 600_000;
server.listen(Number(values.port), '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}` })}\n`);
});
