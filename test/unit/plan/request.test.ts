import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRequest } from '../../../src/plan/request.js';

describe('parseRequest', () => {
  it.each([
    [
      'Execute this task dynamically with auto-scaled parallel instances: rename it',
      { mode: 'AUTOMATIC_SCALING', task: 'rename it' },
    ],
    [
      'EXECUTE this\n  task dynamically with\tAUTO-scaled parallel instances :\n rename: it',
      { mode: 'AUTOMATIC_SCALING', task: 'rename: it' },
    ],
    ['Execute this task using 50 parallel agents: clean up', { mode: 'USER_OVERRIDE', agents: 50, task: 'clean up' }],
    ['  execute THIS task\nusing  7\nparallel agents:\nclean\nup  ', { mode: 'USER_OVERRIDE', agents: 7, task: 'clean\nup' }],
    ['Execute this task using 1 parallel agent: x', { mode: 'USER_OVERRIDE', agents: 1, task: 'x' }],
    ['clean up this repo using 50 parallel agents', { mode: 'USER_OVERRIDE', agents: 50, task: 'clean up this repo' }],
    ['Clean up using 5 PARALLEL agents.', { mode: 'USER_OVERRIDE', agents: 5, task: 'Clean up' }],
    ['using sed using 3 parallel agents', { mode: 'USER_OVERRIDE', agents: 3, task: 'using sed' }],
    ['clean up using many parallel agents', { mode: 'AUTOMATIC_SCALING', task: 'clean up using many parallel agents' }],
    [
      'find files using 5 parallel agents and sort',
      { mode: 'AUTOMATIC_SCALING', task: 'find files using 5 parallel agents and sort' },
    ],
    [' tidy up ', { mode: 'AUTOMATIC_SCALING', task: 'tidy up' }],
  ])('%j', (text, request) => {
    expect(parseRequest(text)).toEqual({ ok: true, value: request });
  });

  it.each(['0', '-5', '1.5', '1,000', '100001', '9'.repeat(30)])('refuses %s agents, at the number', (count) => {
    for (const text of [`Execute this task using ${count} parallel agents: x`, `  using x\nusing ${count} parallel agents`]) {
      const parsed = parseRequest(text);
      expect(parsed.ok).toBe(false);
      if (!parsed.ok) expect(text.slice(parsed.error.start, parsed.error.end)).toBe(count);
    }
  });

  it('refuses a pattern without a task', () => {
    expect(parseRequest('Execute this task using 5 parallel agents:').ok).toBe(false);
    expect(parseRequest('Execute this task dynamically with auto-scaled parallel instances: ').ok).toBe(false);
    expect(parseRequest('using 5 parallel agents').ok).toBe(false);
  });

  it('finds the same whatever the white space and the case', () => {
    const space = fc.string({ unit: fc.constantFrom(' ', '\n', '\t'), minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), space, fc.boolean(), (agents, gap, upper) => {
        const words = ['tidy', 'using', String(agents), 'parallel', 'agents'].join(gap);
        const parsed = parseRequest(upper ? words.toUpperCase() : words);
        expect(parsed).toEqual({ ok: true, value: { mode: 'USER_OVERRIDE', agents, task: upper ? 'TIDY' : 'tidy' } });
      }),
    );
  });
});
