import { chmodSync, cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { waveplan } from '../support/cli.js';
import { fault } from '../support/faults.js';
import { gitThatRuns, gitThatSignals, type Moment } from '../support/git-wrapper.js';
import { git, onlyRun, repository, tempFolder, writeFiles } from '../support/repository.js';

/** Every moment instead of a few: minutes. */
const ALL = process.env['WAVEPLAN_TEST_ALL_KILLS'] !== undefined;

function plan(mode: string, command: string): string {
  return `version: 1\nname: guarded\nbackup: ${mode}\ntasks: { a: { run: "${command}" } }\n`;
}

const DAMAGE = 'echo x > a.txt; rm part.txt; git add -A; rmdir empty; mkdir more; chmod 644 private.txt; rm .env';

/** Staged and partly staged changes, a mode that git does not keep, an empty folder and an ignored file. */
function work(mode: string, command = DAMAGE): string {
  const folder = repository({
    '.gitignore': '.env\n',
    'a.txt': 'a\n',
    'part.txt': 'one\n',
    'private.txt': 'p\n',
    'plan.yaml': plan(mode, command),
  });
  writeFiles(folder, { 'part.txt': 'two\n', 'staged.txt': 's\n', '.env': 'SECRET=1\n' });
  git(folder, 'add', 'part.txt', 'staged.txt');
  writeFiles(folder, { 'part.txt': 'three\n', 'new.txt': 'n\n' });
  mkdirSync(join(folder, 'empty'));
  chmodSync(join(folder, 'private.txt'), 0o600);
  return folder;
}

/** Files and folders with permissions and contents. */
function tree(folder: string): Record<string, string> {
  const entries: Record<string, string> = {};
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    if (/^(\.git|\.waveplan)(\/|$)|^\.env$/.test(name)) continue;
    const stat = lstatSync(join(folder, name));
    entries[name] = `${stat.mode.toString(8)} ${stat.isFile() ? readFileSync(join(folder, name), 'utf8') : ''}`;
  }
  return entries;
}

const index = (folder: string) => git(folder, 'ls-files', '--stage');
const head = (folder: string) => git(folder, 'rev-parse', 'HEAD');
const status = (folder: string) => git(folder, 'status', '--porcelain', '-uall');

function copyOf(folder: string): string {
  const copy = join(tempFolder(), 'copy');
  cpSync(folder, copy, { recursive: true, preserveTimestamps: true });
  return copy;
}

/** Runs a command that gets a signal, and whether it did. */
async function signalled(args: readonly string[], cwd: string, moment: Moment) {
  const bin = tempFolder();
  const done = await waveplan(args, { cwd, env: gitThatSignals(bin, moment) });
  const calls = existsSync(join(bin, 'calls')) ? readFileSync(join(bin, 'calls'), 'utf8').length : 0;
  return { ...done, hit: calls >= moment.call };
}

async function eachMoment(some: readonly Omit<Moment, 'signal'>[], test: (moment: Moment) => Promise<boolean>): Promise<void> {
  if (!ALL) {
    const hits = await Promise.all(some.map((moment) => test({ ...moment, signal: 'KILL' })));
    expect(hits).toEqual(some.map(() => true));
    return;
  }
  for (const when of ['before', 'after'] as const) {
    let call = 1;
    while (await test({ call, when, signal: 'KILL' })) call++;
    expect(call).toBeGreaterThan(10);
  }
}

const RUN = ['run', 'plan.yaml', '-y', '-q', '--overhead', '1ms'];
const TIMEOUT = ALL ? 600_000 : undefined;

describe('killed in the middle', () => {
  fault(
    45,
    'in wave 0: index, modes and files are as before, or as asked',
    [],
    async () => {
      for (const mode of ['commit', 'ref']) {
        // Without git in the task, every moment is one of wave 0.
        const original = work(mode, 'true');
        const before = { tree: tree(original), index: index(original), head: head(original), status: status(original) };
        const some =
          mode === 'commit'
            ? ([
                { call: 1, verb: 'add', when: 'after' },
                { call: 1, verb: 'commit', when: 'before' },
                { call: 1, verb: 'commit', when: 'after' },
                { call: 1, verb: 'log', when: 'before' },
              ] as const)
            : ([
                { call: 1, verb: 'add', when: 'after' },
                { call: 1, verb: 'update-ref', when: 'after' },
              ] as const);
        await eachMoment(some, async (moment) => {
          const folder = copyOf(original);
          const { hit, code } = await signalled(RUN, folder, moment);
          if (!hit || code === 0) return false;
          expect(tree(folder), JSON.stringify(moment)).toEqual(before.tree);
          if (index(folder) === before.index && head(folder) === before.head) expect(status(folder)).toBe(before.status);
          else {
            expect(mode).toBe('commit');
            expect(git(folder, 'log', '-1', '--format=%s %P')).toBe(`Backup before parallel operation: guarded ${before.head}`);
            // The index follows the branch: it is as before, or that of the commit.
            if (index(folder) !== before.index) expect(status(folder)).toBe('');
          }
          expect(existsSync(join(folder, '.git/index.lock'))).toBe(false);
          return true;
        });
      }
    },
    TIMEOUT,
  );

  fault(
    45,
    'in restore: a second restore finishes, with index, modes, empty folders and files as they were',
    [],
    async () => {
      for (const mode of ['commit', 'ref']) {
        const original = work(mode);
        const before = { tree: tree(original), status: status(original) };
        const ran = await waveplan(RUN, { cwd: original });
        expect(ran.code, ran.text).toBe(0);
        expect(tree(original)).not.toEqual(before.tree);
        const some = [
          { call: 2, verb: 'read-tree', when: 'after' },
          { call: 3, verb: 'read-tree', when: 'after' },
        ] as const;
        await eachMoment(some, async (moment) => {
          const folder = copyOf(original);
          const { hit, code } = await signalled(['restore', '-y'], folder, moment);
          if (!hit || code === 0) return false;
          const again = await waveplan(['restore', '-y'], { cwd: folder });
          expect(again.code, again.text).toBe(0);
          expect(tree(folder), JSON.stringify(moment)).toEqual(before.tree);
          expect(status(folder)).toBe(mode === 'ref' ? before.status : '');
          const third = await waveplan(['restore', '-y'], { cwd: folder });
          expect(third.stdout).toContain('nothing to restore');
          // Before and after, a restore names what it cannot bring back.
          expect(again.stdout.match(/ignored, and gone: \.env/g)?.length).toBe(
            again.stdout.includes('nothing to restore') ? 1 : 2,
          );
          return true;
        });
      }
    },
    TIMEOUT,
  );
});

test('Ctrl-C in wave 0 stops the run, whatever git says of it', async () => {
  const folder = work('commit');
  const before = { status: status(folder), head: head(folder) };
  const done = await signalled(RUN, folder, { call: 1, verb: 'add', when: 'before', signal: 'INT' });
  expect(done.code, done.text).toBe(130);
  expect(done.stderr).toContain('stopped by SIGINT');
  expect(done.stderr).not.toMatch(/git could not|fix what/);
  expect({ status: status(folder), head: head(folder) }).toEqual(before);
});

test('a backup that another run overtakes starts over, keeps the commit of the other and blames no hook', async () => {
  const folder = work('commit');
  const before = head(folder);
  const overtake = 'unset GIT_INDEX_FILE; "$git" add -A; "$git" commit -q -m "Backup before parallel operation: other"';
  const done = await waveplan([...RUN, '--state-dir', join(tempFolder(), 'state')], {
    cwd: folder,
    env: gitThatRuns(tempFolder(), 'commit', overtake),
  });
  expect(done.code, done.text).toBe(0);
  expect(done.stderr).not.toContain('hook');
  expect(git(folder, 'log', '--format=%s')).toBe('Backup before parallel operation: other\nStart\n');
  expect(head(folder)).not.toBe(before);
});

test('restore puts back an index, a mode and an empty folder when all files are equal', async () => {
  const folder = work('ref', 'git add -A; rmdir empty; chmod 644 private.txt');
  const before = { tree: tree(folder), index: index(folder) };
  expect((await waveplan(RUN, { cwd: folder })).code).toBe(0);
  const objects = git(folder, 'count-objects');
  const planned = await waveplan(['restore', '-n'], { cwd: folder });
  expect(planned.stdout).toContain('the git index is put back');
  expect(planned.stdout).toContain('1 permission is put back: private.txt');
  expect(planned.stdout).toContain('1 empty folder is brought back: empty/');
  expect(git(folder, 'count-objects')).toBe(objects);
  const restored = await waveplan(['restore', '-y'], { cwd: folder });
  expect(restored.code, restored.text).toBe(0);
  expect({ tree: tree(folder), index: index(folder) }).toEqual(before);
});

test('restore finds a backup by its ref when a task removed the state folder', async () => {
  for (const mode of ['commit', 'ref']) {
    const folder = work(mode, 'git clean -fdxq; echo x > a.txt');
    expect((await waveplan(RUN, { cwd: folder })).code).toBe(3);
    expect(existsSync(join(folder, '.waveplan/runs'))).toBe(false);
    const restored = await waveplan(['restore', '-y'], { cwd: folder });
    expect(restored.code, restored.text).toBe(0);
    expect(restored.stdout).toContain('refs/waveplan/backups/');
    expect(readFileSync(join(folder, 'a.txt'), 'utf8')).toBe('a\n');
    expect(readFileSync(join(folder, 'new.txt'), 'utf8')).toBe('n\n');
  }
});

test('restore writes nothing outside the folder, whatever the records say', async () => {
  const folder = work('ref', 'echo x > a.txt');
  expect((await waveplan(RUN, { cwd: folder })).code).toBe(0);
  const file = join(onlyRun(folder), 'surroundings.json');
  const surroundings = JSON.parse(readFileSync(file, 'utf8'));
  const manifest = join(onlyRun(folder), 'manifest.json');
  const text = readFileSync(manifest, 'utf8');
  const up = '../'.repeat(20);
  const tries: [string, string, RegExp][] = [
    [
      file,
      JSON.stringify({ ...surroundings, ignoreFiles: [{ path: `${up}${folder}-victim`, content: 'eA==' }] }),
      /surroundings\.json is damaged/,
    ],
    [
      file,
      JSON.stringify({ ...surroundings, emptyFolders: [`${up}${folder.slice(1)}-victim/`] }),
      /surroundings\.json is damaged/,
    ],
    [file, JSON.stringify({ ...surroundings, bytes: `--output=${folder}-victim` }), /surroundings\.json is damaged/],
    [
      manifest,
      text.replace(/"commit": "\w+"/, `"commit": "--output=${folder}-victim"`),
      /manifest\.json is damaged: its field backup/,
    ],
  ];
  for (const [at, planted, said] of tries) {
    const kept = readFileSync(at, 'utf8');
    writeFileSync(at, planted);
    for (const answer of ['--dry-run', '--yes']) {
      const done = await waveplan(['restore', answer], { cwd: folder });
      expect(done.code, done.text).toBeGreaterThan(1);
      expect(done.stderr).toMatch(said);
    }
    writeFileSync(at, kept);
  }
  expect(existsSync(`${folder}-victim`)).toBe(false);
  expect(readFileSync(join(folder, 'a.txt'), 'utf8')).toBe('x\n');
});
