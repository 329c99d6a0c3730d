import { describe, expect, it } from 'vitest';
import { shortestPath } from '../../../src/checkpoint/fingerprint-files.js';
import { fixedPart, shortestPattern, widePattern } from '../../../src/cli/watch/changes.js';
import { SelfFeeding } from '../../../src/cli/watch/self-feeding.js';

describe('patterns of what to watch', () => {
  it.each([
    ['src/*.ts', 'src/*.ts', 'src'],
    ['a/b.txt', 'a/b.txt', 'a/b.txt'],
    ['${{ item }}', '**/*', '.'],
    ['out/${{ item }}.js', 'out/**/*.js', 'out'],
    ['out/x-${{ item }}', 'out/x-*', 'out'],
  ])('%s is %s, in %s', (entry, wide, fixed) => {
    expect(widePattern(entry)).toBe(wide);
    expect(fixedPart(wide)).toBe(fixed);
  });

  it.each([
    ['./a.txt', 'a.txt'],
    ['src/../a.txt', 'a.txt'],
    ['/w/src//a.txt', 'src/a.txt'],
    ['../in.txt', '../in.txt'],
    ['/x/in.txt', '../x/in.txt'],
    ['.', '.'],
    ['..a/.b', '..a/.b'],
  ])('the shortest path of %s is %s', (path, shortest) => {
    expect(shortestPath('/w', path)).toBe(shortest);
  });

  it.each([
    ['./dist/*.txt', 'dist/*.txt'],
    ['/w/dist/**', 'dist/**'],
    ['../x/./y/*.txt', '../x/y/*.txt'],
    ['/w/*', '*'],
    ['./**/*', '**/*'],
    ['**/*.txt', '**/*.txt'],
    ['/**', '../**'],
  ])('the shortest pattern of %s is %s', (pattern, shortest) => {
    expect(shortestPattern('/w', pattern)).toBe(shortest);
  });
});

describe('a plan that feeds itself', () => {
  it('is found when one file changes during three rounds in a row, and not sooner', () => {
    const feeding = new SelfFeeding();
    const all = () => true;
    expect(feeding.next(['a', 'b'], all)).toEqual([]);
    expect(feeding.next(['a'], all)).toEqual([]);
    expect(feeding.next(['a', 'b'], all)).toEqual(['a']);
    feeding.reset();
    expect(feeding.next(['a'], all)).toEqual([]);
  });

  it('is not a file that a user saves three times while one round runs', () => {
    const feeding = new SelfFeeding();
    for (const round of [1, 1, 1, 2, 2]) expect(feeding.next(['a'], () => true, round)).toEqual([]);
    expect(feeding.next(['a'], () => true, 3)).toEqual(['a']);
  });

  it('is not a file that a user saves after the work of each round, while it is recorded', () => {
    const feeding = new SelfFeeding();
    for (let round = 1; round < 6; round++) {
      expect(feeding.next(['a'], () => true, round)).toEqual([]);
      feeding.ended(() => false);
    }
  });

  it('is not what a user who goes on saving makes', () => {
    const feeding = new SelfFeeding();
    for (let round = 0; round < 5; round++) expect(feeding.next(['a'], () => round % 2 === 0)).toEqual([]);
  });
});
