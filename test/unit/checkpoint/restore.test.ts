import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeBackup } from '../../../src/checkpoint/backup.js';
import { isRestored } from '../../../src/checkpoint/compare-backup.js';
import { planRestore, restore } from '../../../src/checkpoint/restore.js';
import type { Backup } from '../../../src/model/run-event.js';
import { prepared, problem, RUN, repository, sh, treeOf, value, write } from './repo.js';

const MODES = ['commit', 'ref'] as const;

/** A repository in the middle of somebody's work: changed, staged, both, deleted, added, ignored, linked, oddly named. */
function workInProgress(): string {
  const root = repository({
    '.gitignore': '*.log\nbuild/\n!keep.log\n',
    'a.txt': 'a\n',
    'b.txt': 'b\n',
    'gone.txt': 'gone\n',
    'dir/c.txt': 'c\n',
    'dir/sub/d.txt': 'd\n',
    'sub/.gitignore': 'local\n',
    'sub/e.txt': 'e\n',
    'swap-file': 'file\n',
    'swap-folder/x': 'x\n',
    'run.sh': '#!/bin/sh\n',
  });
  chmodSync(join(root, 'run.sh'), 0o755);
  symlinkSync('a.txt', join(root, 'link'));
  write(root, {
    'a.txt': 'a changed\n',
    'new.txt': 'new\n',
    'staged.txt': 'staged\n',
    'name with space': '1',
    'ü "quoted" \\ ünï': '2',
    'line\nbreak': '3',
    ':(top)magic': '4',
    '-rf': '5',
    'keep.log': 'kept',
    'x.log': 'ignored',
    'build/out/bin': 'ignored',
    'sub/local': 'ignored',
    'cache/.gitignore': '*\n',
    'cache/data/blob': 'ignored by itself',
  });
  mkdirSync(join(root, 'empty/inner'), { recursive: true });
  chmodSync(join(root, 'a.txt'), 0o600);
  chmodSync(join(root, 'dir/sub'), 0o700);
  sh(root, 'git add staged.txt && echo more >> staged.txt && rm gone.txt && git rm -q b.txt && git add --chmod=+x dir/c.txt');
  return root;
}

const DAMAGE: Readonly<Record<string, (root: string) => void>> = {
  nothing: () => undefined,
  edits: (root) =>
    write(root, { 'a.txt': 'x', 'dir/c.txt': 'x', 'new.txt': 'x', 'name with space': 'x', ':(top)magic': 'x', '-rf': 'x' }),
  deletes: (root) => {
    for (const path of ['a.txt', 'dir', 'new.txt', 'staged.txt', 'link', 'line\nbreak', 'empty', 'sub/.gitignore'])
      rmSync(join(root, path), { recursive: true });
  },
  'rm of everything': (root) =>
    sh(
      root,
      'find . -mindepth 1 -maxdepth 1 ! -name .git ! -name .waveplan ! -name build ! -name cache ! -name sub ! -name "*.log" -exec rm -rf {} +; find sub -type f ! -name local -delete',
    ),
  renames: (root) => {
    renameSync(join(root, 'a.txt'), join(root, 'b.txt'));
    renameSync(join(root, 'dir'), join(root, 'dir2'));
    renameSync(join(root, 'ü "quoted" \\ ünï'), join(root, 'dir2/ü'));
  },
  chmod: (root) => {
    chmodSync(join(root, 'a.txt'), 0o644);
    chmodSync(join(root, 'new.txt'), 0o666);
    chmodSync(join(root, 'dir'), 0o777);
    chmodSync(join(root, 'run.sh'), 0o644);
    chmodSync(join(root, 'new.txt'), 0o755);
  },
  additions: (root) => {
    write(root, {
      'more/deep/er/file': '1',
      'dir/more': '2',
      'b.txt': 'back',
      'odd\nname ü': '3',
      ':!x': '4',
      'gone.txt': 'other',
      'empty/inner/file': '5',
    });
    mkdirSync(join(root, 'hollow/folders'), { recursive: true });
    symlinkSync('/etc', join(root, 'etc'));
  },
  'an emptied .gitignore': (root) => write(root, { '.gitignore': '', 'y.txt': 'new' }),
  'a removed .gitignore': (root) => rmSync(join(root, '.gitignore')),
  'a .gitignore that hides everything': (root) =>
    write(root, { '.gitignore': '*\n', 'y.txt': 'new', 'a.txt': 'x', 'deep/y.txt': 'new' }),
  'new .gitignore files that hide themselves': (root) =>
    write(root, { 'dir/.gitignore': '*\n', 'dir/y': 'new', 'fresh/.gitignore': '*\n', 'fresh/y': 'new' }),
  'files and folders swapped': (root) => {
    rmSync(join(root, 'swap-file'));
    rmSync(join(root, 'swap-folder'), { recursive: true });
    write(root, { 'swap-file/inside': 'new', 'swap-file/x.log': 'in the way', 'swap-folder': 'now a file' });
  },
  'links instead of folders': (root) => {
    rmSync(join(root, 'dir'), { recursive: true });
    symlinkSync('sub', join(root, 'dir'));
    rmSync(join(root, 'link'));
    write(root, { link: 'now a file' });
  },
  'a commit on top': (root) => sh(root, 'echo x > a.txt; git rm -q -r -f dir; git add -A; git commit -q -m top; echo y > a.txt'),
  'staging and unstaging': (root) => sh(root, 'git add -A; git reset -q; git add new.txt; git rm -q --cached a.txt'),
  'another branch': (root) =>
    sh(root, 'git add -A; git commit -q --allow-empty -m w; git checkout -q -b other; git rm -q a.txt; git commit -q -m r'),
  'git clean and reset': (root) => sh(root, 'git reset -q --hard; git clean -qfd'),
  'a deleted index': (root) => rmSync(join(root, '.git/index')),
};

const NONE = { count: 0, first: [] };
const NO_DIFFERENCE = {
  added: NONE,
  displaced: NONE,
  modified: NONE,
  deleted: NONE,
  modes: NONE,
  missingFolders: NONE,
  surplusFolders: NONE,
  index: false,
  lost: NONE,
  overwritten: NONE,
  left: [],
};

function stateOf(root: string) {
  return {
    branch: sh(root, 'cat .git/HEAD; git rev-parse HEAD'),
    status: sh(root, 'git status --porcelain=v2 -z -uall').split('\0').sort(),
  };
}

async function saved(root: string, mode: 'commit' | 'ref') {
  const workspace = await prepared(root);
  const backup = value(await makeBackup({ mode, workspace, run: RUN, name: 'work' }));
  return { backup, workspace, run: RUN };
}

describe.each(MODES)('after a %s backup', (mode) => {
  test.each(Object.keys(DAMAGE))('undoes %s', async (name) => {
    const root = workInProgress();
    const options = await saved(root, mode);
    const before = treeOf(root);
    const stateBefore = stateOf(root);
    DAMAGE[name]?.(root);
    const damaged = treeOf(root);
    const { branch } = stateOf(root);

    const plan = value(await planRestore(options));
    expect(treeOf(root)).toEqual(damaged);
    const restored = value(await restore(options));

    // Ignored files are as the run left them, except that one in the way of a saved file is gone.
    const ignored = (path: string) => /^(x\.log|build\/|sub\/local|cache\/)/.test(path);
    const pick = (tree: Record<string, string>, keep: (path: string) => boolean) =>
      Object.fromEntries(Object.entries(tree).filter(([path]) => keep(path)));
    expect(pick(treeOf(root), (path) => !ignored(path))).toEqual(pick(before, (path) => !ignored(path)));
    expect(pick(treeOf(root), ignored)).toEqual(pick(damaged, ignored));

    expect(stateOf(root).branch).toBe(branch);
    const tree = (rev: string) => sh(root, `git rev-parse '${rev}^{tree}'`);
    const commit = options.backup.mode === 'none' ? '' : options.backup.commit;
    expect(sh(root, 'git write-tree')).toBe(tree(mode === 'ref' ? `${commit}^2` : commit));
    if (branch === stateBefore.branch) expect(stateOf(root).status).toEqual(stateBefore.status);

    // Nothing is lost: what was there is kept.
    expect(restored.kept).toBe(`refs/waveplan/before-restore/${RUN}`);
    expect(restored).toEqual({ ...plan, kept: restored.kept, heads: restored.heads });
    const after = value(await planRestore(options));
    expect(after).toEqual(NO_DIFFERENCE);
    expect(isRestored(after)).toBe(true);
  });

  test('names what it will do, and keeps what was there', async () => {
    const root = workInProgress();
    const options = await saved(root, mode);
    write(root, { 'a.txt': 'from the run', 'added.txt': 'made by the run', '.gitignore': 'added.txt\n', 'swap-file': 'changed' });
    rmSync(join(root, 'new.txt'));
    expect(value(await planRestore(options))).toEqual({
      ...NO_DIFFERENCE,
      added: { count: 1, first: ['added.txt'] },
      displaced: { count: 0, first: [] },
      modified: { count: 3, first: ['.gitignore', 'a.txt', 'swap-file'] },
      deleted: { count: 1, first: ['new.txt'] },
      left: [],
    });
    const { kept } = value(await restore(options));
    expect(sh(root, `git show ${kept}:a.txt`)).toBe('from the run');
    expect(sh(root, `git show ${kept}:added.txt`)).toBe('made by the run');

    write(root, { 'a.txt': 'again' });
    const second = value(await restore(options));
    expect(second.kept).toBe(`${kept}-2`);
    expect(sh(root, `git show ${kept}:a.txt`)).toBe('from the run');

    // The restore can be undone in its turn.
    const commit = sh(root, `git rev-parse ${kept}`).trim();
    const undo: Backup = { mode: 'ref', commit, ref: kept };
    value(await restore({ ...options, backup: undo }));
    expect(readFileSync(join(root, 'a.txt'), 'utf8')).toBe('from the run');
    expect(readFileSync(join(root, 'added.txt'), 'utf8')).toBe('made by the run');
    expect(existsSync(join(root, 'new.txt'))).toBe(false);
  });

  test('never writes through a link that the run put in place of a folder', async () => {
    const root = workInProgress();
    const options = await saved(root, mode);
    const outside = repository({ 'c.txt': 'not yours' });
    rmSync(join(root, 'dir'), { recursive: true });
    symlinkSync(outside, join(root, 'dir'));
    value(await restore(options));
    expect(readFileSync(join(outside, 'c.txt'), 'utf8')).toBe('not yours');
    expect(readFileSync(join(root, 'dir/c.txt'), 'utf8')).toBe('c\n');
  });

  test('leaves the state folder alone, also without its .gitignore', async () => {
    const root = workInProgress();
    const options = await saved(root, mode);
    write(root, { '.waveplan/runs/x/wave1.ndjson': '{}\n' });
    rmSync(join(root, '.waveplan/.gitignore'));
    value(await restore(options));
    expect(existsSync(join(root, '.waveplan/runs/x/wave1.ndjson'))).toBe(true);
  });

  test('deletes too little rather than too much when the record of ignored files is lost', async () => {
    const root = workInProgress();
    const options = await saved(root, mode);
    rmSync(join(root, '.waveplan/runs', RUN), { recursive: true });
    write(root, { 'a.txt': 'x' });
    value(await restore(options));
    expect(readFileSync(join(root, 'cache/data/blob'), 'utf8')).toBe('ignored by itself');
    expect(readFileSync(join(root, 'a.txt'), 'utf8')).toBe('a changed\n');
  });

  test('leaves inner repositories and submodules, and says so', async () => {
    const library = repository({ 'lib.txt': 'lib' });
    const root = workInProgress();
    sh(root, `git -c protocol.file.allow=always submodule --quiet add ${library} lib && git commit -q -m lib`);
    const options = await saved(root, mode);
    write(root, { 'lib/lib.txt': 'changed' });
    sh(root, 'git init -q clone && echo x > clone/f');
    const restored = value(await restore(options));
    expect(restored.left).toEqual(['lib', 'clone/']);
    expect(readFileSync(join(root, 'clone/f'), 'utf8')).toBe('x\n');
  });

  test('keeps an ignored file that is in the way of a saved one', async () => {
    const root = repository({ '.gitignore': '*.log\n', a: 'file\n' });
    const options = await saved(root, mode);
    rmSync(join(root, 'a'));
    write(root, { 'a/x.log': 'in the way' });
    const plan = value(await planRestore(options));
    expect(plan).toMatchObject({ added: { count: 0 }, displaced: { count: 1, first: ['a/x.log'] }, deleted: { count: 1 } });
    const restored = value(await restore(options));
    expect(sh(root, `git show ${restored.kept}:a/x.log`)).toBe('in the way');
    expect(readFileSync(join(root, 'a'), 'utf8')).toBe('file\n');
  });

  test('goes by the rules at the backup where the run rewrote an ignored .gitignore', async () => {
    const root = workInProgress();
    const options = await saved(root, mode);
    write(root, { 'cache/.gitignore': '', 'cache/more': 'new' });
    expect(value(await restore(options)).added.count).toBe(0);
    expect(readFileSync(join(root, 'cache/data/blob'), 'utf8')).toBe('ignored by itself');
    expect(readFileSync(join(root, 'cache/more'), 'utf8')).toBe('new');
  });

  test('refuses while a merge is in progress', async () => {
    const root = repository({ 'a.txt': 'a' });
    const options = await saved(root, mode);
    sh(
      root,
      'git checkout -q -b o && echo o > a.txt && git commit -q -am o && git checkout -q trunk && echo t > a.txt && git commit -q -am t && { git merge -q o || true; }',
    );
    const before = treeOf(root);
    const found = problem(await restore(options));
    expect(found.message).toContain('a merge');
    expect(found.hint).toContain('git merge --abort');
    expect(treeOf(root)).toEqual(before);
  });

  test('says when the backup is gone', async () => {
    const root = repository({ 'a.txt': 'a' });
    const options = await saved(root, mode);
    const backup = { ...options.backup, commit: '1'.repeat(40) } as Backup;
    expect(problem(await restore({ ...options, backup })).message).toContain(`is not in the repository ${root}`);
  });

  test('restores a tree that had no commit', async () => {
    const root = repository();
    write(root, { 'a.txt': 'a', 'dir/b': 'b' });
    sh(root, 'git add a.txt');
    const options = await saved(root, mode);
    const before = treeOf(root);
    write(root, { 'a.txt': 'x', c: 'c' });
    rmSync(join(root, 'dir'), { recursive: true });
    value(await restore(options));
    expect(treeOf(root)).toEqual(before);
  });

  test('any damage is undone', async () => {
    const name = fc.constantFrom('a', 'b', 'c.log', 'd e', 'ü', '.gitignore');
    const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
    const content = fc.constantFrom('', '1', '2', '*', '*.log', 'a', '!c.log');
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('write' as const), path, content }) },
      fc.record({ kind: fc.constant('remove' as const), path }),
      fc.record({ kind: fc.constant('link' as const), path }),
      fc.record({ kind: fc.constant('chmod' as const), path }),
      fc.record({ kind: fc.constant('move' as const), path, to: path }),
      fc.record({ kind: fc.constant('add' as const) }),
    );
    const files = fc.dictionary(path, content, { minKeys: 1, maxKeys: 6 });
    await fc.assert(
      fc.asyncProperty(files, files, fc.array(step, { maxLength: 8 }), async (committed, changed, steps) => {
        const root = repository({ first: 'first' });
        const put = (at: string, text: string) => attempt(() => write(root, { [at]: text }));
        for (const [at, text] of Object.entries(committed)) put(at, text);
        sh(root, 'git add -A; git commit -q --allow-empty -m second');
        for (const [at, text] of Object.entries(changed)) put(at, text);
        const options = await saved(root, mode);
        const before = treeOf(root);
        const hidden = new Set(sh(root, 'git ls-files -o -i --exclude-standard -z').split('\0'));
        for (const one of steps) {
          // Ignored files are the run's own business; damage to them is not undone.
          const touched = [one.kind === 'add' ? '' : one.path, one.kind === 'move' ? one.to : ''];
          if (
            touched.some(
              (at) =>
                at !== '' && [...hidden].some((file) => file === at || file.startsWith(`${at}/`) || at.startsWith(`${file}/`)),
            )
          )
            continue;
          if (one.kind === 'write') put(one.path, one.content);
          else if (one.kind === 'remove') attempt(() => rmSync(join(root, one.path), { recursive: true }));
          else if (one.kind === 'link') attempt(() => symlinkSync('first', join(root, one.path)));
          else if (one.kind === 'chmod') attempt(() => chmodSync(join(root, one.path), 0o755));
          else if (one.kind === 'move') attempt(() => renameSync(join(root, one.path), join(root, one.to)));
          else sh(root, 'git add -A');
        }
        const damaged = treeOf(root);
        value(await restore(options));
        const after = treeOf(root);
        // What was made since and the backup's rules ignore may stay; everything else is as it was.
        for (const path of Object.keys(after))
          if (!(path in before) && path in damaged && isHidden(root, path)) delete after[path];
        for (const path of Object.keys(after)) if (path.endsWith('/') && !(path in before)) delete after[path];
        expect(after).toEqual(before);
      }),
      { numRuns: 6 },
    );
  });
});

test('a run without a backup cannot be restored', async () => {
  const root = repository({ 'a.txt': 'a' });
  const found = problem(await restore({ backup: { mode: 'none' }, workspace: await prepared(root), run: RUN }));
  expect(found.message).toContain('without a backup');
});

test('a change of the same size made at once after the backup is seen', async () => {
  for (let round = 0; round < 5; round++) {
    const root = repository({ 'a.txt': 'a' });
    const options = await saved(root, 'ref');
    writeFileSync(join(root, 'a.txt'), 'b');
    value(await restore(options));
    expect(readFileSync(join(root, 'a.txt'), 'utf8')).toBe('a');
  }
});

function attempt(step: () => void): void {
  try {
    step();
  } catch {
    // A step that does not fit the tree as it is (a file in the place of a folder) does nothing.
  }
}

function isHidden(root: string, path: string): boolean {
  try {
    sh(root, `git check-ignore -q --no-index -- './${path.replace(/\/$/, '')}'`);
    return true;
  } catch {
    return false;
  }
}
