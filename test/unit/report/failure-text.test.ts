import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { displayWidth } from '../../../src/report/display-width.js';
import { renderFailures } from '../../../src/report/failure-text.js';
import { failed, nastyText, runFinished, runStarted, summaryOf } from './builders.js';

describe('the failures at the end of a run', () => {
  it('are told by cause, with the whole message and the end of what was said', () => {
    const message = 'exit code 3: the picture cannot be read because its header is damaged';
    const summary = summaryOf([runStarted(), failed('draw', 0, message), failed('draw', 1, message), runFinished('failed')]);
    const logs = [{ subtask: 'draw[0]', text: 'reading\nbroken header\n' }];
    expect(renderFailures({ summary, logs, runDir: '/r' }, { color: false, width: 40 })).toBe(
      [
        '❌ 2 failures, by cause',
        '2 times: exit code 3: the picture cannot',
        '  be read because its header is damaged',
        '  (command)',
        '  draw[0], draw[1]',
        '  the end of what draw[0] said:',
        '  │ reading',
        '  │ broken header',
        'Logs: /r/logs',
        '',
      ].join('\n'),
    );
  });

  it('quote what was said whole, with its indentation', () => {
    const logs = [
      { subtask: 'draw[0]', text: 'FAIL header.test.js: expected three rows, got two\n    at read (header.js:17)\n' },
    ];
    const summary = summaryOf([runStarted(), failed('draw', 0, 'no')]);
    const quoted = (width: number) =>
      renderFailures({ summary, logs, runDir: '/r' }, { color: false, width })
        .split('\n')
        .filter((text) => text.startsWith('  │ '));
    expect(quoted(40)).toEqual([
      '  │ FAIL header.test.js: expected three',
      '  │   rows, got two',
      '  │     at read (header.js:17)',
    ]);
    expect(quoted(80)).toEqual(['  │ FAIL header.test.js: expected three rows, got two', '  │     at read (header.js:17)']);
  });

  it('fit the width, whatever was said', () => {
    fc.assert(
      fc.property(nastyText, nastyText, fc.integer({ min: 40, max: 200 }), fc.boolean(), (message, said, width, color) => {
        const summary = summaryOf([
          runStarted(),
          ...[0, 1, 2, 3].map((index) => failed('a-long-name-of-a-task', index, message)),
        ]);
        const logs = [{ subtask: 'a-long-name-of-a-task[0]', text: said }];
        const text = renderFailures({ summary, logs, runDir: '/r' }, { color, width });
        for (const line of text.split('\n')) expect(displayWidth(stripVTControlCharacters(line))).toBeLessThanOrEqual(width);
      }),
    );
  });
});
