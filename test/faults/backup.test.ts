import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { waveplan } from '../support/cli.js';
import { fault } from '../support/faults.js';
import { git, repository, tempFolder, writeFiles } from '../support/repository.js';

const PLAN = 'version: 1\nname: guarded\ntasks: { a: { run: touch ran } }\n';

/** A repository with something to back up. */
function changed(files: Readonly<Record<string, string>> = {}): string {
  const folder = repository({ 'plan.yaml': PLAN, 'kept.txt': 'before\n', '.gitignore': 'ran\n', ...files });
  writeFiles(folder, { 'kept.txt': 'changed\n' });
  return folder;
}

function merging(): string {
  const folder = repository({ 'plan.yaml': PLAN, 'x.txt': 'one\n' });
  git(folder, 'checkout', '-q', '-b', 'side');
  writeFiles(folder, { 'x.txt': 'two\n' });
  git(folder, 'commit', '-qam', 'side');
  git(folder, 'checkout', '-q', 'main');
  writeFiles(folder, { 'x.txt': 'three\n' });
  git(folder, 'commit', '-qam', 'main');
  expect(() => git(folder, 'merge', 'side')).toThrow();
  return folder;
}

function withHook(): string {
  const folder = changed({ '.hooks/pre-commit': '#!/bin/sh\necho "not like this" >&2\nexit 1\n' });
  git(folder, 'update-index', '--chmod=+x', '.hooks/pre-commit');
  git(folder, 'checkout-index', '-f', '.hooks/pre-commit');
  git(folder, 'config', 'core.hooksPath', '.hooks');
  return folder;
}

function nobody(): string {
  const folder = changed();
  git(folder, 'config', '--unset', 'user.email');
  git(folder, 'config', 'user.useConfigOnly', 'true');
  return folder;
}

function detached(): string {
  const folder = changed();
  git(folder, 'checkout', '-q', '--detach');
  return folder;
}

/** A submodule whose own files changed: a commit around it would not hold them. */
function withSubmodule(): string {
  const inner = repository({ 'inner.txt': 'inner\n' });
  const folder = repository({ 'plan.yaml': PLAN });
  git(folder, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', inner, 'sub');
  git(folder, 'commit', '-qm', 'Add the submodule');
  writeFiles(folder, { 'sub/inner.txt': 'changed\n' });
  return folder;
}

function nowhere(): string {
  const folder = tempFolder();
  writeFiles(folder, { 'plan.yaml': PLAN });
  return folder;
}

describe('backup', () => {
  fault(21, 'where no backup can be made, exit 3 with the way out, before any subtask, and no half-made commit', [], async () => {
    const cases = { nowhere, merging, withHook, nobody, detached, withSubmodule };
    const told = {
      nowhere: /not in a git repository[\s\S]*git init/,
      merging: /merge is in progress[\s\S]*git merge --abort/,
      withHook: /hook[\s\S]*not like this/,
      nobody: /user\.(name|email)/,
      detached: /HEAD is detached[\s\S]*git switch -c/,
      withSubmodule: /submodule/,
    };
    for (const [name, make] of Object.entries(cases)) {
      const folder = make();
      const look = () =>
        name === 'nowhere'
          ? ''
          : [git(folder, 'rev-parse', 'HEAD'), git(folder, 'status', '--porcelain'), git(folder, 'diff', '--cached')].join('\n');
      const before = look();
      const done = await waveplan(['run', 'plan.yaml', '-y', '--overhead', '1ms'], { cwd: folder });
      expect(done.code, `${name}: ${done.text}`).toBe(3);
      expect(done.stderr, name).toMatch(told[name as keyof typeof told]);
      expect(existsSync(join(folder, 'ran')), name).toBe(false);
      expect(look(), name).toBe(before);
    }
  });

  fault(22, 'restore undoes edits, additions and deletions, and leaves ignored files alone', [], async () => {
    const folder = repository({
      '.gitignore': '*.log\n',
      'edited.txt': 'before\n',
      'deleted.txt': 'still here\n',
      'deep/in/folder.txt': 'deep\n',
      'plan.yaml': `version: 1
name: busy
tasks:
  edit: { run: 'echo after > edited.txt; rm -r deleted.txt deep; mkdir new; echo new > new/file; echo more >> kept.log; echo made > made.log' }
`,
    });
    writeFiles(folder, { 'kept.log': 'ignored\n', 'untracked.txt': 'mine\n' });
    const tree = () =>
      Object.fromEntries(
        readdirSync(folder, { recursive: true, encoding: 'utf8' })
          .filter((name) => !/^\.(git|waveplan)(\/|$)/.test(name) && /\.(txt|yaml)$|file$/.test(name))
          .sort()
          .map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
      );
    const before = tree();
    expect((await waveplan(['run', 'plan.yaml', '-y', '-q', '--overhead', '1ms'], { cwd: folder })).code).toBe(0);
    expect(tree()).not.toEqual(before);
    const restored = await waveplan(['restore', '--yes'], { cwd: folder });
    expect(restored.code, restored.text).toBe(0);
    expect(tree()).toEqual(before);
    expect(readFileSync(join(folder, 'kept.log'), 'utf8')).toBe('ignored\nmore\n');
    expect(existsSync(join(folder, 'made.log'))).toBe(true);
    rmSync(join(folder, 'made.log'));
  });
});

describe('the clock', () => {
  fault(23, 'jumps back, or the machine sleeps: no negative duration, and time-outs are right', [], async () => {
    for (const jumpMs of [-3_600_000, 8 * 3_600_000]) {
      const folder = tempFolder();
      writeFiles(folder, {
        // In every thread, the wall clock jumps a moment after the start; the monotonic one does not.
        'jump.mjs': `const real = Date.now, from = performance.now();
Date.now = () => real() + (performance.now() - from > 150 ? ${jumpMs} : 0);`,
        'work.mjs': 'export default (ms) => new Promise((resolve) => setTimeout(resolve, ms));',
        'plan.yaml': `version: 1
name: odd-times
backup: none
tasks:
  short: { foreach: [1, 50, 100, 200, 300, 400], uses: ./work.mjs, with: "\${{ item }}", timeout: 20s }
  long: { run: sleep 60, timeout: 600ms }
`,
      });
      const done = await waveplan(['run', 'plan.yaml', '-y', '-k', '--json', '-j', '3', '--overhead', '1ms'], {
        cwd: folder,
        env: { NODE_OPTIONS: `--import ${join(folder, 'jump.mjs')}` },
      });
      expect(done.code, done.text).toBe(1);
      const events = done.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      const checkpoints = events.flatMap((event) => (event.type === 'subtask-finished' ? [event.checkpoint] : []));
      expect(checkpoints).toHaveLength(7);
      for (const { task_id, status, duration_ms, error } of checkpoints) {
        expect(duration_ms, task_id).toBeGreaterThanOrEqual(0);
        expect(duration_ms, task_id).toBeLessThan(20_000);
        if (task_id === 'long') expect(error).toMatchObject({ kind: 'timeout', message: 'timed out after 600 ms' });
        else expect(status, task_id).toBe('success');
      }
      const times = events.map(({ at }) => at);
      expect(times).toEqual([...times].sort((a, b) => a - b));
      expect(events.at(-1).durationMs).toBeLessThan(60_000);
    }
  });
});
