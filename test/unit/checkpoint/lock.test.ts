import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { acquireLock } from '../../../src/checkpoint/lock.js';
import { problem, temporaryFolder, value } from './repo.js';

const GONE = spawnSync('true').pid;

/** A lock or claim as a process leaves it that was killed. */
function holder(id: string, pid = GONE): string {
  return JSON.stringify({ id, pid, host: hostname(), started: null, boot: null, purpose: `run ${id}`, since: 'then' });
}

function stateDir(files: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

const acquire = (folder: string) => acquireLock(folder, { purpose: 'test', now: 0 });

describe('the lock of a process that was killed', () => {
  test.each([
    ['at work', {}],
    ['while it broke another lock', { '.lock.aa.tmp': holder('bb') }],
    ['while it broke the claim of one that was killed so, too', { '.lock.aa.tmp': holder('bb'), '.lock.bb.tmp': holder('cc') }],
  ])('%s is broken, and nothing of it stays', async (_, claims) => {
    const folder = stateDir({ lock: holder('aa'), ...claims });
    const lock = value(await acquire(folder));
    expect(lock.broken).toMatch(/run aa.* was broken/);
    expect(readdirSync(folder)).toEqual(['lock']);
    expect(JSON.parse(readFileSync(join(folder, 'lock'), 'utf8'))).toMatchObject({ pid: process.pid });
    await lock.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('is left to whoever is just breaking it', async () => {
    const folder = stateDir({ lock: holder('aa'), '.lock.aa.tmp': holder('bb', process.pid) });
    expect(problem(await acquire(folder)).message).toContain('another waveplan is just breaking the lock');
    expect(readdirSync(folder).sort()).toEqual(['.lock.aa.tmp', 'lock']);
  });

  test('goes to one of many who want it', async () => {
    const folder = stateDir({ lock: holder('aa'), '.lock.aa.tmp': holder('bb') });
    const all = await Promise.all(Array.from({ length: 12 }, () => acquire(folder)));
    const held = all.filter((one) => one.ok);
    expect(held).toHaveLength(1);
    expect(readdirSync(folder)).toEqual(['lock']);
  });
});
