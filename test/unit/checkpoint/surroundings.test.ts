import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readSurroundingsText, staysInside } from '../../../src/checkpoint/surroundings-text.js';
import { problem, value } from './repo.js';

const GOOD = {
  ignoreFiles: [{ path: 'cache/.gitignore', content: 'Kg==' }],
  emptyFolders: ['a/', 'a.b/..c/'],
  modes: { 'x y': 0o600, 'dir/': 0o700 },
  umask: 0o22,
  ignored: [{ path: '.env', size: 3, mtimeMs: 1.5 }, { path: 'build/' }],
  branch: 'main',
  bytes: 'a'.repeat(40),
};

test('surroundings are read as they were written', () => {
  expect(value(readSurroundingsText(JSON.stringify(GOOD)))).toEqual(GOOD);
});

test.each([
  ['a path above the tree', { ignoreFiles: [{ path: '../.gitignore', content: '' }] }, 'ignoreFiles'],
  ['an ignore file of another name', { ignoreFiles: [{ path: 'a/b', content: '' }] }, 'ignoreFiles'],
  ['an absolute folder', { emptyFolders: ['/etc/x/'] }, 'emptyFolders'],
  ['a folder in .git', { emptyFolders: ['.git/hooks/'] }, 'emptyFolders'],
  ['a mode of a file above', { modes: { '../x': 0o777 } }, 'modes'],
  ['a mode with other bits', { modes: { x: 0o4755 } }, 'modes'],
  ['a revision as an id', { bytes: '--output=x' }, 'bytes'],
  ['an unknown field', { more: 1 }, 'more'],
  ['no list', { emptyFolders: {} }, 'emptyFolders'],
])('surroundings with %s are damaged', (_name, wrong, field) => {
  expect(problem(readSurroundingsText(JSON.stringify({ ...GOOD, ...wrong })))).toContain(field);
});

test.each(['', '/', '/a', '..', 'a/../b', './a', 'a//b', '.git', '.GIT/x', 'a/.git/config', '.git. ./x', 'git~1/x', 'a\0b'])(
  '%j does not stay inside',
  (path) => expect(staysInside(path)).toBe(false),
);

test('a path that stays inside has neither a way up nor a start at the root', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', '..', '.', '', '.git', 'b c', '...'), { maxLength: 6 }), (parts) => {
      const path = parts.join('/');
      const inside =
        parts.length > 0 &&
        parts.every((part, at) => /^(a|b c|\.\.\.)$/.test(part) || (part === '' && at > 0 && at === parts.length - 1));
      expect(staysInside(path)).toBe(inside);
    }),
  );
});
