import { readFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { causeIn, type PrintedOutput } from '../../../src/actions/failure-cause.js';

/** What commands printed, recorded from real ones or taken from their documentation, each with the line that is the cause. */
function printedByTools(): readonly (readonly [string, string | undefined, PrintedOutput])[] {
  const text = readFileSync(new URL('failed-commands.txt', import.meta.url), 'utf8');
  return text
    .split(/^### (?=(?!stdout$|stderr$|=>))/m)
    .slice(1)
    .map((block) => {
      const [head = '', ...parts] = block.split(/^### (?=(?:stdout|stderr)$)/m);
      const [name = '', cause = ''] = head.trimEnd().split('\n### =>');
      const of = (stream: string) => parts.find((part) => part.startsWith(stream))?.slice(stream.length + 1) ?? '';
      return [name, cause.trim() || undefined, { stdout: of('stdout'), stderr: of('stderr') }];
    });
}

describe('the cause of a failed command', () => {
  it.each(printedByTools())('%s', (_, cause, printed) => {
    expect(causeIn(printed)).toBe(cause);
  });

  it('is the last line of standard error where no rule knows better', () => {
    expect(causeIn({ stdout: 'done\n', stderr: 'reading\nthe bucket is full\n\n' })).toBe('the bucket is full');
    expect(causeIn({ stdout: '', stderr: '' })).toBeUndefined();
    expect(causeIn({ stdout: '', stderr: '}\n  ^\n' })).toBeUndefined();
  });

  it('is the same whatever colors a tool prints', () => {
    const red = (text: string) => `\u001b[31m${text}\u001b[39m`;
    expect(causeIn({ stdout: '', stderr: `${red('error')}: no such file\n` })).toBe('error: no such file');
  });

  it('is something that was printed, whatever was', () => {
    const known = printedByTools().flatMap(([, , { stdout, stderr }]) => `${stdout}${stderr}`.split('\n'));
    const lines = fc.array(fc.oneof(fc.constantFrom(...known), fc.string()), { maxLength: 12 }).map((all) => all.join('\n'));
    fc.assert(
      fc.property(lines, lines, (stdout, stderr) => {
        const cause = causeIn({ stdout, stderr });
        if (cause === undefined) return;
        expect(cause).toBe(cause.trim());
        expect(cause).not.toMatch(/[\r\n]/);
        const words = (text: string) => text.match(/[\p{L}\p{N}]+/gu) ?? [];
        // Colors are taken out before.
        const printed = new Set([...words(stripVTControlCharacters(`${stdout}\n${stderr}`)), 'cause']);
        for (const word of words(cause)) expect(printed).toContain(word);
      }),
    );
  });
});
