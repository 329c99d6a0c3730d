import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkpointText } from '../../../src/model/checkpoint.js';
import { closedRecord } from '../../../src/model/record-line.js';
import { loadPlan } from '../../../src/plan/load-plan.js';
import { AgentSlots } from '../../../src/remote/agent-slots.js';
import { findPlan, inside } from '../../../src/remote/find-plan.js';
import { fleetOf } from '../../../src/remote/fleet.js';
import { INLINE_LIMIT, packOutcome } from '../../../src/remote/pack-outcome.js';
import { planIdentity } from '../../../src/remote/plan-identity.js';
import type { PlanIdentity } from '../../../src/remote/protocol.js';
import { parseRedisUrl } from '../../../src/remote/redis-url.js';
import { Replays } from '../../../src/remote/replays.js';
import { SentPrograms } from '../../../src/remote/sent-programs.js';
import { programDigest } from '../../../src/remote/served-run.js';
import { readSuccessBytes } from '../../../src/remote/success-bytes.js';
import type { Chunk, SubtaskOutcome } from '../../../src/worker/chunk.js';
import { tempFolder, writeFiles } from '../../support/repository.js';

describe('the URL of a Redis', () => {
  it('is shown without its password and its query', () => {
    const url = parseRedisUrl('rediss://me:secret@host:6380/2?password=secret');
    expect(url).toMatchObject({ ok: true, value: { shown: 'rediss://me:***@host:6380/2' } });
    expect(parseRedisUrl('redis://host')).toMatchObject({ ok: true, value: { shown: 'redis://host' } });
  });

  it.each(['secret', 'http://secret@host', 'redis://', ''])('is refused without being shown: %s', (text) => {
    const url = parseRedisUrl(text);
    expect(url.ok).toBe(false);
    expect(JSON.stringify(url)).not.toContain('secret');
  });
});

it('a program is sent to every worker as its digest has it, also while the results in it grow', () => {
  const results: number[] = [];
  const chunk = {
    program: { ref: 1, wave: 2, fanOut: true, task: { id: 'a' }, surroundings: { tasks: { before: { results } } } },
  };
  const programs = new SentPrograms();
  const { digest } = programs.of(chunk as unknown as Chunk);
  results.push(1);
  expect(programDigest(programs.of(chunk as unknown as Chunk).message)).toBe(digest);
});

it('a job that comes again without a higher count is a replay', () => {
  const replays = new Replays();
  expect(replays.see(1, 1)).toBe('new');
  expect(replays.see(3, 1)).toBe('new');
  expect(replays.see(1, 1)).toBe('replayed');
  expect(replays.see(1, 2)).toBe('sent-again');
  expect(replays.see(1, 2)).toBe('replayed');
  expect(replays.see(2, 4)).toBe('new');
  for (let serial = 4; serial < 70_000; serial++) replays.see(serial, 1);
  expect(replays.see(1, 9)).toBe('replayed');
});

it('agents of a worker go to those that wait in order', () => {
  const slots = new AgentSlots(1);
  const started: string[] = [];
  const take = (name: string) => slots.take(() => started.push(name));
  expect(take('a')()).toBe(false);
  const withdraw = take('b');
  take('c');
  expect([withdraw(), withdraw()]).toEqual([true, false]);
  slots.giveBack(0);
  expect(started).toEqual(['a', 'c']);
});

it('workers on one host share its cores and its memory', () => {
  const beat = { session: 's', beat: 1, pid: 1, agents: 3, cores: 4, memoryBytes: 8, serves: [], root: '/', version: '1' };
  expect(
    fleetOf([
      { ...beat, host: 'a' },
      { ...beat, host: 'a' },
      { ...beat, host: 'b' },
    ]),
  ).toEqual({
    cores: 8,
    memoryBytes: 16,
    workers: { agents: 9, count: 3 },
  });
});

describe('a plan in a checkout', () => {
  const files = {
    'plans/a.yaml': 'version: 1\nname: a\ninclude: part.yaml\ntasks: { one: { uses: ../lib/one.mjs } }\n',
    'plans/part.yaml': 'params: { x: { type: integer, default: 1 } }\n',
    'lib/one.mjs': "import './two.mjs';\nexport default () => 1;\n",
    'lib/two.mjs': 'export const two = 2;\n',
  };
  function checkout(changes: Readonly<Record<string, string>> = {}): string {
    const folder = tempFolder();
    writeFiles(folder, { ...files, ...changes });
    return folder;
  }
  function identity(folder = checkout()): PlanIdentity {
    const plan = loadPlan(join(folder, 'plans/a.yaml'));
    if (!plan.ok) throw new Error(JSON.stringify(plan.error));
    return planIdentity(plan.value, folder);
  }

  it('is found where the coordinator has it, and elsewhere', () => {
    expect(findPlan(checkout(), identity(), {})).toMatchObject({ ok: true, value: { name: 'a' } });
    expect(findPlan(checkout(), { ...identity(), path: 'elsewhere.yaml' }, {})).toMatchObject({ ok: true });
  });

  it.each([
    ['plans/a.yaml', `${files['plans/a.yaml']}#\n`, 'plans/a.yaml is another version of it'],
    ['plans/part.yaml', 'params: { x: { type: integer, default: 2 } }\n', 'part.yaml is not as the coordinator has it'],
    ['lib/one.mjs', 'export default () => 1;\n', '../lib/one.mjs is not as the coordinator has it'],
    ['lib/two.mjs', 'export const two = 3;\n', '../lib/two.mjs is not as the coordinator has it'],
  ])('is another one where %s differs', (file, text, reason) => {
    expect(findPlan(checkout({ [file]: text }), identity(), {})).toMatchObject({
      ok: false,
      error: expect.stringContaining(reason),
    });
  });

  it('is never one that is outside', () => {
    const [root, outside] = [tempFolder(), checkout()];
    symlinkSync(join(outside, 'plans'), join(root, 'plans'));
    expect(findPlan(root, identity(), {})).toMatchObject({ ok: false });
    expect(findPlan(root, { ...identity(), path: `../${outside.split('/').at(-1)}/plans/a.yaml` }, {})).toMatchObject({
      ok: false,
    });
    expect([inside(root, 'plans/a.yaml'), inside(root, '/etc/hostname'), inside(root, '..')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('an outcome on its way', () => {
  const chunk = { id: 7, program: { task: { hash: 'h' } }, items: ['a', 'b', 'c'], first: 0, count: 3 } as unknown as Chunk;
  const about = { wave: 1, task_id: 't[0]', agent_id: 'agent_1', key: 'k', attempt: 1, started: 5, duration_ms: 2 };
  const parts = (results: string) => checkpointText(about, results);
  const line = (results: string) => closedRecord(Object.values(parts(results)).join(''));
  function success(...all: readonly string[]): SubtaskOutcome {
    let begin = 0;
    const results = all.flatMap((text) => {
      const at = begin + parts(text).before.length;
      begin += line(text).length;
      return [at, at + text.length];
    });
    const lines = Buffer.from(all.map(line).join(''));
    return { kind: 'success', position: 0, count: all.length, lines, results, durationsMs: all.map(() => 2), log: '' };
  }
  const large = `"${'x'.repeat(INLINE_LIMIT)}"`;

  it('goes as it is where it is small', () => {
    const outcome = success('1', '2') as Extract<SubtaskOutcome, { kind: 'success' }>;
    const [packed, ...more] = packOutcome(chunk, outcome, undefined);
    expect(more).toEqual([]);
    expect(packed?.message).toEqual({ type: 'outcome', chunk: 7, kind: 'success', position: 0, count: 2, log: '' });
    const { lines, results, durationsMs } = outcome;
    const read = readSuccessBytes(packed?.bytes ?? Buffer.alloc(0), 2);
    expect({ ...read, lines: Buffer.from(read.lines) }).toEqual({ lines, results, durationsMs });
  });

  it('fails alone where it is too large, and says what helps', () => {
    const packed = packOutcome(chunk, success('1', large, '3'), undefined);
    expect(
      packed.map(({ message, bytes }) => [
        message.kind,
        message.position,
        bytes && Buffer.from(readSuccessBytes(bytes, 1).lines).toString(),
      ]),
    ).toEqual([
      ['success', 0, line('1')],
      ['failure', 1, undefined],
      ['success', 2, line('3')],
    ]);
    expect(packed[1]?.message).toMatchObject({ outcome: { failure: { message: expect.stringContaining('--shared DIR') } } });
    const begin = parts('3').before.length;
    expect(readSuccessBytes(packed[2]?.bytes ?? Buffer.alloc(0), 1).results).toEqual([begin, begin + 1]);
  });

  it('goes by the shared folder where there is one', () => {
    const [packed] = packOutcome(chunk, success(large), tempFolder());
    expect(packed).toEqual({
      message: expect.objectContaining({
        kind: 'success',
        file: { name: expect.stringMatching(/^[0-9a-f]{24}\.ndjson$/), digest: expect.any(String) },
      }),
    });
  });
});
