import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSubtaskId, SUBTASK_INDEX_BOUND, subtaskId, taskOfSubtask } from '../../../src/model/ids.js';

describe("a subtask's name", () => {
  it('is parsed to what it was printed from', () => {
    const tasks = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/);
    const indexes = fc.option(fc.nat({ max: SUBTASK_INDEX_BOUND - 1 }), { nil: undefined });
    fc.assert(
      fc.property(tasks, indexes, (task, index) => {
        const text = subtaskId(task, index);
        expect(parseSubtaskId(text)).toEqual({ task, index });
        expect(taskOfSubtask(text)).toBe(task);
      }),
    );
  });

  it('is a task as a whole unless it is exactly what would be printed', () => {
    const texts = ['', 'a', 'a[]', 'a[', ']', 'a]', 'a[01]', 'a[-1]', 'a[1.5]', 'a[1e3]', 'a[ 1]', 'a[1] ', 'a[1]]', 'a[١]'];
    for (const text of [...texts, `a[${SUBTASK_INDEX_BOUND}]`, 'a[999999999999999999999]'])
      expect(parseSubtaskId(text)).toEqual({ task: text, index: undefined });
    expect(parseSubtaskId('a[1][2]')).toEqual({ task: 'a[1]', index: 2 });
    expect(parseSubtaskId('[0]')).toEqual({ task: '', index: 0 });
  });

  it('is parsed like this by any text, to what prints it again', () => {
    const texts = fc.oneof(fc.string(), fc.stringMatching(/^[a[]{0,2}\[[0-9]{0,9}\]?$/));
    fc.assert(
      fc.property(texts, (text) => {
        const { task, index } = parseSubtaskId(text);
        expect(subtaskId(task, index)).toBe(text);
        expect(taskOfSubtask(text)).toBe(task);
      }),
    );
  });
});
