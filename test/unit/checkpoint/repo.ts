import { execFileSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import { openWorkspace, prepareState, type Workspace } from '../../../src/checkpoint/workspace.js';
import type { Result } from '../../../src/model/result.js';

// No settings of the machine that runs the tests; the product inherits these.
process.env['GIT_CONFIG_GLOBAL'] = '/dev/null';
process.env['GIT_CONFIG_NOSYSTEM'] = '1';
for (const role of ['AUTHOR', 'COMMITTER']) for (const part of ['NAME', 'EMAIL']) delete process.env[`GIT_${role}_${part}`];

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'waveplan-test-')));
  folders.push(folder);
  return folder;
}

export function sh(cwd: string, command: string): string {
  return execFileSync('sh', ['-ec', command], { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

export function write(root: string, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
}

/** A repository with an identity and one commit of `files`; empty and unborn without any. */
export function repository(files: Readonly<Record<string, string>> = {}, branch = 'trunk'): string {
  const root = temporaryFolder();
  sh(root, `git init -q -b ${branch} . && git config user.name Tester && git config user.email tester@example.org`);
  if (Object.keys(files).length > 0) {
    write(root, files);
    sh(root, 'git add -A && git commit -q -m first');
  }
  return root;
}

export const RUN = '20260101-120000000-abcdef';

/** The workspace of a repository, with its state prepared for `RUN`. */
export async function prepared(root: string, options: { stateDir?: string } = {}): Promise<Workspace> {
  const workspace = openWorkspace({ planFile: join(root, 'plan.yaml'), ...options });
  value(await prepareState(workspace, RUN));
  return workspace;
}

/** The value of a success; fails the test with the problem otherwise. */
export function value<Value, Problem>(result: Result<Value, Problem>): Value {
  if (!result.ok) throw new Error(`expected success, got ${JSON.stringify(result.error, null, 1)}`);
  return result.value;
}

/** The problem of a failure. */
export function problem<Value, Problem>(result: Result<Value, Problem>): Problem {
  if (result.ok) throw new Error(`expected a problem, got ${JSON.stringify(result.value)}`);
  return result.error;
}

/** Every file, link and folder below a root, with what git and a user would miss: content, kind and permissions. */
export function treeOf(root: string, skip: readonly string[] = ['.git', '.waveplan']): Record<string, string> {
  const tree: Record<string, string> = {};
  const walk = (folder: string) => {
    for (const name of readdirSync(join(root, folder)).sort()) {
      const path = folder === '' ? name : `${folder}/${name}`;
      if (skip.includes(path)) continue;
      const stat = lstatSync(join(root, path));
      if (stat.isSymbolicLink()) tree[path] = `link ${readlinkSync(join(root, path))}`;
      else if (stat.isDirectory()) {
        tree[`${path}/`] = `folder ${(stat.mode & 0o777).toString(8)}`;
        walk(path);
      } else tree[path] = `${(stat.mode & 0o777).toString(8)} ${readFileSync(join(root, path)).toString('base64')}`;
    }
  };
  walk('');
  return tree;
}

/** What a backup or a restore must not disturb. */
export function gitState(root: string): Record<string, string> {
  return {
    head: sh(root, 'cat .git/HEAD; git rev-parse -q --verify HEAD || true'),
    branches: sh(root, 'git for-each-ref refs/heads refs/tags'),
    index: sh(root, 'git ls-files -s -z'),
    status: sh(root, 'git status --porcelain=v2 -z -uall'),
  };
}
