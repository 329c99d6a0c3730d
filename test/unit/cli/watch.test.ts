import { describe, expect, it } from 'vitest';
import { fixedPart, pathIn, widePattern } from '../../../src/cli/watch/changes.js';
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

  it('has paths in the work folder alone', () => {
    expect([pathIn('/w', '/w/a/b'), pathIn('/w', '/x'), pathIn('/w', '/w')]).toEqual(['a/b', undefined, undefined]);
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

  it('is not what a user who goes on saving makes', () => {
    const feeding = new SelfFeeding();
    for (let round = 0; round < 5; round++) expect(feeding.next(['a'], () => round % 2 === 0)).toEqual([]);
  });
});
