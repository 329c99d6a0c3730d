import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { waveplan } from '../support/cli.js';
import { httpServer, json, type Received } from '../support/http-server.js';
import { checkpointsOf, onlyRun, tempFolder, waveStartOf, writeFiles } from '../support/repository.js';

const ITEMS = 12;
const PER_SECOND = 20;

/** What the first requests for an item meet, by the item's number; then all is well. */
const FAULTS: readonly (readonly string[])[] = [
  [],
  ['429 in seconds'],
  ['429 by date'],
  ['503', '503'],
  ['500 after doing it'],
  ['reset'],
  ['reset after doing it'],
  ['hang'],
  ['hang after doing it'],
  ['half an answer'],
];

/** An API that creates items: once for each key, and a second key for an item is a mistake of the client. */
class FaultyApi {
  readonly created = new Map<string, string>();
  readonly conflicts: string[] = [];
  readonly #tries = new Map<string, number>();

  readonly answer = (response: ServerResponse, request: Received): void => {
    const { id } = JSON.parse(request.body) as { readonly id: string };
    const tries = this.#tries.get(id) ?? 0;
    this.#tries.set(id, tries + 1);
    const fault = FAULTS[Number(id) % FAULTS.length]?.[tries];
    switch (fault) {
      case '429 in seconds':
        json(response, 429, {}, { 'retry-after': '1' });
        return;
      case '429 by date':
        json(response, 429, {}, { 'retry-after': new Date(Date.now() + 2000).toUTCString() });
        return;
      case '503':
        json(response, 503, { error: 'busy' });
        return;
      case 'reset':
        response.socket?.destroy();
        return;
      case 'hang':
        return;
    }
    this.#create(id, String(request.headers['idempotency-key']));
    if (fault === undefined) json(response, 201, { id });
    else if (fault.startsWith('500')) json(response, 500, {});
    else if (fault.startsWith('reset')) response.socket?.destroy();
    else if (fault.startsWith('half')) {
      response.writeHead(201, { 'content-type': 'application/json', 'content-length': '1000' });
      response.write('{"id"');
      response.socket?.destroySoon();
    }
  };

  #create(id: string, key: string): void {
    const known = this.created.get(id);
    if (known !== undefined && known !== key) this.conflicts.push(id);
    this.created.set(id, known ?? key);
  }
}

const plan = (url: string, retries: string) => `version: 1
name: faulty
type: api_calls
backup: none
limits: { rate: ${PER_SECOND}/s }
tasks:
  post:
    foreach: [${Array.from({ length: ITEMS }, (_, i) => `"${i}"`).join(', ')}]
    uses: http/request
    with: { url: "${url}/items", method: POST, json: { id: "\${{ item }}" }, expect: { status: 201 }, timeout: 1500ms, ${retries} }
    retries: { max: 3, backoff: 10ms }
    success: ["results.body.id == item"]
`;

describe('an API that answers 429, 503, resets and hangs (fault 20)', () => {
  it.each([
    ['by the tries of the action', 'retries: { max: 4, backoff: 10ms }'],
    ['by the attempts of the engine alone', 'retries: { max: 0 }'],
  ])('gets every item exactly once, %s', async (_, retries) => {
    const api = new FaultyApi();
    const server = await httpServer(api.answer);
    const folder = tempFolder();
    writeFiles(folder, { 'plan.yaml': plan(server.url, retries) });
    const done = await waveplan(['run', 'plan.yaml', '-y', '-j', '8'], { cwd: folder });
    expect(done.code, done.text).toBe(0);
    expect([api.created.size, api.conflicts]).toEqual([ITEMS, []]);
    expect(new Set(api.created.values()).size).toBe(ITEMS);
    const last = checkpointsOf(onlyRun(folder)).filter(({ status }) => status === 'success');
    expect(last).toHaveLength(ITEMS);

    const byItem = grouped(server.received);
    for (const [body, requests] of byItem) {
      const fault = FAULTS[Number(JSON.parse(body).id) % FAULTS.length]?.[0] ?? '';
      const [first, second] = requests;
      if (first === undefined) throw new Error('a group of nothing');
      // A date has whole seconds: of two seconds, more than one is left.
      if (fault.startsWith('429')) expect((second?.at ?? 0) - first.at, fault).toBeGreaterThanOrEqual(990);
    }
    // The last start is at least so long after the first that could be: how late a request arrives makes it only longer.
    const firstTries = [...byItem.values()].map(([first]) => first?.at ?? 0);
    const span = Math.max(...firstTries) + performance.timeOrigin - waveStartOf(onlyRun(folder));
    expect(span).toBeGreaterThanOrEqual(0.8 * ((1000 * (ITEMS - 1)) / PER_SECOND));
  });
});

function grouped(received: readonly Received[]): ReadonlyMap<string, readonly Received[]> {
  const groups = new Map<string, Received[]>();
  for (const one of received) groups.set(one.body, [...(groups.get(one.body) ?? []), one]);
  return groups;
}
