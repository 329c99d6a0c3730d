import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROJECT } from '../../support/cli.js';

/** Files outside src/data that may use a reader of the engine, and why what they read is not data from outside. */
const ALLOWED: Readonly<Record<string, string>> = {
  'model/json.ts': 'texts of this program, in `ownJson`',
  'model/checkpoint.ts': 'records between threads',
  'worker/outcome-log.ts': 'records between threads',
  'execute/subtask-ends.ts': 'records between threads',
  'actions/launcher.ts': 'what our own shells say',
  'checkpoint/lock-again.ts': 'a file that this process wrote',
  'checkpoint/lock.ts': '/proc',
  'actions/process-stat.ts': '/proc',
  'execute/headroom.ts': '/proc and /sys',
  'scaling/system-files.ts': '/proc and /sys',
  'cli/package-version.ts': 'a file of the package',
  'cli/code-cache.ts': 'a file of the package',
  'cli/schema.ts': 'a file of the package',
  'remote/worker-service.ts': 'a file that this process wrote',
};

const READERS =
  /\bJSON\.parse\(|new TextDecoder\(|\.(?:toString|setEncoding)\('utf-?8'|, '(?:utf-?8)'\)|encoding: 'utf-?8'|StringDecoder/;

/** Files that may take a text to be JSON of this program. */
const TRUSTING = [
  'cli/package-version.ts',
  'execute/subtask-ends.ts',
  'model/checkpoint.ts',
  'model/json.ts',
  'model/lazy-json.ts',
  'plan/compare-plans.ts',
  'remote/channel.ts',
  'remote/fleet.ts',
  'remote/worker-service.ts',
  'worker/outcome-log.ts',
];

const SOURCE = join(PROJECT, 'src');
const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.startsWith('data/'))
  .map((file) => ({ file, text: readFileSync(join(SOURCE, file), 'utf8') }));

describe('data from outside has one entry, src/data', () => {
  it('so that no other file parses JSON or decodes text of others', () => {
    const using = files.filter(({ text }) => READERS.test(text)).map(({ file }) => file);
    expect(using.sort()).toEqual(Object.keys(ALLOWED).sort());
  });

  it('and only messages and records of this program are trusted', () => {
    const trusting = files.filter(({ text }) => text.includes('ownJson(')).map(({ file }) => file);
    expect(trusting.sort()).toEqual(TRUSTING);
  });
});
