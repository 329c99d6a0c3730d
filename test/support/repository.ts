import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach } from 'vitest';
import type { Checkpoint } from '../../src/model/checkpoint.js';
import { cleanEnv } from './cli.js';

const made: string[] = [];
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A folder of its own, removed after the test. */
export function tempFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'waveplan-test-')));
  made.push(folder);
  return folder;
}

/** Writes files, with the folders they need. */
export function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

/** Runs git in a folder and returns what it printed. */
export function git(folder: string, ...args: readonly string[]): string {
  return execFileSync('git', args, { cwd: folder, env: cleanEnv(), encoding: 'utf8' });
}

/** A git repository with an identity and one commit of `files`. */
export function repository(files: Readonly<Record<string, string>>): string {
  const folder = tempFolder();
  git(folder, 'init', '-q', '-b', 'main');
  git(folder, 'config', 'user.name', 'Test');
  git(folder, 'config', 'user.email', 'test@example.org');
  writeFiles(folder, files);
  git(folder, 'add', '-A');
  git(folder, 'commit', '-q', '-m', 'Start', '--allow-empty');
  return folder;
}

/** The folder of the only run that a state folder holds. */
export function onlyRun(folder: string): string {
  const runs = join(folder, '.waveplan', 'runs');
  const ids = readdirSync(runs);
  const [id] = ids;
  if (ids.length !== 1 || id === undefined) throw new Error(`expected one run, found ${ids.join(', ')}`);
  return join(runs, id);
}

/** All checkpoints of a run, wave by wave, in the order they were written. */
export function checkpointsOf(runFolder: string): Checkpoint[] {
  return readdirSync(runFolder)
    .filter((name) => /^wave\d+\.ndjson$/.test(name))
    .sort((a, b) => Number(a.match(/\d+/)) - Number(b.match(/\d+/)))
    .flatMap((name) => readFileSync(join(runFolder, name), 'utf8').trimEnd().split('\n'))
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Checkpoint);
}

/** When the first wave of a run began, in milliseconds since the epoch: nothing of it can have started before. */
export function waveStartOf(runFolder: string): number {
  const lines = readFileSync(join(runFolder, 'events.ndjson'), 'utf8').trimEnd().split('\n');
  const events = lines.map((line) => JSON.parse(line) as { readonly type: string; readonly at: number });
  const start = events.find(({ type }) => type === 'wave-started');
  if (start === undefined) throw new Error('no wave has started');
  return start.at;
}
