import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROJECT } from '../support/cli.js';
import { tempFolder, writeFiles } from '../support/repository.js';

const BIOME = join(PROJECT, 'node_modules', '.bin', 'biome');

/** The lines of each file of which the linter refuses the import, with the project's own configuration. */
function refusedImports(files: Readonly<Record<string, string>>): ReadonlyMap<string, readonly number[]> {
  const folder = tempFolder();
  const { $schema: _, vcs: __, ...configuration } = JSON.parse(readFileSync(join(PROJECT, 'biome.json'), 'utf8'));
  writeFiles(folder, { ...files, 'biome.json': JSON.stringify(configuration) });
  const done = spawnSync(BIOME, ['lint', '--reporter=github', '--max-diagnostics=none', '.'], { cwd: folder, encoding: 'utf8' });
  const refused = new Map(Object.keys(files).map((file): [string, number[]] => [file, []]));
  for (const [, file, line] of done.stdout.matchAll(/title=lint\/style\/noRestrictedImports,file=([^,]+),line=(\d+)/g)) {
    refused.get(relative(folder, file ?? ''))?.push(Number(line));
  }
  for (const lines of refused.values()) lines.sort((a, b) => a - b);
  return refused;
}

const FOLDERS = [
  'model',
  'data',
  'plan',
  'graph',
  'scaling',
  'actions',
  'worker',
  'execute',
  'checkpoint',
  'remote',
  'measure',
  'report',
  'cli',
];

describe('the linter keeps data flowing one way', () => {
  it('refuses every import from a folder further down, and accepts every one from a folder further up', () => {
    const imports = FOLDERS.map((other) => `import { x as ${other} } from '../${other}/file.js';`).join('\n');
    const source = `${imports}\nexport const all = [${FOLDERS.join(', ')}];\n`;
    const refused = refusedImports(Object.fromEntries(FOLDERS.map((folder) => [`src/${folder}/example.ts`, source])));
    const below = FOLDERS.map(
      (folder, i) => [`src/${folder}/example.ts`, FOLDERS.slice(i + 1).map((_, k) => i + k + 2)] as const,
    );
    expect([...refused]).toEqual(below);
  });

  it.each([
    ['piscina', 'src/execute/piscina-executor.ts'],
    ['simple-git', 'src/checkpoint/git.ts'],
    ['chokidar', 'src/cli/watch/watcher.ts'],
    ['bullmq', 'src/remote/redis-wire.ts'],
    ['ioredis', 'src/remote/redis-wire.ts'],
  ])('lets only one file import %s', (library, file) => {
    const source = `import * as library from '${library}';\nexport const all = library;\n`;
    const others = FOLDERS.map((folder) => `src/${folder}/example.ts`);
    const refused = refusedImports(Object.fromEntries([file, ...others].map((name) => [name, source])));
    expect([...refused]).toEqual([[file, []], ...others.map((name) => [name, [1]])]);
    const users = execFileSync('grep', ['-rlE', `from '${library}'`, 'src'], { cwd: PROJECT, encoding: 'utf8' });
    expect(users.trim()).toBe(file);
  });
});
