import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { completePrompt, PROMPT_COMMANDS, readPromptCommand } from '../../../src/cli/prompt-command.js';

const TASKS = ['scan', 'rename', 'lint'];
const read = (line: string) => readPromptCommand(line, TASKS);

describe('a line at the question', () => {
  it.each([
    [' YES ', { kind: 'yes' }],
    ['proceed', { kind: 'yes' }],
    ['q', { kind: 'no' }],
    ['why', { kind: 'why' }],
    ['what-if', { kind: 'what-if' }],
    ['plan', { kind: 'show' }],
    ['agents 8', { kind: 'agents', setting: { kind: 'count', agents: 8 } }],
    ['Agents  75%', { kind: 'agents', setting: { kind: 'share', share: 0.75 } }],
    ['agents auto', { kind: 'agents', setting: { kind: 'auto' } }],
    ['backup ref', { kind: 'backup', mode: 'ref' }],
    ['sync eager', { kind: 'sync', mode: 'eager' }],
    ['task rename', { kind: 'task', id: 'rename' }],
  ])('%j is understood', (line, command) => expect(read(line)).toEqual(command));

  it.each([
    ['', 'help'],
    ['yes please', 'stands alone'],
    ['agents', 'such as agents 8'],
    ['agents -3', 'at least 1'],
    ['agents 9999999', 'too many'],
    ['task renam', "did you mean 'rename'"],
    ['task', 'such as task scan'],
    ['wave', "Did you mean 'waves'"],
    ['sync now', 'wave or eager'],
    ['backup tape', 'one of commit, ref, none'],
    ['constructor', "Please answer 'yes'"],
    ['maybe', "Please answer 'yes'"],
  ])('%j gets an answer that helps', (line, part) => {
    const command = read(line);
    expect(command).toMatchObject({ kind: 'unclear', answer: expect.stringContaining(part) });
  });

  it('never runs the plan unless it says so, whatever it is', () => {
    fc.assert(
      fc.property(fc.string(), (line) => {
        const command = read(line);
        if (command.kind === 'yes') expect(['y', 'yes', 'proceed', 'ok', 'go']).toContain(line.trim().toLowerCase());
      }),
      { numRuns: 500 },
    );
  });
});

describe('the Tab key', () => {
  it('offers commands, then what stands after them', () => {
    expect(completePrompt('w', TASKS)).toEqual(['why', 'waves', 'what-if']);
    expect(completePrompt('task r', TASKS)).toEqual(['task rename']);
    expect(completePrompt('agents ', TASKS)).toEqual(['agents auto']);
    expect(completePrompt('toString x', TASKS)).toEqual([]);
  });

  it('offers only what is understood', () => {
    for (const [name, argument] of PROMPT_COMMANDS) {
      const line = argument === '' ? name : `${name} ${argument === 'ID' ? 'scan' : (argument.split('|').at(-1) ?? '')}`;
      expect(read(line).kind, line).not.toBe('unclear');
    }
  });
});
