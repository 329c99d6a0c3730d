import { describe, expect, it } from 'vitest';
import { outdatedTasks, outdatedText } from '../../../src/plan/compare-plans.js';
import type { ValidPlan } from '../../../src/plan/valid-plan.js';
import { planOf, valid } from './marked-plan.js';

const BEFORE = `  a: { run: echo a }
  b: { run: echo b }
  fan: { needs: [a], foreach: [1, 2], run: echo fan }
  sum: { needs: [fan, b], run: echo sum }
  end: { needs: [sum], run: echo end }
`;

function plan(tasks: string, head = ''): ValidPlan {
  return valid(planOf(tasks, head));
}

function changed(edit: (text: string) => string, head?: string): Record<string, string> {
  const found = outdatedTasks(plan(BEFORE, head), plan(edit(BEFORE), head));
  return Object.fromEntries([...found].map(([task, reason]) => [task, outdatedText(reason)]));
}

describe('what an edit of a plan makes outdated', () => {
  it('is nothing where only times, texts or the order of tasks change', () => {
    expect(changed((text) => text)).toEqual({});
    const edited = (text: string) =>
      text
        .replace('run: echo a ', 'run: echo a, timeout: 5s, retries: { max: 3 }, estimate: 1s, phase: First ')
        .split('\n')
        .reverse()
        .join('\n');
    expect(changed(edited)).toEqual({});
  });

  it('is the task whose command changed and what needs it, directly or not', () => {
    expect(changed((text) => text.replace('echo b', 'echo B'))).toEqual({
      b: 'its definition changed (run)',
      sum: 'it needs b, whose results are new',
      end: 'it needs sum, whose results are new',
    });
    expect(changed((text) => text.replace('run: echo sum', 'run: echo sum, env: { A: b }, cwd: x'))).toEqual({
      sum: 'its definition changed (env, cwd)',
      end: 'it needs sum, whose results are new',
    });
  });

  it('is not a fan-out whose items alone change, but what needs it', () => {
    for (const edited of ['[1, 2, 3]', '[2, 1]', '[1, 2], batch: 2']) {
      expect(Object.keys(changed((text) => text.replace('[1, 2]', edited))).sort(), edited).toEqual(['end', 'sum']);
    }
  });

  it('is a task that is new, or needs another', () => {
    expect(changed((text) => text.replace('needs: [sum]', 'needs: [sum, new]').concat('  new: { run: echo new }\n'))).toEqual({
      new: 'the plan did not have it before',
      end: 'its definition changed (needs)',
    });
  });

  it('is what needs a task whose failures are tried again', () => {
    const same = plan(BEFORE);
    expect([...outdatedTasks(same, same, { changing: new Set(['fan']) }).keys()].sort()).toEqual(['end', 'sum']);
  });

  it('is a task whose hash was another, as when a file changed that the plan includes', () => {
    const same = plan(BEFORE);
    const hashes = Object.fromEntries(same.tasks.map(({ id, hash }) => [id, id === 'b' ? 'another' : hash]));
    expect([...outdatedTasks(same, same, { hashes }).keys()].sort()).toEqual(['b', 'end', 'sum']);
  });

  it('follows the values of params', () => {
    const head = 'params: { p: { default: x } }\n';
    const now = plan(BEFORE, head.replace('x', 'y'));
    expect(outdatedTasks(plan(BEFORE, head), now).get('a')).toEqual({
      kind: 'changed',
      keys: ['params, or a file that is included'],
    });
  });
});
