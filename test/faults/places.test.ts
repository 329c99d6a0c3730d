import { cpSync, existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, renameSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect } from 'vitest';
import { waveplan } from '../support/cli.js';
import { fault } from '../support/faults.js';
import { git, onlyRun, repository, tempFolder, writeFiles } from '../support/repository.js';

const PLAN = `version: 1
name: places
tasks:
  a: { run: echo a >> out.txt }
  b: { needs: [a], run: "test -f go && echo b >> out.txt", retries: { max: 0 } }
`;

/** Every file below a folder, its git and state folders too. */
function allOf(folder: string): Record<string, string> {
  const files: Record<string, string> = {};
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const path = join(folder, name);
    const stat = lstatSync(path);
    if (stat.isSymbolicLink()) files[name] = `link ${readlinkSync(path)}`;
    else if (stat.isFile()) files[name] = `${stat.mode.toString(8)} ${stat.mtimeMs} ${readFileSync(path, 'base64')}`;
  }
  return files;
}

/** A project with a run that failed in its second wave. */
async function project(): Promise<string> {
  const folder = repository({ 'plan.yaml': PLAN, 'kept.txt': 'before\n' });
  writeFiles(folder, { 'kept.txt': 'changed\n' });
  const done = await waveplan(['run', 'plan.yaml', '-y', '-q', '--overhead', '1ms'], { cwd: folder });
  expect(done.code, done.text).toBe(1);
  return folder;
}

const READERS = [['status'], ['list'], ['report'], ['explain', 'b'], ['resume', '--dry-run'], ['restore', '--dry-run']];

async function expectToRead(folder: string): Promise<void> {
  const told = await Promise.all(READERS.map((args) => waveplan(args, { cwd: folder })));
  for (const [at, done] of told.entries()) expect(done.code, `${READERS[at]}: ${done.text}`).toBe(0);
  expect(told[0]?.stdout).toContain('a: 1 of 1 done');
  expect(told[3]?.stdout).toContain(join(folder, 'plan.yaml'));
  expect(told[5]?.stdout).toContain(folder);
}

/** Resumes and restores a project by a command that is started in `cwd`. */
async function expectToWork(folder: string, cwd: string, args: readonly string[]): Promise<void> {
  writeFiles(folder, { go: '' });
  const resumed = await waveplan(['resume', '--resume-failed', '-y', '-q', ...args], { cwd });
  expect(resumed.code, resumed.text).toBe(0);
  expect(readFileSync(join(folder, 'out.txt'), 'utf8')).toBe('a\nb\n');
  const restored = await waveplan(['restore', '-y', ...args], { cwd });
  expect(restored.code, restored.text).toBe(0);
  expect(existsSync(join(folder, 'out.txt'))).toBe(false);
  expect(readFileSync(join(folder, 'kept.txt'), 'utf8')).toBe('changed\n');
}

describe('a project that is somewhere else now', () => {
  fault(
    41,
    'a copy, a moved project and a clone: every verb acts where it stands and leaves the original alone',
    [],
    async () => {
      const original = await project();
      const copies = tempFolder();
      const [copy, other, moved] = [join(copies, 'copy'), join(copies, 'other'), join(copies, 'deep/moved')];
      cpSync(original, copy, { recursive: true, verbatimSymlinks: true });
      cpSync(original, other, { recursive: true, verbatimSymlinks: true });
      writeFiles(original, { 'kept.txt': 'edited in the original\n', 'out.txt': 'of the original\n' });
      const before = allOf(original);

      await expectToRead(copy);
      await expectToWork(copy, copy, []);
      await expectToWork(other, original, ['-C', other]);
      expect(allOf(original)).toEqual(before);

      git(copies, 'clone', '-q', original, 'clone');
      for (const verb of ['restore', 'resume', 'status']) {
        const done = await waveplan([verb], { cwd: join(copies, 'clone') });
        expect(done.code, done.text).toBe(2);
        expect(done.stderr).toContain(join(copies, 'clone/.waveplan'));
      }

      writeFiles(copies, { 'deep/x': '' });
      const again = await project();
      renameSync(again, moved);
      await expectToRead(moved);
      await expectToWork(moved, moved, []);
      expect(existsSync(again)).toBe(false);
      expect(allOf(original)).toEqual(before);
    },
  );

  fault(41, 'a record of another place is refused, and the message names both places', [], async () => {
    const original = await project();
    const copy = join(tempFolder(), 'copy');
    cpSync(original, copy, { recursive: true });
    const file = join(onlyRun(copy), 'manifest.json');
    const manifest = JSON.parse(readFileSync(file, 'utf8'));
    const before = allOf(original);
    const planted = [
      // As earlier versions wrote it.
      { ...manifest, folder: original, plan: { ...manifest.plan, file: join(original, 'plan.yaml') } },
      { ...manifest, folder: relative(join(copy, '.waveplan'), original) },
    ];
    const tries = [['status'], ['explain', 'b'], ['resume', '-y'], ['restore', '-y'], ['restore', '-y', '-C', copy]];
    for (const record of planted) {
      writeFileSync(file, JSON.stringify(record));
      const told = await Promise.all(tries.map((args) => waveplan(args, { cwd: copy })));
      for (const [at, done] of told.entries()) {
        expect(done.code, `${tries[at]}: ${done.text}`).toBe(2);
        expect(done.stderr).toContain(`worked in ${original}`);
        expect(done.stderr).toContain(`this command is for ${copy}`);
      }
    }
    writeFileSync(file, JSON.stringify({ ...manifest, backup: { ...manifest.backup, commit: 'c'.repeat(40) } }));
    const missing = await waveplan(['restore', '-y'], { cwd: copy });
    expect(missing.code, missing.text).toBe(3);
    expect(missing.stderr).toContain(`is not in the repository ${copy}`);
    expect(allOf(original)).toEqual(before);

    // With a state folder elsewhere, a copy of the project does not act on the original either.
    const state = join(tempFolder(), 'state');
    const done = await waveplan(['run', 'plan.yaml', '-y', '-q', '--overhead', '1ms', '--state-dir', state], { cwd: copy });
    expect(done.code, done.text).toBe(1);
    const third = join(tempFolder(), 'third');
    cpSync(copy, third, { recursive: true });
    const refused = await waveplan(['restore', '-y', '--state-dir', state], { cwd: third });
    expect(refused.code, refused.text).toBe(2);
    expect(refused.stderr).toContain(copy);
    expect(refused.stderr).toContain(third);
    const named = await waveplan(['restore', '-y', '--state-dir', state, '-C', copy], { cwd: third });
    expect(named.code, named.text).toBe(0);
  });
});
