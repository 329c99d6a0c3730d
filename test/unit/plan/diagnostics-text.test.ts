import { describe, expect, it } from 'vitest';
import type { Diagnostic } from '../../../src/model/diagnostic.js';
import { diagnosticsToJson, formatDiagnostics } from '../../../src/report/diagnostics.js';

function mistake(column: number, endColumn: number, more: Partial<Diagnostic> = {}): Diagnostic {
  return {
    code: 'PLAN-VALUE',
    severity: 'error',
    message: 'wrong',
    file: 'plans/x.yaml',
    range: { line: 1, column, endLine: 1, endColumn },
    hint: undefined,
    related: [],
    ...more,
  };
}

/** The excerpt's two lines. */
function excerpt(source: string, diagnostic: Diagnostic): readonly string[] {
  return formatDiagnostics([diagnostic], () => source, { color: false })
    .split('\n')
    .slice(1, 3);
}

describe('formatDiagnostics', () => {
  it('shows place, code, message, line, caret, hint and related places', () => {
    const source = 'a: 1\nb: [a, b]\nc: [b]\n';
    const diagnostic = mistake(0, 0, {
      code: 'PLAN-CYCLE',
      range: { line: 2, column: 8, endLine: 2, endColumn: 9 },
      hint: "did you mean 'c'?",
      related: [{ message: "'c' needs 'b'", file: 'plans/x.yaml', range: { line: 3, column: 5, endLine: 3, endColumn: 6 } }],
    });
    expect(formatDiagnostics([diagnostic, mistake(1, 2)], () => source, { color: false })).toBe(
      [
        'plans/x.yaml:2:8 PLAN-CYCLE wrong',
        '  b: [a, b]',
        '         ^',
        "  hint: did you mean 'c'?",
        "  plans/x.yaml:3:5 'c' needs 'b'",
        '    c: [b]',
        '        ^',
        '',
        'plans/x.yaml:1:1 PLAN-VALUE wrong',
        '  a: 1',
        '  ^',
      ].join('\n'),
    );
  });

  it('underlines the whole place', () => {
    expect(excerpt('key: value', mistake(6, 11))).toEqual(['  key: value', '       ^~~~~']);
  });

  it('keeps tabs, and counts wide characters twice and combining ones not at all', () => {
    expect(excerpt('\ta:\tvalue', mistake(5, 10))).toEqual(['  \ta:\tvalue', '  \t  \t^~~~~']);
    expect(excerpt('日本: x', mistake(5, 6))).toEqual(['  日本: x', '        ^']);
    expect(excerpt('e\u0301: 日本', mistake(5, 7))).toEqual(['  e\u0301: 日本', '     ^~~~']);
  });

  it('cuts a very long line around the place', () => {
    const source = `${'x'.repeat(5000)}HERE${'y'.repeat(5000)}`;
    const [line = '', carets = ''] = excerpt(source, mistake(5001, 5005));
    expect(line.length).toBeLessThan(110);
    expect(line.slice(carets.indexOf('^'), carets.indexOf('^') + 4)).toBe('HERE');
    expect(carets.trim()).toBe('^~~~');
    expect(line).toMatch(/^ {2}…x+HEREy+…$/);
  });

  it('marks to the end of the line what goes on below it, and the end of a line by one caret', () => {
    expect(excerpt('a: [\n]', mistake(4, 2, { range: { line: 1, column: 4, endLine: 2, endColumn: 2 } }))).toEqual([
      '  a: [',
      '     ^',
    ]);
    expect(excerpt('a:', mistake(3, 3))).toEqual(['  a:', '    ^']);
  });

  it('makes control characters of the source, the message and the file inert', () => {
    const evil = '\u001b]52;c;x\u0007\u202eabc\u009b\u0000\r\u2028';
    const text = formatDiagnostics(
      [
        mistake(1, 3, {
          message: evil,
          file: evil,
          hint: evil,
          related: [{ message: evil, file: evil, range: { line: 1, column: 1, endLine: 1, endColumn: 2 } }],
        }),
      ],
      () => evil,
      {
        color: false,
      },
    );
    expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u202e]/);
  });

  it('does without an excerpt where there is no place, or no such line', () => {
    expect(formatDiagnostics([mistake(1, 1, { range: undefined })], () => '', { color: false })).toBe(
      'plans/x.yaml PLAN-VALUE wrong',
    );
    expect(
      formatDiagnostics([mistake(1, 1, { range: { line: 9, column: 1, endLine: 9, endColumn: 1 } })], () => 'a', {
        color: false,
      }),
    ).toBe('plans/x.yaml:9:1 PLAN-VALUE wrong');
  });

  it('ignores a byte order mark and carriage returns', () => {
    expect(excerpt('\ufeffabc\r\n', mistake(2, 3))).toEqual(['  abc', '   ^']);
  });

  it('breaks long messages between words where a width is given, and leaves the source line as it is', () => {
    const long = mistake(1, 2, { message: 'a message with $& many words', hint: 'and a hint that is long too' });
    expect(formatDiagnostics([long], () => 'a: b c d e f g h i j k l m n o', { color: false, width: 30 })).toBe(
      [
        'plans/x.yaml:1:1 PLAN-VALUE a',
        '  message with $& many words',
        '  a: b c d e f g h i j k l m n o',
        '  ^',
        '  hint: and a hint that is',
        '    long too',
      ].join('\n'),
    );
  });

  it('colours only where asked to', () => {
    expect(formatDiagnostics([mistake(1, 2)], () => 'a', { color: true })).toContain('\u001b[31m');
    expect(formatDiagnostics([mistake(1, 2)], () => 'a', { color: false })).not.toContain('\u001b');
  });
});

it('diagnosticsToJson has every key', () => {
  expect(diagnosticsToJson([mistake(1, 2, { range: undefined })])).toEqual([
    { code: 'PLAN-VALUE', severity: 'error', message: 'wrong', file: 'plans/x.yaml', range: null, hint: null, related: [] },
  ]);
});
