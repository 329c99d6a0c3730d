import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { chmod, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import check, { problemsOf } from '../../../plans/tasks/add-docs/check.ts';
import { codeShape } from '../../../plans/tasks/add-docs/code-shape.ts';
import { withDocComments } from '../../../plans/tasks/add-docs/doc-comment.ts';
import document from '../../../plans/tasks/add-docs/document.ts';
import find from '../../../plans/tasks/add-docs/find.ts';
import { namedFunctions, parse } from '../../../plans/tasks/add-docs/functions.ts';
import report from '../../../plans/tasks/add-docs/report.ts';
import { sentenceOf, wordsOf } from '../../../plans/tasks/add-docs/sentences.ts';
import { fakeContext, folderWith } from './fake-context.ts';

const LIBRARY = fileURLToPath(new URL('../../../plans/fixtures/small-library/src', import.meta.url));
const SOURCES = readdirSync(LIBRARY, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
const read = (file: string) => readFileSync(path.join(LIBRARY, file), 'utf8');

const documented = (text: string) => withDocComments('a.ts', text).text;
const added = (text: string) => withDocComments('a.ts', text).added;
const shape = (text: string) => codeShape(parse('a.ts', text));

describe('the doc writer on the fixture library', () => {
  it('has something to do and something to leave alone', () => {
    const functions = SOURCES.flatMap((file) => namedFunctions(parse(file, read(file))));
    const missing = functions.filter((named) => !named.documented);
    expect(SOURCES.length).toBeGreaterThanOrEqual(25);
    expect(missing.length).toBe(81);
    expect(functions.length).toBeGreaterThan(missing.length + 10);
  });

  it.each(SOURCES)('%s: every function documented, the same code, and nothing to do the second time', (file) => {
    const before = read(file);
    const { text } = withDocComments(file, before);
    expect(problemsOf(file, before, text)).toEqual([]);
    expect(withDocComments(file, text)).toEqual({ text, added: [] });
  });

  it.each(SOURCES)('%s: only whole comments are added, so that without them the text is as it was', (file) => {
    const before = read(file);
    const kept = withDocComments(file, before).text.split('\n');
    // Lines of the old text, in order; what lies between them is comment.
    let at = 0;
    for (const line of before.split('\n')) {
      const found = kept.indexOf(line, at);
      expect(found, line).toBeGreaterThanOrEqual(at);
      for (const inserted of kept.slice(at, found)) expect(inserted).toMatch(/^\s*(\/\*\*| \*)/);
      at = found + 1;
    }
  });
});

describe('what counts as a function without a doc comment', () => {
  it.each([
    ['function f() {}', ['f']],
    ['/** Doc. */\nfunction f() {}', []],
    ['/* no doc */\nfunction f() {}', ['f']],
    ['export default function () {}', ['default']],
    ['export default (a: number) => a;', ['default']],
    ['export const f = async <T>(a: T) => a;', ['f']],
    ['const f = function* () {};', ['f']],
    ['const a = () => 1, b = () => 2;', []],
    ['const s = "function f() {}"; // function g() {}', []],
    ['list.map(function named(a) { return a; }).filter((a) => a);', []],
    ['class A { constructor() {} get x() { return 1; } m() {} #p = () => 1; static s(): void {} }', ['m', '#p', 's']],
    ['const o = { m() {}, a: () => 1 };', ['m']],
    ['interface I { m(): void }\ntype F = () => void;', []],
    ['function outer() { function inner() {} }', ['outer', 'inner']],
    ['function f(): 1;\nfunction f(a: 1): 1;\nfunction f(): 1 { return 1; }', ['f']],
    ['function f(): 1;\n/** Doc. */\nfunction f(a: 1): 1;\nfunction f(): 1 { return 1; }', []],
    ['abstract class A { abstract m(): void; n() {} }\nclass B { m() {} }', ['m', 'n', 'm']],
  ])('%s', (text, expected) => {
    expect(added(text)).toEqual(expected);
  });
});

describe('a doc comment', () => {
  it('names parameters and what comes back', () => {
    const text = 'export function findUser(this: Db, userName: string, { deep }: FindOptions = {}, ...rest: string[]): User {}';
    expect(documented(text)).toBe(`/**
 * Finds the user.
 * @param userName - The user name.
 * @param findOptions - The find options.
 * @param rest - The rest.
 * @returns The user.
 */
${text}`);
  });

  it.each([
    'function f(): void {}',
    'async function f(): Promise<void> {}',
    'function f() { return; }',
    'function f() { const g = () => { return 1; }; }',
    'function f(a: unknown): asserts a is string {}',
  ])('has no @returns where nothing comes back: %s', (text) => {
    expect(documented(text).slice(0, documented(text).indexOf('*/'))).not.toContain('@returns');
  });

  it('takes the indentation and the line breaks of the text', () => {
    expect(documented('class A {\r\n\tm() {}\r\n}\r\n')).toBe(
      'class A {\r\n\t/**\r\n\t * Runs the m.\r\n\t */\r\n\tm() {}\r\n}\r\n',
    );
  });

  it('stands before decorators, and before line comments that must stay next to the code', () => {
    expect(documented('class A {\n  @log\n  run() {}\n}')).toContain('   */\n  @log\n  run() {}');
    expect(documented('const a = 1;\n\n// A heading.\n\n// @ts-expect-error\nfunction run() {}')).toContain(
      '// A heading.\n\n/**\n * Runs.\n */\n// @ts-expect-error\nfunction run() {}',
    );
  });

  it('comes after a shebang and a byte order mark', () => {
    expect(documented('#!/usr/bin/env node\nfunction run() {}')).toMatch(/^#!.*\n\/\*\*/);
    expect(documented('\uFEFFfunction run() {}')).toMatch(/^\uFEFF\/\*\*/);
  });

  it.each([
    ['parseDate', 'Parses the date.'],
    ['isEmpty', 'Tells whether it is empty.'],
    ['toJSON', 'Converts to json.'],
    ['retryAll', 'Retries all.'],
    ['capacity', 'Gives the capacity.'],
  ])('of %s begins: %s', (name, expected) => {
    expect(sentenceOf({ name, parameters: [], gives: 'value' })).toBe(expected);
  });

  it('finds the words of a name', () => {
    expect(wordsOf('parseHTTPHeader_v2')).toEqual(['parse', 'http', 'header', 'v2']);
    expect(wordsOf('#drain')).toEqual(['drain']);
    expect(wordsOf('[Symbol.asyncIterator]')).toEqual(['async', 'iterator']);
  });
});

describe('any mix of code', () => {
  const piece = fc.constantFrom(
    'function f(a) { return a; }',
    'export const g = (a: number): number => a;',
    'class A { m() { function inner() {} } static #s = async () => {}; }',
    '/** Doc. */ function h() {}',
    'const o = { m() { return { n() {} }; } };',
    `const t = \`\${(() => { function u() {} return 1; })()}\`;`,
    'const r = /\\/\\*\\*/; // function x() {}',
    'function v(): 1;\nfunction v(): 1 { return 1; }',
    'label: for (;;) { function w() {} break label; }',
    'declare function x(): void;',
  );
  const text = fc
    .tuple(fc.array(piece), fc.constantFrom('\n', '\r\n', '\n\n\t'))
    .map(([pieces, separator]) => pieces.join(separator));

  it('stays the same code, is fully documented, and is left alone the second time', () => {
    fc.assert(
      fc.property(text, (before) => {
        const after = documented(before);
        expect(shape(after)).toBe(shape(before));
        expect(namedFunctions(parse('a.ts', after)).every((named) => named.documented)).toBe(true);
        expect(documented(after)).toBe(after);
      }),
    );
  });
});

describe('the shape of code', () => {
  it('does not depend on comments and white space', () => {
    expect(shape('/** Doc. */ function  f ( ) {\n// x\n}')).toBe(shape('function f() {}'));
  });

  it.each([
    ['const a = 1', 'let a = 1'],
    ['f(a, b)', 'f(b, a)'],
    ["'a'", '"a"'],
    ['function f() { return 1 }', 'function f() { return\n1 }'],
    ['`a b`', '`a  b`'],
    ['a + b * c', '(a + b) * c'],
  ])('tells %s from %s', (one, other) => {
    expect(shape(one)).not.toBe(shape(other));
  });
});

describe('check', () => {
  const before = 'export function f(a: number) {\n  return a;\n}\n';

  it('finds other code, broken syntax, and functions without a doc comment', () => {
    const after = documented(before);
    expect(problemsOf('a.ts', before, after)).toEqual([]);
    expect(problemsOf('a.ts', before, after.replace('return a', 'return b'))).toEqual([
      'a.ts: the code is not what was committed',
    ]);
    expect(problemsOf('a.ts', before, before)).toEqual(['a.ts: f has no doc comment']);
    expect(problemsOf('a.ts', before, after.replace('*/', '')).join()).toContain("'*/' expected");
  });
});

describe('the tasks on a repository', () => {
  const git = (folder: string, ...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=test', '-c', 'user.email=test@localhost', ...args], { cwd: folder, stdio: 'ignore' });

  async function repositoryWith(files: Readonly<Record<string, string>>): Promise<string> {
    const folder = await folderWith(files);
    git(folder, 'init');
    git(folder, 'add', '--all');
    git(folder, 'commit', '--message', 'start');
    return folder;
  }

  it('find lists plain TypeScript sources that git does not ignore', async () => {
    const folder = await repositoryWith({
      '.gitignore': 'dist\n',
      'src/a.ts': '',
      'src/b.d.ts': '',
      'src/c.js': '',
      'src/gone.ts': '',
      'src/ü b.tsx': '',
      'other/d.ts': '',
    });
    await writeFile(path.join(folder, 'src/new.mts'), '');
    await symlink('a.ts', path.join(folder, 'src/link.ts'));
    await rm(path.join(folder, 'src/gone.ts'));
    const { files, summary } = await find({ root: 'src' }, fakeContext(folder));
    expect([...files].sort()).toEqual(['src/a.ts', 'src/new.mts', 'src/ü b.tsx']);
    expect(summary).toBe('Found 3 TypeScript files in src');
  });

  it('find fails outside a repository', async () => {
    await expect(find({ root: '../..' }, fakeContext(await repositoryWith({ a: '' })))).rejects.toThrow('git cannot list ../..');
  });

  it('document, check and report agree, and a second round changes nothing', async () => {
    const folder = await repositoryWith({ 'a.ts': 'export const f = () => 1;\n', 'b.ts': '/** Doc. */\nfunction g() {}\n' });
    const files = ['a.ts', 'b.ts'];
    await chmod(path.join(folder, 'a.ts'), 0o755);
    await expect(check({ files }, fakeContext(folder))).rejects.toThrow('a.ts: f has no doc comment');

    const context = fakeContext(folder);
    const first = await document({ files }, context);
    expect(first).toEqual({ files: 2, changed: [{ file: 'a.ts', added: ['f'] }] });
    expect(context.logged).toEqual(['a.ts: f']);
    expect((await stat(path.join(folder, 'a.ts'))).mode & 0o777).toBe(0o755);
    const checked = await check({ files }, fakeContext(folder));
    expect(checked).toEqual({ files: 2, functions: 2 });
    expect(report({ documented: [first], checked: [checked] }).summary[0]).toBe('Added 1 doc comments to 1 of 2 files');

    const text = await readFile(path.join(folder, 'a.ts'), 'utf8');
    const written = (await stat(path.join(folder, 'a.ts'))).mtimeMs;
    const second = await document({ files }, fakeContext(folder));
    expect(second).toEqual({ files: 2, changed: [] });
    expect(await readFile(path.join(folder, 'a.ts'), 'utf8')).toBe(text);
    expect((await stat(path.join(folder, 'a.ts'))).mtimeMs).toBe(written);
    expect(report({ documented: [second], checked: [checked] }).summary[0]).toBe('Nothing to do: no file was changed');
    expect((await readdir(folder)).sort()).toEqual(['.git', 'a.ts', 'b.ts']);
  });

  it('a file that does not parse is named and not touched; the others of its batch are done', async () => {
    const broken = 'function f( {\n';
    const folder = await folderWith({ 'a.ts': broken, 'b.ts': 'function g() {}\n' });
    await expect(document({ files: ['a.ts', 'b.ts'] }, fakeContext(folder))).rejects.toThrow('a.ts:');
    expect(await readFile(path.join(folder, 'a.ts'), 'utf8')).toBe(broken);
    expect(await readFile(path.join(folder, 'b.ts'), 'utf8')).toContain('Runs the g.');
  });
});
