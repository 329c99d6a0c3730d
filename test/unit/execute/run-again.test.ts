import { describe, expect, it } from 'vitest';
import { RunControl } from '../../../src/execute/run-control.js';
import { overList, overResultsOf } from '../../support/plans.js';
import { failureOf } from './fakes.js';
import { Rig } from './rig.js';

const DONE = { status: 'done', reason: 'every wave is complete' };

/** Two tasks with inputs, each with one that needs it. */
const TASKS = [
  { id: 'each', ...overList(20), inputs: ['src/**'] },
  { id: 'other', inputs: ['other'] },
  { id: 'after', needs: ['each'] },
  { id: 'last', needs: ['other'] },
];

async function ended(rig: Rig, outcomes: Parameters<Rig['finishAll']>[0] = () => ({})): Promise<Rig> {
  await rig.start();
  await rig.finishAll(outcomes);
  return rig;
}

/** The subtasks that ended after the first `before` events. */
function ranSince(rig: Rig, before: number): readonly string[] {
  return rig.events.slice(before).flatMap((event) => (event.type === 'subtask-finished' ? [event.checkpoint.task_id] : []));
}

describe('another round on a run', () => {
  it('runs what is affected and what depends on it, and nothing else', async () => {
    const rig = await ended(new Rig({ tasks: TASKS }));
    const before = rig.events.length;
    const { over } = await rig.again(new Map([['each', new Set([3, 17])]]));
    expect(rig.running).toEqual(['each[3]', 'each[17]']);
    await rig.finishAll();
    expect(await over).toEqual({ kind: 'over', end: DONE });
    expect(ranSince(rig, before)).toEqual(['each[3]', 'each[17]', 'after']);
  });

  it('runs what failed before, and then what was skipped for it', async () => {
    const fails = (bad: string) => (execution: { readonly request: { readonly subtask: string } }) =>
      execution.request.subtask === bad ? { failure: failureOf() } : {};
    const rig = await ended(new Rig({ tasks: TASKS }), fails('other'));
    expect(rig.end?.status).toBe('failed');
    const before = rig.events.length;
    const { over } = await rig.again(new Map([['each', new Set([0])]]));
    await rig.finishAll();
    expect((await over).kind).toBe('over');
    expect([...ranSince(rig, before)].sort()).toEqual(['after', 'each[0]', 'last', 'other']);
  });

  it('that was cut short tells what it was to run, and the next one does', async () => {
    const rig = await ended(new Rig({ tasks: TASKS }));
    const control = new RunControl();
    const { over } = await rig.again(new Map([['each', new Set([3])]]), { control });
    await rig.finish('each[3]');
    expect(rig.running).toEqual(['after']);
    control.abort({ status: 'stopped', reason: 'changed again' });
    await rig.finishAll(() => ({ failure: failureOf('cancelled') }));
    const cut = await over;
    if (cut.kind !== 'cut-short') throw new Error(`it ended as ${cut.kind}`);
    expect([cut.end.status, [...cut.asked.keys()], [...cut.ran]]).toEqual(['stopped', ['each', 'after'], ['each', 'after']]);
    const next = await rig.again(cut.asked, { unsettled: [...cut.ran] });
    await rig.finishAll();
    expect(await next.over).toEqual({ kind: 'over', end: DONE });
    expect(rig.checkpoints.at(-1)?.task_id).toBe('after');
  });

  it('looks with what reads nothing by name, and goes no further where that found the same', async () => {
    const tasks = [{ id: 'list' }, { id: 'next', ...overResultsOf('list'), inputs: ['${{ item }}'] }];
    const outcomes = (items: readonly number[]) => (execution: { readonly request: { readonly subtask: string } }) =>
      execution.request.subtask === 'list' ? { results: [...items] } : {};
    const rig = await ended(new Rig({ tasks }), outcomes([1, 2]));
    const before = rig.events.length;
    const same = await rig.again(new Map([['next', new Set([1])]]), { quiet: ['list'] });
    await rig.finishAll(outcomes([1, 2]));
    expect((await same.over).kind).toBe('over');
    expect(ranSince(rig, before)).toEqual(['list', 'next[1]']);
    const other = await rig.again(new Map());
    await rig.finishAll(outcomes([1, 2, 3]));
    expect((await other.over).kind).toBe('other-items');
  });
});
