import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROJECT, waveplan } from '../support/cli.js';
import { git, repository, writeFiles } from '../support/repository.js';

/** Every entry below a folder, with its kind, mode, time and content. */
function snapshot(folder: string): Map<string, string> {
  const entries = new Map<string, string>();
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const path = join(folder, name);
    const stat = lstatSync(path);
    const content = stat.isSymbolicLink() ? readlinkSync(path) : stat.isFile() ? readFileSync(path, 'base64') : '';
    entries.set(name, `${stat.mode} ${stat.mtimeMs} ${content}`);
  }
  return entries;
}

const PLAN = 'version: 1\nname: quiet\ntasks: { a: { run: touch made }, b: { needs: [a], run: touch more } }\n';

describe('plan', () => {
  it('writes nothing, nor does a dry run, in a repository with changes', async () => {
    const folder = repository({ 'plan.yaml': PLAN, 'file.txt': 'text' });
    writeFiles(folder, { 'file.txt': 'changed', 'new.txt': 'new' });
    git(folder, 'status'); // Lets git refresh its index now.
    const before = snapshot(folder);
    for (const args of [
      ['plan', 'plan.yaml'],
      ['run', 'plan.yaml', '--dry-run'],
      ['run', 'plan.yaml', '-n', '-y'],
      ['plan', 'plan.yaml', '--json'],
      ['validate', 'plan.yaml'],
    ]) {
      const done = await waveplan(args, { cwd: folder });
      expect(done.code, done.text).toBe(0);
      expect(snapshot(folder), args.join(' ')).toEqual(before);
    }
  });

  it('writes nothing for the quickstart', async () => {
    const watched = ['plans', 'src', 'schemas'].map((name) => join(PROJECT, name));
    const before = watched.map(snapshot);
    const state = readdirSync(PROJECT).sort();
    const runs = () => (readdirSync(PROJECT).includes('.waveplan') ? readdirSync(join(PROJECT, '.waveplan', 'runs')).sort() : []);
    const runsBefore = runs();
    const done = await waveplan(['plan', 'plans/quickstart.yaml'], { cwd: PROJECT });
    expect(done.code, done.text).toBe(0);
    expect(watched.map(snapshot)).toEqual(before);
    expect(readdirSync(PROJECT).sort()).toEqual(state);
    expect(runs()).toEqual(runsBefore);
  });

  it('refuses to run without a terminal and without --yes, and has done nothing', async () => {
    const folder = repository({ 'plan.yaml': PLAN });
    const before = snapshot(folder);
    const done = await waveplan(['run', 'plan.yaml'], { cwd: folder });
    expect(done.code).toBe(2);
    expect(done.stderr).toContain('--yes');
    expect(snapshot(folder)).toEqual(before);
  });

  it('prints the analysis as one JSON object', async () => {
    const folder = repository({ 'plan.yaml': PLAN });
    const done = await waveplan(['plan', 'plan.yaml', '--json'], { cwd: folder });
    const analysis = JSON.parse(done.stdout);
    expect(analysis).toMatchObject({ subtasks: 2, dependencies: 'shallow', pattern: 'pipeline', totalWaves: 2 });
    expect(analysis.decision.overhead).toMatchObject({ secondsPerAgent: 0.3, source: 'methodology' });
  });
});
