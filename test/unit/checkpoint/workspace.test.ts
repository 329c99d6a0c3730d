import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openWorkspace, prepareState } from '../../../src/checkpoint/workspace.js';
import { problem, RUN, repository, sh, temporaryFolder, treeOf, value, write } from './repo.js';

describe('openWorkspace', () => {
  test('works in the git root that contains the plan', () => {
    const root = repository({ 'plans/deep/x.yaml': '' });
    const before = treeOf(root, []);
    expect(openWorkspace({ planFile: join(root, 'plans/deep/x.yaml') })).toEqual({
      folder: root,
      gitRoot: root,
      stateDir: join(root, '.waveplan'),
    });
    expect(treeOf(root, [])).toEqual(before);
  });

  test('works in --cwd, with the state in its git root', () => {
    const root = repository({ 'sub/x': '' });
    const plan = join(temporaryFolder(), 'x.yaml');
    expect(openWorkspace({ planFile: plan, cwd: join(root, 'sub') })).toEqual({
      folder: join(root, 'sub'),
      gitRoot: root,
      stateDir: join(root, '.waveplan'),
    });
  });

  test('works in the plan folder outside git', () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, '.git'));
    expect(openWorkspace({ planFile: join(folder, 'x.yaml'), stateDir: undefined })).toEqual({
      folder,
      gitRoot: undefined,
      stateDir: join(folder, '.waveplan'),
    });
  });

  test('takes --state-dir, and paths relative to the process', () => {
    const workspace = openWorkspace({ planFile: 'plans/x.yaml', cwd: '/', stateDir: 'state' });
    expect(workspace).toEqual({ folder: '/', gitRoot: undefined, stateDir: join(process.cwd(), 'state') });
  });

  test('knows linked work trees', () => {
    const root = repository({ a: '' });
    const linked = join(temporaryFolder(), 'w');
    sh(root, `git worktree add -q -b w ${linked}`);
    expect(openWorkspace({ planFile: join(linked, 'x.yaml') }).gitRoot).toBe(linked);
  });
});

describe('prepareState', () => {
  const open = (folder: string, stateDir?: string) => openWorkspace({ planFile: join(folder, 'x.yaml'), stateDir });

  test('creates the folders, unseen by git, and can be repeated', async () => {
    const root = repository({ a: '' });
    const folders = value(await prepareState(open(root), RUN));
    expect(folders).toEqual({ runDir: join(root, '.waveplan/runs', RUN), logsDir: join(root, '.waveplan/runs', RUN, 'logs') });
    expect(existsSync(folders.logsDir)).toBe(true);
    expect(readFileSync(join(root, '.waveplan/.gitignore'), 'utf8')).toBe('*\n');
    expect(sh(root, 'git status --porcelain')).toBe('');
    value(await prepareState(open(root), `${RUN}2`));
    expect(readdirSync(join(root, '.waveplan')).sort()).toEqual(['.gitignore', 'runs']);
  });

  test.each(['.waveplan', '.waveplan/runs', `.waveplan/runs/${RUN}`, '.waveplan/.gitignore'])(
    'refuses a link at %s and leaves its target',
    async (path) => {
      const folder = temporaryFolder();
      const elsewhere = temporaryFolder();
      mkdirSync(join(folder, path, '..'), { recursive: true });
      symlinkSync(path.endsWith('ignore') ? join(elsewhere, 'x') : elsewhere, join(folder, path));
      const found = problem(await prepareState(open(folder), RUN));
      expect(found.message).toContain('symbolic link');
      expect(found.hint).toContain('--state-dir');
      expect(readdirSync(elsewhere)).toEqual([]);
    },
  );

  test('refuses a link that leads nowhere', async () => {
    const folder = temporaryFolder();
    symlinkSync(join(folder, 'nowhere'), join(folder, '.waveplan'));
    problem(await prepareState(open(folder), RUN));
    expect(readdirSync(folder)).toEqual(['.waveplan']);
  });

  test("refuses a folder of the user's, and writes nothing there", async () => {
    const root = repository({ 'src/a.ts': '' });
    for (const stateDir of [root, join(root, 'src')]) {
      const before = treeOf(root, []);
      expect(problem(await prepareState(open(root, stateDir), RUN)).hint).toContain('--state-dir');
      expect(treeOf(root, [])).toEqual(before);
    }
  });

  test('refuses a .gitignore that would let the state into a backup', async () => {
    const folder = temporaryFolder();
    write(folder, { '.waveplan/.gitignore': '*.log\n' });
    expect(problem(await prepareState(open(folder), RUN)).message).toContain('.gitignore');
  });

  test('names the errno where it cannot write', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    expect(problem(await prepareState(open(folder, join(folder, 'file/state')), RUN)).message).toContain('ENOTDIR');
    expect(problem(await prepareState(open(folder, '/proc/state'), RUN)).message).toMatch(/E[A-Z]+/);
  });

  test('does not create the folder to work in', async () => {
    const folder = join(temporaryFolder(), 'missing');
    problem(await prepareState(openWorkspace({ planFile: 'x.yaml', cwd: folder }), RUN));
    expect(existsSync(folder)).toBe(false);
  });
});
