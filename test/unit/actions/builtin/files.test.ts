import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../../src/model/json.js';
import type { BuiltInAction } from '../../../../src/plan/built-in.js';
import { tempFolder, writeFiles } from '../../../support/repository.js';
import { act } from './act.js';

const read = (...path: readonly string[]) => readFileSync(join(...path), 'utf8');

/** No temporary file may be left, whatever happened. */
const leftovers = (folder: string) =>
  (readdirSync(folder, { recursive: true }) as string[]).filter((name) => name.endsWith('.tmp'));

describe('files/glob', () => {
  it('lists names with line breaks, and leaves them out where they are ignored', async () => {
    const folder = tempFolder();
    writeFiles(folder, { 'd/new\nline': '', 'd/e/two\r\nlines\n': '', 'out/no\nt': '' });
    const all = ['d/e/two\r\nlines\n', 'd/new\nline', 'out/no\nt'];
    expect((await act('files/glob', { patterns: '**' }, folder)).results.files).toEqual(all);
    expect((await act('files/glob', { patterns: ['d/**', 'out/**'] }, folder)).results.files).toEqual(all);
    expect((await act('files/glob', { patterns: '**/*', ignore: 'out/**' }, folder)).results.files).toEqual(all.slice(0, 2));
    expect((await act('files/glob', { patterns: ['**', '!out/**'] }, folder)).results.files).toEqual(all.slice(0, 2));
  });

  it('refuses a name that nobody could open by what is listed', async () => {
    const folder = tempFolder();
    writeFiles(folder, { 'd/\ufffd': 'a name like any other' });
    expect((await act('files/glob', { patterns: '**' }, folder)).results.files).toEqual(['d/\ufffd']);
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/d/caf`), Buffer.from([0xe9])]), '');
    const found = await act('files/glob', { patterns: '**' }, folder);
    expect(found.failure?.message).toBe('a name is not UTF-8: "d/caf\ufffd"; rename it, or leave it out with ignore');
    expect((await act('files/glob', { patterns: '**', ignore: 'd/caf*' }, folder)).results.files).toEqual(['d/\ufffd']);
  });

  it('lists files sorted by code unit, without what git and waveplan keep', async () => {
    const folder = tempFolder();
    writeFiles(folder, {
      'b.ts': '',
      'a.ts': '',
      'Z.ts': '',
      'é.ts': '',
      'sub/c.ts': '',
      '.git/x.ts': '',
      '.waveplan/y.ts': '',
      '.h.ts': '',
    });
    expect((await act('files/glob', { patterns: '**/*.ts' }, folder)).results).toEqual({
      files: ['Z.ts', 'a.ts', 'b.ts', 'sub/c.ts', 'é.ts'],
      count: 5,
    });
    expect((await act('files/glob', { patterns: ['**', '!sub/**'], dot: true, ignore: ['a.*'] }, folder)).results.files).toEqual([
      '.h.ts',
      'Z.ts',
      'b.ts',
      'é.ts',
    ]);
    expect((await act('files/glob', { patterns: '*', kind: 'folders' }, folder)).results.files).toEqual(['sub']);
  });

  it('gives paths that begin with cwd, whose name is taken literally', async () => {
    const folder = tempFolder();
    writeFiles(folder, { 'a [b] {c} (d)/x.txt': '', 'other/x.txt': '' });
    const found = await act('files/glob', { patterns: '*.txt', cwd: 'a [b] {c} (d)' }, folder);
    expect(found.results.files).toEqual(['a [b] {c} (d)/x.txt']);
  });

  it('does not leave the folder: by a pattern, by cwd, or by a link', async () => {
    const above = tempFolder();
    const folder = join(above, 'inside');
    writeFiles(above, { 'outside.txt': '', 'inside/x.txt': '', 'far/deep/y.txt': '' });
    symlinkSync(join(above, 'far'), join(folder, 'link'));
    expect((await act('files/glob', { patterns: ['../*.txt', '**/*.txt', 'link/**'] }, folder)).results.files).toEqual(['x.txt']);
    for (const cwd of ['..', 'link', above]) {
      expect((await act('files/glob', { patterns: '**', cwd }, folder)).failure).toMatchObject({
        kind: 'input',
        message: /outside: true/,
      });
    }
    expect((await act('files/glob', { patterns: '*.txt', cwd: '..', outside: true }, folder)).results.files).toEqual([
      '../outside.txt',
    ]);
  });

  it('fails where the folder is not there: an empty list would look like done', async () => {
    expect((await act('files/glob', { patterns: '**', cwd: 'none' }, tempFolder())).failure?.message).toMatch(/no folder "none"/);
  });
});

describe('files/read', () => {
  it('reads text and bytes, and says what it cannot read', async () => {
    const folder = tempFolder();
    writeFiles(folder, { 'a.txt': 'größe 🌊\n' });
    writeFileSync(join(folder, 'b.bin'), Buffer.from([0xff, 0x00, 0xfe]));
    expect((await act('files/read', { path: 'a.txt' }, folder)).results).toEqual({
      path: 'a.txt',
      text: 'größe 🌊\n',
      bytes: 13,
    });
    expect((await act('files/read', { path: 'b.bin', encoding: 'base64' }, folder)).results.text).toBe('/wD+');
    expect((await act('files/read', { path: 'b.bin' }, folder)).failure?.message).toMatch(/not UTF-8/);
    expect((await act('files/read', { path: 'a.txt', maxBytes: 12 }, folder)).failure?.message).toMatch(/13 bytes, more than 12/);
    expect((await act('files/read', { path: 'none' }, folder)).failure?.message).toMatch(/ENOENT/);
    expect((await act('files/read', { path: '.' }, folder)).failure?.message).toMatch(/not a file/);
  });
});

describe('files/write', () => {
  it('writes text, bytes and JSON, and makes folders', async () => {
    const folder = tempFolder();
    expect((await act('files/write', { path: 'a/b/c.txt', text: 'x' }, folder)).results).toEqual({
      path: 'a/b/c.txt',
      bytes: 1,
      changed: true,
    });
    await act('files/write', { path: 'b.bin', base64: '/wD+' }, folder);
    await act('files/write', { path: 'c.json', json: { a: [1] } }, folder);
    expect(readFileSync(join(folder, 'b.bin'))).toEqual(Buffer.from([0xff, 0x00, 0xfe]));
    expect(read(folder, 'c.json')).toBe('{\n  "a": [\n    1\n  ]\n}\n');
    expect((await act('files/write', { path: 'd', text: '', json: 1 }, folder)).failure?.message).toMatch(/exactly one/);
    expect(leftovers(folder)).toEqual([]);
  });

  it('overwrites only when told, keeps the mode, and takes equal content for written', async () => {
    const folder = tempFolder();
    writeFiles(folder, { 'a.sh': 'old' });
    chmodSync(join(folder, 'a.sh'), 0o755);
    expect((await act('files/write', { path: 'a.sh', text: 'new' }, folder)).failure?.message).toMatch(/overwrite: true/);
    expect(read(folder, 'a.sh')).toBe('old');
    expect((await act('files/write', { path: 'a.sh', text: 'old' }, folder)).results.changed).toBe(false);
    expect((await act('files/write', { path: 'a.sh', text: 'new', overwrite: true }, folder)).results.changed).toBe(true);
    expect(read(folder, 'a.sh')).toBe('new');
    expect(statSync(join(folder, 'a.sh')).mode & 0o777).toBe(0o755);
    expect(leftovers(folder)).toEqual([]);
  });

  it('lets one of many writers of a new file win, whole', async () => {
    const folder = tempFolder();
    const texts = Array.from({ length: 20 }, (_, i) => String(i).repeat(20_000));
    const done = await Promise.all(texts.map((text) => act('files/write', { path: 'x/one', text }, folder)));
    const won = done.filter(({ failure }) => failure === undefined);
    expect(won).toHaveLength(1);
    expect(texts).toContain(read(folder, 'x/one'));
    expect(leftovers(folder)).toEqual([]);
  });

  it('writes through a link that stays inside, and not through one that does not', async () => {
    const above = tempFolder();
    const folder = join(above, 'in');
    writeFiles(above, { 'in/real.txt': 'a', 'secret.txt': 'keep' });
    symlinkSync('real.txt', join(folder, 'inner'));
    symlinkSync('../secret.txt', join(folder, 'outer'));
    symlinkSync('../none.txt', join(folder, 'dangling'));
    symlinkSync('..', join(folder, 'up'));
    expect((await act('files/write', { path: 'inner', text: 'b', overwrite: true }, folder)).failure).toBeUndefined();
    expect([read(folder, 'real.txt'), lstatSync(join(folder, 'inner')).isSymbolicLink()]).toEqual(['b', true]);
    for (const path of ['outer', 'up/secret.txt', 'up/new.txt']) {
      expect((await act('files/write', { path, text: 'b', overwrite: true }, folder)).failure).toMatchObject({ kind: 'input' });
    }
    await act('files/write', { path: 'dangling', text: 'b', overwrite: true }, folder);
    await act('files/write', { path: 'dangling/x', text: 'b', overwrite: true }, folder);
    expect(readdirSync(above).sort()).toEqual(['in', 'secret.txt']);
    expect(read(above, 'secret.txt')).toBe('keep');
  });
});

describe('files/move', () => {
  it('renames files, folders and links, and makes folders', async () => {
    const folder = tempFolder();
    writeFiles(folder, { a: '1', 'dir/x': '2', real: '3' });
    symlinkSync('real', join(folder, 'link'));
    const pairs = [
      { from: 'a', to: 'new/b' },
      { from: 'dir', to: 'new/dir' },
      { from: 'link', to: 'new/link' },
    ];
    expect((await act('files/move', { pairs }, folder)).results).toEqual({
      files: ['new/b', 'new/dir', 'new/link'],
      count: 3,
      skipped: 0,
    });
    expect([read(folder, 'new/b'), read(folder, 'new/dir/x'), read(folder, 'real')]).toEqual(['1', '2', '3']);
    expect(lstatSync(join(folder, 'new/link')).isSymbolicLink()).toBe(true);
    expect(readdirSync(folder).sort()).toEqual(['new', 'real']);
  });

  it('never overwrites unless told, also when many race for one name', async () => {
    const folder = tempFolder();
    writeFiles(folder, { a: '1', b: '2', 'd/x': '', 'e/y': '' });
    expect((await act('files/move', { from: 'a', to: 'b' }, folder)).failure).toMatchObject({
      kind: 'action',
      message: /overwrite/,
    });
    expect([read(folder, 'a'), read(folder, 'b')]).toEqual(['1', '2']);
    expect((await act('files/move', { from: 'd', to: 'e' }, folder)).failure?.message).toMatch(/is a folder/);
    expect((await act('files/move', { from: 'a', to: 'b', overwrite: true }, folder)).failure).toBeUndefined();
    expect([existsSync(join(folder, 'a')), read(folder, 'b')]).toEqual([false, '1']);

    writeFiles(folder, Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`n${i}`, String(i)])));
    const raced = await Promise.all(
      Array.from({ length: 30 }, (_, i) => act('files/move', { from: `n${i}`, to: 'prize' }, folder)),
    );
    const winner = raced.findIndex(({ failure }) => failure === undefined);
    expect(raced.filter(({ failure }) => failure === undefined)).toHaveLength(1);
    expect(read(folder, 'prize')).toBe(String(winner));
    expect(readdirSync(folder).filter((name) => /^n\d+$/.test(name))).toHaveLength(29);
  });

  it('can be made again after it was cut short', async () => {
    const folder = tempFolder();
    writeFiles(folder, { b: 'moved' });
    expect((await act('files/move', { from: 'a', to: 'b' }, folder)).failure?.message).toMatch(/no "a"/);
    expect((await act('files/move', { from: 'a', to: 'b', ifMissing: 'skip' }, folder)).results).toEqual({
      files: [],
      count: 0,
      skipped: 1,
    });
    expect((await act('files/move', { from: 'a', to: 'c', ifMissing: 'skip' }, folder)).failure?.message).toMatch(/no "a"/);
    const { linkSync } = await import('node:fs');
    linkSync(join(folder, 'b'), join(folder, 'half'));
    expect((await act('files/move', { from: 'b', to: 'half' }, folder)).failure).toBeUndefined();
    expect(readdirSync(folder)).toEqual(['half']);
  });

  it('does what it can of many, and names what failed', async () => {
    const folder = tempFolder();
    writeFiles(folder, { a: '1', taken: '2', b: '3' });
    const pairs = [
      { from: 'none', to: 'x' },
      { from: 'a', to: 'y' },
      { from: 'b', to: 'taken' },
    ];
    expect((await act('files/move', { pairs }, folder)).failure?.message).toMatch(
      /^2 of 3 failed: there is no "none"; "taken" is there/,
    );
    expect(readdirSync(folder).sort()).toEqual(['b', 'taken', 'y']);
  });

  it('refuses a folder into itself, and the folder of the run', async () => {
    const folder = tempFolder();
    writeFiles(folder, { 'd/x': '' });
    expect((await act('files/move', { from: 'd', to: 'd/e' }, folder)).failure?.message).toMatch(/is within/);
    expect((await act('files/move', { from: '.', to: 'x' }, folder)).failure?.kind).toBe('input');
  });
});

describe('files/copy', () => {
  it('copies files and folders, follows the named link, and overwrites only when told', async () => {
    const folder = tempFolder();
    writeFiles(folder, { a: '1', 'd/x': '2' });
    symlinkSync('a', join(folder, 'link'));
    symlinkSync('x', join(folder, 'd/inner'));
    const pairs = [
      { from: 'a', to: 'n/a' },
      { from: 'd', to: 'n/d' },
      { from: 'link', to: 'n/l' },
    ];
    expect((await act('files/copy', { pairs }, folder)).results).toEqual({ files: ['n/a', 'n/d', 'n/l'], count: 3, skipped: 0 });
    expect([read(folder, 'n/a'), read(folder, 'n/d/x'), read(folder, 'n/l')]).toEqual(['1', '2', '1']);
    expect([lstatSync(join(folder, 'n/d/inner')).isSymbolicLink(), lstatSync(join(folder, 'n/l')).isFile()]).toEqual([
      true,
      true,
    ]);
    expect((await act('files/copy', { from: 'd/x', to: 'n/a' }, folder)).failure?.message).toMatch(/overwrite/);
    expect((await act('files/copy', { from: 'd/x', to: 'n/a', overwrite: true }, folder)).failure).toBeUndefined();
    expect(read(folder, 'n/a')).toBe('2');
    expect((await act('files/copy', { from: 'a', to: 'a', overwrite: true }, folder)).failure?.message).toMatch(/one file/);
    expect((await act('files/copy', { from: 'd', to: 'd/e' }, folder)).failure?.message).toMatch(/is within/);
    expect(leftovers(folder)).toEqual([]);
  });
});

describe('files/remove', () => {
  it('removes files and links; folders when told; what is gone when told', async () => {
    const folder = tempFolder();
    writeFiles(folder, { a: '', b: '', 'd/x': '', keep: '' });
    symlinkSync('keep', join(folder, 'link'));
    expect((await act('files/remove', { paths: ['a', 'link'] }, folder)).results).toEqual({
      files: ['a', 'link'],
      count: 2,
      skipped: 0,
    });
    expect((await act('files/remove', { path: 'd' }, folder)).failure?.message).toMatch(/recursive: true/);
    expect((await act('files/remove', { path: 'd', recursive: true }, folder)).results.count).toBe(1);
    expect((await act('files/remove', { path: 'a' }, folder)).failure?.message).toMatch(/no "a"/);
    expect((await act('files/remove', { paths: ['a', 'b'], ifMissing: 'skip' }, folder)).results).toEqual({
      files: ['b'],
      count: 1,
      skipped: 1,
    });
    expect(readdirSync(folder)).toEqual(['keep']);
  });

  it('never removes the folder that the run works in, nor what holds it', async () => {
    const above = tempFolder();
    const folder = join(above, 'in');
    mkdirSync(folder);
    for (const path of ['.', '', 'x/..', folder, '..', '/']) {
      const { failure } = await act('files/remove', { path: path === '' ? './' : path, recursive: true, outside: true }, folder);
      expect(failure?.kind, path).toBe('input');
    }
    expect(existsSync(folder)).toBe(true);
  });
});

describe('files/hash', () => {
  it('has the digests of the files, and one over a list', async () => {
    const folder = tempFolder();
    writeFiles(folder, { a: 'hello', b: 'x'.repeat(300_000) });
    const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
    const { results } = await act('files/hash', { paths: ['a', 'b'] }, folder);
    expect(results.files).toEqual([
      { path: 'a', hash: sha256('hello'), bytes: 5 },
      { path: 'b', hash: sha256('x'.repeat(300_000)), bytes: 300_000 },
    ]);
    const turned = await act('files/hash', { paths: ['b', 'a'] }, folder);
    expect(turned.results.hash).not.toBe(results.hash);
    const md5 = await act('files/hash', { path: 'a', algorithm: 'md5' }, folder);
    expect(md5.results.hash).toBe(createHash('md5').update('hello').digest('hex'));
    expect((await act('files/hash', { paths: ['a', 'none'] }, folder)).failure?.message).toMatch(/^1 of 2 failed: "none"/);
  });
});

describe('any path', () => {
  it('never leads out of the folder, whatever it is and whatever links there are', async () => {
    const above = tempFolder();
    const folder = join(above, 'in');
    writeFiles(above, { 'in/a': 'a', 'in/d/b': 'b', 'victim/v': 'v', v: 'v' });
    symlinkSync('..', join(folder, 'up'));
    symlinkSync('../victim', join(folder, 'd/across'));
    symlinkSync('up', join(folder, 'up2'));
    symlinkSync('loop', join(folder, 'loop'));
    const part = fc.constantFrom('..', '.', 'a', 'd', 'up', 'up2', 'across', 'victim', 'v', 'loop', 'in', 'new', '', '/');
    const path = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/') || '/');
    const actions = fc.constantFrom<readonly [BuiltInAction, (path: string) => JsonValue]>(
      ['files/write', (to) => ({ path: to, text: 'x', overwrite: true })],
      ['files/move', (to) => ({ from: 'a', to, overwrite: true })],
      ['files/copy', (to) => ({ from: 'a', to, overwrite: true })],
      ['files/copy', (from) => ({ from, to: 'copied', overwrite: true })],
      ['files/remove', (gone) => ({ path: gone, recursive: true })],
      ['files/read', (from) => ({ path: from })],
    );
    const outside = () => [
      readdirSync(above).sort(),
      readdirSync(join(above, 'victim')),
      read(above, 'v'),
      read(above, 'victim/v'),
    ];
    const before = outside();
    await fc.assert(
      fc.asyncProperty(actions, path, async ([name, input], to) => {
        if (!existsSync(join(folder, 'a'))) writeFileSync(join(folder, 'a'), 'a');
        const { results } = await act(name, input(to), folder);
        expect(outside()).toEqual(before);
        if (name === 'files/read' && results !== null) expect(results.text).not.toBe('v');
      }),
      { numRuns: 400 },
    );
    if (existsSync(join(folder, 'copied')) && lstatSync(join(folder, 'copied')).isFile())
      expect(read(folder, 'copied')).not.toBe('v');
  });
});
