import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { waveplan } from '../support/cli.js';
import { checkpointsOf, onlyRun, repository, tempFolder, writeFiles } from '../support/repository.js';
import { inTerminal } from '../support/terminal.js';

const NAMES = ['plain', 'with space', "quo'te", '$(touch pwned)', '-n', 'ünïcode'];

/** Folders of several kinds, the offer that each gets first, and how many subtasks its plan has. */
const KINDS: readonly (readonly [string, string, () => string, number])[] = [
  ['an empty folder', 'hello', tempFolder, 4],
  [
    'texts under git',
    'count',
    () => repository(Object.fromEntries(NAMES.map((name) => [`${name}.md`, 'one\ntwo\n']))),
    1 + NAMES.length + 1 + 1,
  ],
  [
    'texts without git',
    'count',
    () => {
      const folder = tempFolder();
      writeFiles(folder, {
        ...Object.fromEntries(NAMES.map((name) => [`sub/${name}.txt`, 'x\n'])),
        'node_modules/left/out.md': 'x',
      });
      return folder;
    },
    // The plan file is one of the files by then.
    1 + NAMES.length + 1 + 1,
  ],
  [
    'media',
    'media',
    () => {
      const folder = tempFolder();
      writeFiles(folder, Object.fromEntries(NAMES.map((name) => [`${name}.JPG`, name])));
      return folder;
    },
    1 + NAMES.length + 1,
  ],
  [
    'a package',
    'checks',
    () =>
      repository({
        'package.json': JSON.stringify({
          scripts: { lint: 'true', 'test:unit': 'true', test: 'echo "Error: no test specified" && exit 1', start: 'sleep 1000' },
        }),
      }),
    3,
  ],
];

describe('init', () => {
  it.each(KINDS)('writes a plan for %s that runs (%s)', async (_, name, make, subtasks) => {
    const folder = make();
    const written = await waveplan(['init'], { cwd: folder });
    expect(written.code, written.text).toBe(0);
    expect(readFileSync(join(folder, 'plan.yaml'), 'utf8')).toContain(`name: ${name}\n`);
    const done = await waveplan(['run', 'plan.yaml', '--yes', '--overhead', '3ms'], { cwd: folder });
    expect(done.code, done.text).toBe(0);
    expect(checkpointsOf(onlyRun(folder))).toHaveLength(subtasks);
    expect(existsSync(join(folder, 'pwned'))).toBe(false);
  });

  it('offers a plan for tests where their runner is there, and runs it', async () => {
    const folder = tempFolder();
    const runner = '#!/bin/sh\n[ "$1" = run ] && test -f "$2"\n';
    const tests = Object.fromEntries(['a', 'b', 'c d'].map((name) => [`src/${name}.test.ts`, '']));
    writeFiles(folder, { ...tests, 'package.json': '{"devDependencies":{"vitest":"*"}}', 'node_modules/.bin/vitest': runner });
    chmodSync(join(folder, 'node_modules', '.bin', 'vitest'), 0o755);
    expect((await waveplan(['init', '--plan', 'tests', 'tests.yaml'], { cwd: folder })).code).toBe(0);
    const done = await waveplan(['run', 'tests.yaml', '--yes', '--overhead', '3ms'], { cwd: folder });
    expect(done.code, done.text).toBe(0);
    expect(checkpointsOf(onlyRun(folder))).toHaveLength(4);
  });

  it("offers Node's own runner where a test file asks for it", async () => {
    const folder = tempFolder();
    const test = "import test from 'node:test';\ntest('adds', () => {});\n";
    writeFiles(folder, { 'a.test.mjs': test, 'sub/b.test.mjs': test, 'sub/c d.test.mjs': test, 'sub/e.test.ts': 'not for node' });
    expect((await waveplan(['init'], { cwd: folder })).stdout).toContain('runs 3 test files side by side with node --test');
    const done = await waveplan(['run', 'plan.yaml', '--yes', '--overhead', '3ms'], { cwd: folder });
    expect(done.code, done.text).toBe(0);
    expect(checkpointsOf(onlyRun(folder))).toHaveLength(4);
  });

  it('replaces nothing unless told, and writes nothing when dry', async () => {
    const folder = tempFolder();
    writeFiles(folder, { 'plan.yaml': 'mine' });
    expect(await waveplan(['init'], { cwd: folder })).toMatchObject({ code: 2, stderr: expect.stringContaining('--force') });
    const dry = await waveplan(['init', '--dry-run'], { cwd: folder });
    expect(dry).toMatchObject({ code: 0, stdout: expect.stringContaining('name: hello') });
    expect(readFileSync(join(folder, 'plan.yaml'), 'utf8')).toBe('mine');
    const again = await waveplan(['init', '--force'], { cwd: folder, env: { npm_command: 'exec' } });
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('\n  npx waveplan run plan.yaml') });
    expect(readFileSync(join(folder, 'plan.yaml'), 'utf8')).toContain('name: hello');
    expect(await waveplan(['init', '--plan', 'nothing', 'other.yaml'], { cwd: folder })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('hello'),
    });
  });

  it('asks which one in a terminal', async () => {
    const folder = repository({ 'a.md': 'x', 'b.md': 'x', 'c.md': 'x', 'package.json': '{"scripts":{"lint":"true"}}' });
    const terminal = inTerminal(['init'], folder);
    await terminal.waitFor('3. hello');
    await terminal.waitFor('Which one?');
    terminal.type('9\r');
    await terminal.waitFor('from 1 to 3');
    await terminal.waitFor('Which one?');
    terminal.type('2\r');
    await terminal.waitFor('Written: plan.yaml');
    expect(await terminal.exit).toBe(0);
    expect(readFileSync(join(folder, 'plan.yaml'), 'utf8')).toContain('name: count\n');
  });
});
