import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { retryAfterMs } from '../../../../src/actions/builtin/retry-after.js';
import { httpServer, json } from '../../../support/http-server.js';
import { tempFolder, writeFiles } from '../../../support/repository.js';
import { act } from './act.js';

const KEY = 'idempotency-key';
/** Waits as short as can be: what is tested is what is sent. */
const QUICK = { retries: { backoff: '1ms' } };

describe('Retry-After', () => {
  it("is seconds, or a date on the server's own clock", () => {
    const now = Date.parse('2024-01-01T00:00:00Z');
    const at = (header: string | undefined, serverDate?: string) => retryAfterMs(header, { serverDate, now });
    expect([at('0'), at(' 120 '), at(undefined), at(''), at('-1'), at('1.5'), at('soon'), at('999999999999')]).toEqual([
      0,
      120_000,
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(at('Mon, 01 Jan 2024 00:00:07 GMT')).toBe(7000);
    expect(at('Mon, 01 Jan 2024 00:00:07 GMT', 'Mon, 01 Jan 2024 00:00:05 GMT')).toBe(2000);
    expect(at('Mon, 01 Jan 2024 00:00:00 GMT', 'Mon, 01 Jan 2024 00:00:05 GMT')).toBe(0);
  });
});

describe('http/request', () => {
  it('sends and reads JSON, over one connection that is kept', async () => {
    const server = await httpServer((response, { body, path }) => json(response, 200, { path, got: body }));
    const query = { 'a b': '&x=1', n: 2 };
    const got = await act('http/request', { url: `${server.url}/x?k=v`, query, headers: { 'X-Own': 7 } }, tempFolder());
    expect(got.results).toMatchObject({
      status: 200,
      body: { path: '/x?k=v&a+b=%26x%3D1&n=2', got: '' },
      tries: 1,
      savedTo: null,
    });
    await act('http/request', { url: server.url, method: 'POST', json: { a: ['ü'] } }, tempFolder());
    expect(server.received[0]?.headers['x-own']).toBe('7');
    expect(server.received[1]).toMatchObject({
      body: '{"a":["ü"]}',
      headers: { 'content-type': 'application/json', 'content-length': '12' },
    });
    await act('http/request', { url: server.url, method: 'PUT', form: { a: '1&2' } }, tempFolder());
    expect(server.received[2]?.body).toBe('a=1%262');
    expect(server.connections()).toBe(1);
  });

  it('carries one key through all tries and attempts of a subtask, for POST, PUT and PATCH only', async () => {
    const server = await httpServer((response, _, n) => json(response, n === 0 ? 503 : 201, {}));
    const folder = tempFolder();
    await act('http/request', { url: server.url, method: 'POST', json: 1, ...QUICK }, folder, { key: 'k1' });
    await act('http/request', { url: server.url, method: 'POST', json: 1 }, folder, { key: 'k1' });
    await act(
      'http/request',
      { url: server.url, method: 'PATCH', json: 1, idempotencyKey: 'mine', idempotencyHeader: 'X-Once' },
      folder,
    );
    await act('http/request', { url: server.url, method: 'PUT', json: 1, idempotencyKey: false }, folder);
    await act('http/request', { url: server.url, method: 'DELETE' }, folder);
    expect(server.received.map(({ headers }) => headers[KEY] ?? headers['x-once'])).toEqual([
      'k1',
      'k1',
      'k1',
      'mine',
      undefined,
      undefined,
    ]);
  });

  it('asks again on 429, 5xx, resets and tries without an end, and says how often', async () => {
    const server = await httpServer((response, _, n) => {
      if (n === 0) json(response, 429, {}, { 'retry-after': '0' });
      else if (n === 1) json(response, 500, {});
      else if (n === 2) response.socket?.destroy();
      else if (n === 3) return;
      else if (n === 4) {
        response.writeHead(200, { 'content-length': '100' });
        response.write('part');
        response.socket?.destroySoon();
      } else json(response, 200, 'done');
    });
    const done = await act('http/request', { url: server.url, timeout: '1s', retries: { max: 5, backoff: '1ms' } }, tempFolder());
    expect(done.results).toMatchObject({ body: 'done', tries: 6 });
    expect(done.log.match(/^try \d: /gm)).toHaveLength(5);
  });

  it('waits as long as the server asks, for all that ask that server', async () => {
    const server = await httpServer((response, _, n) =>
      json(response, n === 0 ? 429 : 200, {}, n === 0 ? { 'retry-after': '1' } : {}),
    );
    const folder = tempFolder();
    // A subtask that gives up at once has told the others of the thread what it heard.
    await act('http/request', { url: server.url, retries: { max: 0 } }, folder);
    const second = await act('http/request', { url: `${server.url}/other`, ...QUICK }, folder);
    expect(second.results.tries).toBe(1);
    const [one, other] = server.received;
    expect((other?.at ?? 0) - (one?.at ?? 0)).toBeGreaterThanOrEqual(990);
  });

  it('gives up when tries are used up, or the server asks for too long', async () => {
    const server = await httpServer((response) => json(response, 503, { why: 'down' }, { 'retry-after': '3600' }));
    const long = await act('http/request', { url: server.url, retries: { maxWait: '5s' } }, tempFolder());
    expect(long.failure).toMatchObject({ kind: 'action', message: /status 503: {"why":"down"}; it asks to wait 3600 s/ });
    const busy = await httpServer((response) => json(response, 500, {}));
    const spent = await act('http/request', { url: busy.url, retries: { max: 2, backoff: '1ms' } }, tempFolder());
    expect(spent.failure?.message).toMatch(/status 500.*\(3 tries\)/);
    expect(busy.received).toHaveLength(3);
  });

  it('does not repeat a POST without a key that may have been done', async () => {
    for (const answer of ['reset', 500, 503] as const) {
      const server = await httpServer((response) =>
        answer === 'reset' ? response.socket?.destroy() : json(response, answer, {}),
      );
      const input = { url: server.url, method: 'POST', json: 1, idempotencyKey: false, retries: { max: 1, backoff: '1ms' } };
      expect((await act('http/request', input, tempFolder())).failure?.kind).toBe('action');
      // 503 says that nothing was done.
      expect(server.received).toHaveLength(answer === 503 ? 2 : 1);
    }
  });

  it('holds the answer against what is expected', async () => {
    const server = await httpServer((response, { path }) => {
      if (path === '/404') json(response, 404, { error: 'no such user' });
      else if (path === '/text') response.writeHead(200, { 'content-type': 'text/plain' }).end('[1]');
      else json(response, 200, { id: 7 });
    });
    const ask = async (path: string, more: Record<string, unknown>) =>
      act('http/request', { url: server.url + path, ...(more as object) }, tempFolder());
    expect((await ask('/404', {})).failure?.message).toMatch(/GET http:.*\/404: status 404: {"error":"no such user"}/);
    expect((await ask('/404', { expect: { status: [200, 404] } })).results.status).toBe(404);
    expect((await ask('/', { expect: { status: 201 } })).failure?.message).toMatch(/status 200/);
    expect((await ask('/', { expect: { contains: 'id' } })).results.body).toEqual({ id: 7 });
    expect((await ask('/', { expect: { contains: 'name' } })).failure?.message).toMatch(/does not contain "name"/);
    const schema = { type: 'object', properties: { id: { type: 'string' } } };
    expect((await ask('/', { expect: { schema } })).failure?.message).toMatch(/\/id must be string/);
    expect((await ask('/', { expect: { schema: { type: 'nonsense' } } })).failure?.kind).toBe('input');
    expect((await ask('/text', {})).results.body).toBe('[1]');
    expect((await ask('/text', { parse: 'json' })).results.body).toEqual([1]);
  });

  it('follows redirects as browsers do, without showing secrets to another server', async () => {
    const other = await httpServer((response) => json(response, 200, 'other'));
    const server = await httpServer((response, { path }) => {
      if (path === '/away') response.writeHead(307, { location: other.url }).end();
      else if (path === '/see') response.writeHead(303, { location: '/end' }).end();
      else if (path === '/round') response.writeHead(302, { location: '/round' }).end();
      else json(response, 200, 'end');
    });
    const headers = { Authorization: 'secret' };
    await act('http/request', { url: `${server.url}/away`, method: 'POST', json: 1, headers }, tempFolder());
    expect(other.received[0]).toMatchObject({ method: 'POST', body: '1' });
    expect(other.received[0]?.headers.authorization).toBeUndefined();
    const seen = await act('http/request', { url: `${server.url}/see`, method: 'POST', json: 1, headers }, tempFolder());
    expect(seen.results).toMatchObject({ url: `${server.url}/end`, body: 'end', tries: 1 });
    expect(server.received.at(-1)).toMatchObject({ method: 'GET', body: '', headers: { authorization: 'secret' } });
    expect((await act('http/request', { url: `${server.url}/round` }, tempFolder())).failure?.message).toMatch(/status 302/);
    expect(
      (await act('http/request', { url: `${server.url}/round`, redirects: 0, expect: { status: 302 } }, tempFolder())).results
        .status,
    ).toBe(302);
  });

  it('saves a body to a file, whole or not at all, and asks nothing where the name is taken', async () => {
    const large = 'x'.repeat(3_000_000);
    const server = await httpServer((response, { path }) => {
      if (path === '/cut') {
        response.writeHead(200, { 'content-length': '100' });
        response.write('part');
        response.socket?.destroySoon();
      } else response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(large));
    });
    const folder = tempFolder();
    writeFiles(folder, { taken: 'old' });
    const saved = await act('http/request', { url: server.url, saveTo: 'deep/a.txt' }, folder);
    expect(saved.results).toMatchObject({ body: null, bytes: 3_000_000, savedTo: 'deep/a.txt' });
    expect(readFileSync(join(folder, 'deep/a.txt'), 'utf8')).toBe(large);
    expect(
      (await act('http/request', { url: `${server.url}/cut`, saveTo: 'b', retries: { max: 0 } }, folder)).failure?.kind,
    ).toBe('action');
    expect((await act('http/request', { url: server.url, saveTo: 'taken' }, folder)).failure?.message).toMatch(/overwrite/);
    expect((await act('http/request', { url: server.url, saveTo: '../x' }, folder)).failure?.kind).toBe('input');
    expect(server.received).toHaveLength(2);
    expect([existsSync(join(folder, 'b')), readdirSync(folder).sort()]).toEqual([false, ['deep', 'taken']]);
    expect((await act('http/request', { url: server.url, maxBytes: 1000 }, folder)).failure?.message).toMatch(
      /more than 1000 bytes/,
    );
  });

  it('ends when the subtask ends, and refuses what is no request', async () => {
    const server = await httpServer(() => {});
    const stop = new AbortController();
    const hanging = act('http/request', { url: server.url }, tempFolder(), { signal: stop.signal });
    await expect.poll(() => server.received.length).toBe(1);
    stop.abort();
    expect((await hanging).failure).toBeDefined();
    for (const input of [
      { url: 'ftp://x' },
      { url: 'nonsense' },
      { url: server.url, headers: { 'a b': 'x' } },
      { url: server.url, headers: { a: 'x\r\nInjected: 1' } },
      { url: server.url, json: 1, text: 'x' },
      { url: server.url, method: 'BREW' },
    ]) {
      expect((await act('http/request', input, tempFolder())).failure?.kind, JSON.stringify(input)).toBe('input');
    }
    const refused = await act(
      'http/request',
      { url: 'http://user:hidden@127.0.0.1:1/', retries: { max: 1, backoff: '1ms' } },
      tempFolder(),
    );
    expect(refused.failure?.message).toMatch(/ECONNREFUSED.*\(2 tries\)/);
    expect(refused.failure?.message).not.toContain('hidden');
  });
});
