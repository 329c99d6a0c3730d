import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeBackup } from '../../../src/checkpoint/backup.js';
import { openWorkspace } from '../../../src/checkpoint/workspace.js';
import { gitState, prepared, problem, RUN, repository, sh, temporaryFolder, treeOf, value, write } from './repo.js';

const BASE = { 'a.txt': 'a\n', 'b.txt': 'b\n', 'dir/c.txt': 'c\n', '.gitignore': '*.log\n' };
const MESSAGE = 'Backup before parallel operation: tidy';

/** Changed, staged, both, deleted, added, ignored. */
function dirty(root: string): void {
  write(root, {
    'a.txt': 'a changed\n',
    'new.txt': 'new\n',
    'staged.txt': 'staged\n',
    'x.log': 'ignored\n',
    'dir/u ü"\n.txt': 'odd\n',
  });
  sh(root, 'git add staged.txt && echo more >> staged.txt && git rm -q b.txt');
}

async function backup(root: string, mode: 'commit' | 'ref' | 'none', name = 'tidy') {
  return makeBackup({ mode, workspace: await prepared(root), run: RUN, name });
}

/** A refusal must leave everything as it was. */
async function refused(root: string, mode: 'commit' | 'ref') {
  const workspace = await prepared(root);
  const index = join(root, '.git/index');
  const before = { git: gitState(root), tree: treeOf(root), index: existsSync(index) ? readFileSync(index) : undefined };
  const refs = sh(root, 'git for-each-ref refs/waveplan');
  const found = problem(await makeBackup({ mode, workspace, run: RUN, name: 'tidy' }));
  expect({ git: gitState(root), tree: treeOf(root), index: existsSync(index) ? readFileSync(index) : undefined }).toEqual(before);
  expect(sh(root, 'git for-each-ref refs/waveplan')).toBe(refs);
  expect(existsSync(`${index}.waveplan`)).toBe(false);
  return found;
}

describe('commit', () => {
  test.each(['main', 'feature/x'])('commits everything on %s', async (branch) => {
    const root = repository(BASE, branch);
    dirty(root);
    const tree = treeOf(root);
    const made = value(await backup(root, 'commit'));
    const head = sh(root, 'git rev-parse HEAD').trim();
    expect(made).toEqual({ mode: 'commit', commit: head, created: true, branch });
    expect(sh(root, 'git log -1 --format=%B').trim()).toBe(MESSAGE);
    expect(sh(root, 'git status --porcelain')).toBe('');
    expect(sh(root, 'git ls-tree -r -z --name-only HEAD').split('\0').filter(Boolean).sort()).toEqual(
      ['.gitignore', 'a.txt', 'dir/c.txt', 'dir/u ü"\n.txt', 'new.txt', 'staged.txt'].sort(),
    );
    expect(treeOf(root)).toEqual(tree);
  });

  test('takes HEAD on a clean tree', async () => {
    const root = repository(BASE);
    const before = gitState(root);
    const made = value(await backup(root, 'commit'));
    expect(made).toMatchObject({ created: false, commit: sh(root, 'git rev-parse HEAD').trim(), branch: 'trunk' });
    expect(gitState(root)).toEqual(before);
  });

  test('takes HEAD when only the index differs, and leaves the index', async () => {
    const root = repository(BASE);
    sh(root, 'echo x > a.txt && git add a.txt && echo a > a.txt');
    const before = gitState(root);
    expect(value(await backup(root, 'commit'))).toMatchObject({ created: false });
    expect(gitState(root)).toEqual(before);
  });

  test('makes the first commit of a new repository', async () => {
    const root = repository();
    write(root, { 'a.txt': 'a' });
    expect(value(await backup(root, 'commit'))).toMatchObject({ created: true });
    expect(sh(root, 'git log --format=%s').trim()).toBe(MESSAGE);
    const empty = repository();
    expect(value(await backup(empty, 'commit'))).toMatchObject({ created: true });
  });

  test('works on the whole repository from a subfolder, and flattens the name', async () => {
    const root = repository(BASE);
    write(root, { 'a.txt': 'changed', 'dir/plan.yaml': '' });
    const workspace = openWorkspace({ planFile: join(root, 'dir/plan.yaml'), cwd: join(root, 'dir') });
    await prepared(root);
    expect(value(await makeBackup({ mode: 'commit', workspace, run: RUN, name: ' #two\nlines ' }))).toMatchObject({
      created: true,
    });
    expect(sh(root, 'git log -1 --format=%B').trim()).toBe('Backup before parallel operation: #two lines');
    expect(sh(root, 'git status --porcelain')).toBe('');
  });

  test('works in a linked work tree', async () => {
    const root = repository(BASE);
    const linked = join(temporaryFolder(), 'linked');
    sh(root, `git worktree add -q -b side ${linked}`);
    write(linked, { 'n.txt': 'n' });
    expect(value(await backup(linked, 'commit'))).toMatchObject({ branch: 'side', created: true });
  });

  test('refuses a detached HEAD', async () => {
    const root = repository(BASE);
    sh(root, 'git checkout -q --detach');
    dirty(root);
    const found = await refused(root, 'commit');
    expect(found.message).toContain('detached');
    expect(found.hint).toContain('--backup ref');
  });

  test('refuses without an identity', async () => {
    const root = repository(BASE);
    sh(root, 'git config --unset user.name && git config --unset user.email && git config user.useConfigOnly true');
    dirty(root);
    const found = await refused(root, 'commit');
    expect(found.hint).toContain('git config user.name');
    expect(found.hint).toContain('--backup ref');
  });

  test.each([
    ['pre-commit', 'echo no way >&2; exit 1', 'no way'],
    ['commit-msg', 'echo bad message; exit 1', 'bad message'],
    ['pre-commit', 'exit 1', 'exit code 1'],
    ['pre-commit', 'echo hooked > hooked.txt; git add hooked.txt; rm hooked.txt', 'hook changed the files'],
    ['commit-msg', 'echo other > "$1"', 'hook changed the message'],
  ])('puts everything back when %s does: %s', async (hook, script, said) => {
    for (const root of [repository(BASE), repository()]) {
      write(root, { 'z.txt': 'z' });
      if (existsSync(join(root, 'a.txt'))) dirty(root);
      mkdirSync(join(root, '.git/hooks'), { recursive: true });
      writeFileSync(join(root, '.git/hooks', hook), `#!/bin/sh\n${script}\n`);
      chmodSync(join(root, '.git/hooks', hook), 0o755);
      const found = await refused(root, 'commit');
      expect(found.message).toContain(said);
      expect(found.hint).toContain('--backup ref');
    }
  });

  test('puts everything back when signing fails', async () => {
    const root = repository(BASE);
    sh(root, 'git config commit.gpgsign true && git config gpg.program /bin/false');
    dirty(root);
    const found = await refused(root, 'commit');
    expect(found.message).toContain('could not commit the backup');
    expect(found.hint).toContain('--backup ref');
  });

  test('puts everything back when a filter refuses a file', async () => {
    const root = repository({ ...BASE, '.gitattributes': '*.bin filter=broken\n' });
    sh(root, 'git config filter.broken.clean false && git config filter.broken.required true');
    dirty(root);
    write(root, { 'z.bin': 'z' });
    expect((await refused(root, 'commit')).message).toContain('could not add the files');
  });

  test.each(['--assume-unchanged', '--skip-worktree'])('refuses changes hidden by %s', async (flag) => {
    const root = repository(BASE);
    sh(root, `git update-index ${flag} a.txt`);
    expect(value(await backup(root, 'commit'))).toMatchObject({ created: false });
    write(root, { 'a.txt': 'hidden change' });
    const found = await refused(root, 'commit');
    expect(found.message).toContain('a.txt');
    expect(found.hint).toContain('--backup ref');
  });
});

describe('ref', () => {
  test('saves files and index, and touches neither', async () => {
    const root = repository(BASE);
    dirty(root);
    const before = { git: gitState(root), tree: treeOf(root), index: readFileSync(join(root, '.git/index')) };
    const made = value(await backup(root, 'ref'));
    if (made.mode !== 'ref') throw new Error('not a ref');
    expect(made.ref).toBe(`refs/waveplan/backups/${RUN}`);
    expect({ git: gitState(root), tree: treeOf(root), index: readFileSync(join(root, '.git/index')) }).toEqual(before);
    expect(sh(root, `git rev-parse ${made.ref}`).trim()).toBe(made.commit);
    expect(sh(root, `git rev-parse ${made.ref}^1`)).toBe(sh(root, 'git rev-parse HEAD'));
    expect(sh(root, `git ls-tree -r -z --name-only ${made.ref}`)).not.toContain('.waveplan');
    expect(sh(root, `git show ${made.ref}:staged.txt`)).toBe('staged\nmore\n');
    expect(sh(root, `git show ${made.ref}^2:staged.txt`)).toBe('staged\n');
    expect(sh(root, `git rev-parse ${made.ref}^2^{tree}`)).toBe(sh(root, 'git write-tree'));
    expect(sh(root, `git log -1 --format=%s ${made.ref}`).trim()).toBe(MESSAGE);
  });

  test.each([
    ['a detached HEAD', () => repository(BASE), 'git checkout -q --detach'],
    ['no commit yet', () => repository(), 'true'],
    [
      'hooks that refuse',
      () => repository(BASE),
      'for h in pre-commit reference-transaction post-index-change; do printf "#!/bin/sh\\nexit 1\\n" > .git/hooks/$h; chmod +x .git/hooks/$h; done',
    ],
    ['signing without a key', () => repository(BASE), 'git config commit.gpgsign true; git config gpg.program /bin/false'],
    [
      'core.safecrlf',
      () => repository(BASE),
      'git config core.autocrlf input; git config core.safecrlf true; printf "a\\r\\n" > crlf.txt',
    ],
    ['a split index', () => repository(BASE), 'git update-index --split-index'],
  ])('works with %s', async (_name, make, command) => {
    const root = make();
    write(root, { 'n.txt': 'n\n' });
    sh(root, command);
    const before = gitState(root);
    const made = value(await backup(root, 'ref'));
    expect(gitState(root)).toEqual(before);
    expect(made.mode === 'ref' && sh(root, `git show ${made.commit}:n.txt`)).toBe('n\n');
  });

  test('needs no identity', async () => {
    const root = repository(BASE);
    sh(root, 'git config --unset user.name && git config --unset user.email && git config user.useConfigOnly true');
    const made = value(await backup(root, 'ref'));
    expect(made.mode === 'ref' && sh(root, `git log -1 --format='%an <%ae>' ${made.commit}`).trim()).toBe(
      'waveplan <waveplan@localhost>',
    );
  });

  test.each(['--assume-unchanged', '--skip-worktree'])('holds changes hidden by %s', async (flag) => {
    const root = repository(BASE);
    sh(root, `git update-index ${flag} a.txt`);
    write(root, { 'a.txt': 'hidden change' });
    const made = value(await backup(root, 'ref'));
    expect(made.mode === 'ref' && sh(root, `git show ${made.commit}:a.txt`)).toBe('hidden change');
    expect(sh(root, 'git ls-files -v a.txt')).toMatch(/^[hS] a.txt/);
  });

  test('sees a change of the same size made at the moment the index was written', async () => {
    const root = repository({ 'a.txt': 'a' });
    sh(root, 'git config core.trustctime false; printf b > a.txt; touch -d @1700000000 a.txt; git add a.txt');
    const workspace = await prepared(root);
    sh(root, 'printf c > a.txt; touch -d @1700000000 a.txt .git/index');
    const made = value(await makeBackup({ mode: 'ref', workspace, run: RUN, name: 'tidy' }));
    expect(made.mode === 'ref' && sh(root, `git show ${made.commit}:a.txt`)).toBe('c');
  });

  test('never overwrites a backup of the same name', async () => {
    const root = repository(BASE);
    const first = value(await backup(root, 'ref'));
    write(root, { 'a.txt': 'later' });
    problem(await backup(root, 'ref'));
    expect(first.mode === 'ref' && sh(root, `git rev-parse ${first.ref}`).trim()).toBe(first.mode === 'ref' && first.commit);
  });

  test('ignores an index and a repository named by the environment, as a hook sets them', async () => {
    const root = repository(BASE);
    write(root, { 'n.txt': 'n' });
    process.env['GIT_INDEX_FILE'] = '/nonexistent/index';
    process.env['GIT_DIR'] = '/nonexistent';
    try {
      value(await backup(root, 'ref'));
    } finally {
      delete process.env['GIT_INDEX_FILE'];
      delete process.env['GIT_DIR'];
    }
  });

  test('accepts settings that come by the environment', async () => {
    const root = repository(BASE);
    const settings = {
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'url.https://example.org/.insteadOf',
      GIT_CONFIG_VALUE_0: 'x:',
      EDITOR: 'vi',
    };
    Object.assign(process.env, settings);
    try {
      value(await backup(root, 'ref'));
    } finally {
      for (const key of Object.keys(settings)) delete process.env[key];
    }
  });
});

describe('none', () => {
  test('needs no repository and does nothing', async () => {
    expect(value(await backup(temporaryFolder(), 'none'))).toEqual({ mode: 'none' });
  });
});

describe.each(['commit', 'ref'] as const)('%s refuses', (mode) => {
  test.each([
    [
      'a merge',
      'git checkout -q -b o HEAD~1 && echo o > q.txt && git add . && git commit -q -m o && git merge -q --no-commit --no-ff trunk',
      'a merge',
    ],
    [
      'a merge with conflicts',
      'git checkout -q -b o HEAD~1 && echo o > a.txt && git commit -q -am o && { git merge -q trunk || true; }',
      'a merge',
    ],
    [
      'a rebase',
      'git checkout -q -b o HEAD~1 && echo o > a.txt && git commit -q -am o && { git rebase -q trunk || true; }',
      'a rebase',
    ],
    [
      'a cherry-pick',
      'git checkout -q -b o HEAD~1 && echo o > a.txt && git commit -q -am o && { git cherry-pick trunk || true; }',
      'a cherry-pick',
    ],
    ['a revert', 'git revert --no-commit HEAD', 'a revert'],
    ['a bisect', 'git bisect start -q && git bisect bad -q HEAD 2>/dev/null || git bisect bad', 'a bisect'],
    [
      'unmerged files',
      'git checkout -q -b o HEAD~1 && echo o > a.txt && git stash -q && git checkout -q trunk && { git stash pop -q || true; }',
      'unmerged files',
    ],
    ['an index lock', 'touch .git/index.lock', 'index.lock'],
  ])('%s', async (_name, command, said) => {
    const root = repository(BASE);
    sh(root, 'echo second > a.txt && git commit -q -am second');
    sh(root, command);
    const found = await refused(root, mode);
    expect(found.message).toContain(said);
    expect(found.hint.length).toBeGreaterThan(10);
  });

  test('a folder outside git', async () => {
    const found = problem(await backup(temporaryFolder(), mode));
    expect(found.message).toContain('not in a git repository');
    expect(found.hint).toContain('--backup none');
  });

  test('a bare repository', async () => {
    const root = temporaryFolder();
    sh(root, 'git init -q --bare .');
    const workspace = openWorkspace({ planFile: join(root, 'plan.yaml'), stateDir: join(temporaryFolder(), 's') });
    expect(problem(await makeBackup({ mode, workspace, run: RUN, name: 'n' })).message).toContain('bare');
  });

  test('a machine without git', async () => {
    const root = repository(BASE);
    const workspace = await prepared(root);
    const path = process.env['PATH'];
    process.env['PATH'] = '/nonexistent';
    try {
      for (const place of [workspace, { ...workspace, gitRoot: undefined }]) {
        const found = problem(await makeBackup({ mode, workspace: place, run: RUN, name: 'n' }));
        expect(found.message).toContain('git is not installed');
        expect(found.hint).toContain('--backup none');
      }
    } finally {
      process.env['PATH'] = path;
    }
  });

  test('an inner repository that is no submodule', async () => {
    for (const inner of [
      'git init -q in/ner',
      'git init -q in/ner && cd in/ner && git -c user.name=n -c user.email=e commit -q --allow-empty -m m',
    ]) {
      const root = repository(BASE);
      sh(root, inner);
      const found = await refused(root, mode);
      expect(found.message).toContain('in/ner/');
      expect(found.hint).toContain('.gitignore');
    }
  });

  test('a submodule with changes, and takes one without', async () => {
    const library = repository({ 'lib.txt': 'lib' });
    const root = repository(BASE);
    sh(root, `git -c protocol.file.allow=always submodule --quiet add ${library} lib && git commit -q -m lib`);
    value(await backup(root, mode));
    sh(root, `git update-ref -d refs/waveplan/backups/${RUN}`);
    write(root, { 'lib/lib.txt': 'changed' });
    sh(root, 'git config submodule.lib.ignore all');
    expect((await refused(root, mode)).message).toContain('lib');
    write(root, { 'lib/lib.txt': 'lib', 'lib/new.txt': 'new' });
    expect((await refused(root, mode)).message).toContain('lib');
  });

  test('a state folder that is tracked', async () => {
    const root = repository(BASE);
    await prepared(root);
    sh(root, 'git add -f .waveplan && git commit -q -m state');
    const found = await refused(root, mode);
    expect(found.hint).toContain('git rm -r -q --cached .waveplan');
  });
});

test.each(['commit', 'ref'] as const)('%s leaves out a state folder inside the tree', async (mode) => {
  const root = repository(BASE);
  write(root, { 'n.txt': 'n' });
  const workspace = await prepared(root, { stateDir: join(root, 'deep/state') });
  const made = value(await makeBackup({ mode, workspace, run: RUN, name: 'n' }));
  const names = made.mode === 'none' ? '' : sh(root, `git ls-tree -r --name-only ${made.commit}`);
  expect(names).toContain('n.txt');
  expect(names).not.toContain('state');
});

test('keeps links and modes', async () => {
  const root = repository(BASE);
  symlinkSync('a.txt', join(root, 'link'));
  symlinkSync('nowhere', join(root, 'dangling'));
  write(root, { 'run.sh': '#!/bin/sh\n' });
  chmodSync(join(root, 'run.sh'), 0o755);
  const made = value(await backup(root, 'ref'));
  const listing = made.mode === 'ref' ? sh(root, `git ls-tree ${made.commit}`) : '';
  expect(listing).toMatch(/120000 blob \w+\tlink/);
  expect(listing).toMatch(/120000 blob \w+\tdangling/);
  expect(listing).toMatch(/100755 blob \w+\trun.sh/);
});
