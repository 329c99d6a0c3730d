import { chmodSync, existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { waveplan } from '../support/cli.js';
import { git, onlyRun, repository, tempFolder, writeFiles } from '../support/repository.js';

/** Kind, executable bit and content of every entry outside `.git` and the state folder. */
function tree(folder: string): Record<string, string> {
  const entries: Record<string, string> = {};
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    if (/^(\.git|\.waveplan)(\/|$)/.test(name)) continue;
    const path = join(folder, name);
    const stat = lstatSync(path);
    if (stat.isSymbolicLink()) entries[name] = `link ${readlinkSync(path)}`;
    else if (stat.isFile()) entries[name] = `${stat.mode & 0o100 ? 'executable' : 'file'} ${readFileSync(path, 'base64')}`;
  }
  return entries;
}

const DAMAGE = [
  "printf broken > 'kept file.txt'",
  'rm changed.txt staged.txt',
  'rm -rf src && printf x > src',
  'mv tool.sh renamed.sh',
  'rm link && mkdir link && touch link/inside',
  'mkdir -p new/deep && printf new > new/deep/file',
  'printf "*\\n" > .gitignore',
  'printf more >> untracked.txt',
  'rm -f "name\\nwith \\"quotes\\".txt" 2>/dev/null; printf made > added-by-run.txt',
  'git add -A && git -c user.name=x -c user.email=x@y commit -qm "the run commits too" || true',
  'printf even-later > later.txt',
].join('\n      ');

function plan(mode: string): string {
  return `version: 1\nname: damage everything\nbackup: ${mode}\ntasks:\n  damage:\n    run: |\n      ${DAMAGE}\n`;
}

/** A repository with changed, staged, added, deleted and ignored files, links, modes and difficult names. */
function busyRepository(mode: string): string {
  const folder = repository({
    '.gitignore': '*.log\nbuild/\n',
    'kept file.txt': 'kept',
    'changed.txt': 'before',
    'staged.txt': 'before',
    'deleted.txt': 'gone soon',
    'src/deep/code.ts': 'export {};\n',
    'tool.sh': '#!/bin/sh\n',
    'plan.yaml': plan(mode),
  });
  chmodSync(join(folder, 'tool.sh'), 0o755);
  symlinkSync('changed.txt', join(folder, 'link'));
  git(folder, 'add', '-A');
  git(folder, 'commit', '-qm', 'Tool and link');
  writeFiles(folder, {
    'changed.txt': 'changed, not staged',
    'staged.txt': 'staged',
    'untracked.txt': 'untracked',
    'größe 🌊.txt': 'unicode',
    'name\nwith "quotes".txt': 'odd',
    'trace.log': 'ignored',
    'build/out.bin': 'ignored too',
  });
  git(folder, 'add', 'staged.txt');
  git(folder, 'rm', '-q', 'deleted.txt');
  return folder;
}

describe.each(['commit', 'ref'])('backup: %s', (mode) => {
  it('restore brings back the tree that a run damaged, and leaves ignored files and the branch alone', async () => {
    const folder = busyRepository(mode);
    const before = tree(folder);
    const statusBefore = git(folder, 'status', '--porcelain=v1', '-z');
    const headBefore = git(folder, 'rev-parse', 'HEAD');
    const ran = await waveplan(['run', 'plan.yaml', '--yes'], { cwd: folder });
    expect(ran.code, ran.text).toBe(0);
    expect(tree(folder)).not.toEqual(before);
    writeFiles(folder, { 'trace.log': 'ignored, and written after the backup' });
    const headAfter = git(folder, 'rev-parse', 'HEAD');

    const restored = await waveplan(['restore', basename(onlyRun(folder)), '--yes'], { cwd: folder });
    expect(restored.code, restored.text).toBe(0);
    expect(tree(folder)).toEqual({
      ...before,
      'trace.log': `file ${Buffer.from('ignored, and written after the backup').toString('base64')}`,
    });
    expect(git(folder, 'rev-parse', 'HEAD')).toBe(headAfter);
    if (mode === 'ref') {
      git(folder, 'reset', '-q', '--soft', headBefore.trim());
      expect(git(folder, 'status', '--porcelain=v1', '-z')).toBe(statusBefore);
    }
  });

  it('makes the backup before anything runs, and says what it is', async () => {
    const folder = busyRepository(mode);
    const head = git(folder, 'rev-parse', 'HEAD').trim();
    const index = git(folder, 'diff', '--cached', '--name-status');
    writeFiles(folder, {
      'plan.yaml': `version: 1\nname: look\nbackup: ${mode}\ntasks: { look: { run: 'git log -1 --format=%s; git status --porcelain', output: lines } }\n`,
    });
    const ran = await waveplan(['run', 'plan.yaml', '--yes'], { cwd: folder });
    expect(ran.code, ran.text).toBe(0);
    const manifest = JSON.parse(readFileSync(join(onlyRun(folder), 'manifest.json'), 'utf8'));
    expect(manifest.backup.mode).toBe(mode);
    if (mode === 'commit') {
      expect(git(folder, 'log', '-1', '--format=%s').trim()).toBe('Backup before parallel operation: look');
      expect(git(folder, 'status', '--porcelain')).toBe('');
    } else {
      expect(git(folder, 'rev-parse', 'HEAD').trim()).toBe(head);
      expect(git(folder, 'diff', '--cached', '--name-status')).toBe(index);
      expect(git(folder, 'rev-parse', manifest.backup.ref).trim()).toBe(manifest.backup.commit);
    }
    expect(git(folder, 'show', `${manifest.backup.commit}:untracked.txt`)).toBe('untracked');
    expect(git(folder, 'ls-tree', '-r', '--name-only', manifest.backup.commit)).not.toMatch(/\.log|build\/|\.waveplan/);
  });
});

describe('no backup, no run', () => {
  const ASK = 'version: 1\nname: x\ntasks: { a: { run: touch ran } }\n';

  it('needs no commit on a clean tree: HEAD is the backup', async () => {
    const folder = repository({ 'plan.yaml': ASK });
    const head = git(folder, 'rev-parse', 'HEAD');
    expect((await waveplan(['run', 'plan.yaml', '-y'], { cwd: folder })).code).toBe(0);
    expect(git(folder, 'rev-parse', 'HEAD')).toBe(head);
  });

  it('outside a repository, exits 3 with the way out before any subtask', async () => {
    const folder = tempFolder();
    writeFiles(folder, { 'plan.yaml': ASK });
    const done = await waveplan(['run', 'plan.yaml', '-y'], { cwd: folder });
    expect(done.code).toBe(3);
    expect(done.stderr).toContain('git init');
    expect(done.stderr).toContain('--backup none');
    expect(existsSync(join(folder, 'ran'))).toBe(false);
    expect((await waveplan(['run', 'plan.yaml', '-y', '--backup', 'none'], { cwd: folder })).code).toBe(0);
  });

  it('in the middle of a merge, exits 3 with the way out and leaves the merge as it is', async () => {
    const folder = repository({ 'plan.yaml': ASK, 'a.txt': 'a' });
    git(folder, 'checkout', '-q', '-b', 'side');
    writeFiles(folder, { 'a.txt': 'side' });
    git(folder, 'commit', '-qam', 'side');
    git(folder, 'checkout', '-q', 'main');
    writeFiles(folder, { 'a.txt': 'main' });
    git(folder, 'commit', '-qam', 'main');
    expect(() => git(folder, 'merge', 'side')).toThrow();
    const status = git(folder, 'status', '--porcelain');
    for (const mode of ['commit', 'ref']) {
      const done = await waveplan(['run', 'plan.yaml', '-y', '--backup', mode], { cwd: folder });
      expect(done.code).toBe(3);
      expect(done.stderr).toMatch(/merge/);
    }
    expect(git(folder, 'status', '--porcelain')).toBe(status);
    expect(existsSync(join(folder, 'ran'))).toBe(false);
  });

  it('without an identity or with a hook that refuses, exits 3 and leaves the index as it was', async () => {
    const folder = repository({ 'plan.yaml': ASK, '.hooks/pre-commit': '#!/bin/sh\necho the hook says no >&2\nexit 1\n' });
    chmodSync(join(folder, '.hooks/pre-commit'), 0o755);
    git(folder, 'config', 'core.hooksPath', '.hooks');
    writeFiles(folder, { 'new.txt': 'new' });
    const status = git(folder, 'status', '--porcelain');
    const refused = await waveplan(['run', 'plan.yaml', '-y'], { cwd: folder });
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain('the hook says no');
    expect(git(folder, 'status', '--porcelain')).toBe(status);
    git(folder, 'config', '--unset', 'core.hooksPath');
    git(folder, 'config', '--unset', 'user.email');
    git(folder, 'config', 'user.useConfigOnly', 'true');
    const nameless = await waveplan(['run', 'plan.yaml', '-y'], { cwd: folder });
    expect(nameless.code).toBe(3);
    expect(nameless.stderr).toContain('user.email');
    expect(git(folder, 'status', '--porcelain')).toBe(status);
    expect(existsSync(join(folder, 'ran'))).toBe(false);
    expect((await waveplan(['run', 'plan.yaml', '-y', '--backup', 'ref'], { cwd: folder })).code).toBe(0);
  });

  it('refuses to restore a run that made no backup', async () => {
    const folder = repository({ 'plan.yaml': ASK });
    await waveplan(['run', 'plan.yaml', '-y', '--backup', 'none'], { cwd: folder });
    const done = await waveplan(['restore', '-y'], { cwd: folder });
    expect(done.code).toBe(2);
    expect(done.stderr).toContain('no backup');
  });
});
