import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutToWidth, displayWidth, steadyText, wrapText } from '../../../src/report/display-width.js';
import { nastyText } from './builders.js';

describe('displayWidth', () => {
  it.each([
    ['', 0],
    ['abc', 3],
    ['日本', 4],
    ['ｗ', 2],
    ['e\u0301', 1],
    ['✅', 2],
    ['⚠', 1],
    ['🌊', 2],
    ['🇨🇭', 2],
    ['🫠', 2],
    ['สวัสดี', 4],
    ['║═…', 3],
  ])('%s takes %d columns', (text, width) => expect(displayWidth(text)).toBe(width));

  it('steady text has no sequences that terminals measure in different ways', () => {
    expect(steadyText('⚠️ 👍🏽 👩🏽‍💻 1️⃣')).toBe('⚠ 👍 👩💻 1\u20e3');
    expect(steadyText('می\u200cخواهم')).toBe('می\u200cخواهم');
  });
});

describe('wrapText', () => {
  it('breaks between words, with a hanging indent', () => {
    expect(wrapText('  one two three', 9, '    ')).toEqual(['  one two', '    three']);
    expect(wrapText('', 10, '  ')).toEqual(['']);
  });

  it('breaks a word that is too long, between characters', () => {
    expect(wrapText('aaaaaaaaaaaa', 5, ' ')).toEqual(['aaaaa', ' aaaa', ' aaa']);
    expect(wrapText('漢漢漢', 5, '')).toEqual(['漢漢', '漢']);
    expect(wrapText('x e\u0301e\u0301e\u0301', 2, '')).toEqual(['x', 'e\u0301e\u0301', 'e\u0301']);
  });

  it('begins such a word where it stands, so that no line holds a bullet alone', () => {
    expect(wrapText('• aaaaaaaaaaaa b', 7, '  ')).toEqual(['• aaaaa', '  aaaaa', '  aa b']);
    expect(wrapText('one aaaa', 7, '  ')).toEqual(['one', '  aaaa']);
  });

  it('no line is too wide, and no character is lost', () => {
    fc.assert(
      fc.property(nastyText, fc.integer({ min: 10, max: 60 }), fc.integer({ min: 0, max: 6 }), (any, width, hanging) => {
        const text = any.replace(/[\u0000-\u001f]/g, '').trim();
        const lines = wrapText(text, width, ' '.repeat(hanging));
        for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(width);
        expect(lines.join('').replace(/\s/g, '')).toBe(text.replace(/\s/g, ''));
      }),
    );
  });
});

describe('cutToWidth', () => {
  it('fits, and says that it was cut', () => {
    expect(cutToWidth('abcdef', 6)).toBe('abcdef');
    expect(cutToWidth('abcdefg', 6)).toBe('abcde…');
    expect(displayWidth(cutToWidth('漢漢漢漢', 6))).toBeLessThanOrEqual(6);
  });
});
