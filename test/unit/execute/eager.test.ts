import { describe, expect, it } from 'vitest';
import { overList } from '../../support/plans.js';
import { failureOf, settled } from './fakes.js';
import { Rig } from './rig.js';

const PAIRS = (task: string) => ({ foreach: { kind: 'each', task } as const, needs: [task], reads: [task] });

describe('an eager run', () => {
  it('starts a task when its own needs are over, whatever its wave', async () => {
    const tasks = [{ id: 'slow' }, { id: 'fast' }, { id: 'next', needs: ['fast'] }, { id: 'last', needs: ['slow', 'next'] }];
    const rig = await new Rig({ tasks, agents: 4, sync: 'eager' }).start();
    expect(rig.running).toEqual(['fast', 'slow']);
    await rig.finish('fast');
    expect(rig.running).toEqual(['slow', 'next']);
    await rig.finish('next');
    await rig.finish('slow');
    expect(rig.running).toEqual(['last']);
    await rig.finish('last');
    expect(rig.end?.status).toBe('done');
    expect(rig.eventsOf('wave-finished').map(({ wave, check }) => [wave, check.verdict])).toEqual([
      [2, 'READY'],
      [1, 'READY'],
      [3, 'READY'],
    ]);
  });

  it('begins with the longest path', async () => {
    const long = { estimateMs: 5000 };
    const tasks = [{ id: 'short' }, { id: 'head' }, { id: 'tail', needs: ['head'], ...long }];
    const rig = await new Rig({ tasks, agents: 1, sync: 'eager' }).start();
    expect(rig.running).toEqual(['head']);
    await rig.finish('head');
    expect(rig.running).toEqual(['tail']);
    await rig.finishAll();
    expect(rig.end?.status).toBe('done');
  });

  it('skips what needs a task that failed, goes on with the rest, and says so at the end', async () => {
    const others = Array.from({ length: 10 }, (_, i) => ({ id: `other${i}` }));
    const tasks = [{ id: 'bad' }, ...others, { id: 'child', needs: ['bad'] }, { id: 'free', needs: ['other0'] }];
    const rig = await new Rig({ tasks, agents: 20, sync: 'eager' }).start();
    await rig.finishAll(({ request }) => (request.subtask === 'bad' ? { failure: failureOf() } : {}));
    expect(rig.eventsOf('subtask-skipped').map(({ subtask, reason }) => [subtask, reason])).toEqual([['child', 'bad failed']]);
    expect(rig.checkpoints.map(({ task_id }) => task_id)).toContain('free');
    expect(rig.end).toEqual({ status: 'failed', reason: '1 subtask failed' });
  });

  it('stops starting when a wave has too many failures', async () => {
    const tasks = [{ id: 'bad' }, { id: 'good' }, { id: 'next', needs: ['good'] }];
    const rig = await new Rig({ tasks, agents: 1, sync: 'eager' }).start();
    await rig.finish('good');
    await rig.finish('bad', { failure: failureOf() });
    await rig.finishAll();
    expect(rig.end).toEqual({ status: 'failed', reason: 'wave 1: 1 of 2 failed, more than 10%' });
  });

  it('expands a fan-out over results, and is over at once with one over nothing', async () => {
    const tasks = [
      { id: 'none', ...overList(0) },
      { id: 'after', needs: ['none'] },
    ];
    const rig = await new Rig({ tasks, sync: 'eager' }).start();
    expect(rig.running).toEqual(['after']);
    await rig.finish('after');
    expect(rig.end?.status).toBe('done');
  });

  it('drains like any other', async () => {
    const rig = await new Rig({ tasks: [{ id: 'a' }, { id: 'b', needs: ['a'] }], sync: 'eager' }).start();
    rig.control.drain({ status: 'stopped', reason: 'told to' });
    await rig.finish('a');
    expect(rig.end).toEqual({ status: 'stopped', reason: 'told to' });
    expect(rig.executor.executions).toHaveLength(1);
  });
});

describe('pairs', () => {
  const tasks = [
    { id: 'fetch', ...overList(3) },
    { id: 'post', ...PAIRS('fetch') },
    { id: 'check', ...PAIRS('post'), needs: ['post'] },
  ];

  it('go item by item in an eager run, and hand over what the one before returned', async () => {
    const rig = await new Rig({ tasks, agents: 9, sync: 'eager' }).start();
    expect(rig.running).toEqual(['fetch[0]', 'fetch[1]', 'fetch[2]']);
    await rig.finish('fetch[1]', { results: { user: 'b' } });
    expect(rig.running).toEqual(['fetch[0]', 'fetch[2]', 'post[1]']);
    expect(rig.executor.runningOf('post[1]').request).toMatchObject({ item: 1, index: 1 });
    await rig.finish('post[1]');
    expect(rig.running).toEqual(['fetch[0]', 'fetch[2]', 'check[1]']);
    await rig.finishAll();
    expect(rig.end?.status).toBe('done');
    expect(rig.checkpoints).toHaveLength(9);
  });

  it('see the result of their pair as `prev`', async () => {
    const echo = { kind: 'argv', argv: ['echo', '${{ prev.user }}'] } as const;
    const rig = await new Rig({
      tasks: [
        { id: 'fetch', ...overList(2) },
        { id: 'post', ...PAIRS('fetch'), work: echo },
      ],
      agents: 9,
    }).start();
    await rig.finish('fetch[0]', { results: { user: 'a' } });
    await rig.finish('fetch[1]', { results: { user: 'b' } });
    expect(rig.executor.running.map(({ request }) => request.action)).toMatchObject([
      { argv: ['echo', 'a'] },
      { argv: ['echo', 'b'] },
    ]);
    await rig.finishAll();
  });

  it.each(['wave', 'eager'] as const)('of a subtask that failed are skipped, with the reason (%s)', async (sync) => {
    const many = [
      { id: 'fetch', ...overList(20) },
      { id: 'post', ...PAIRS('fetch') },
    ];
    const rig = await new Rig({ tasks: many, agents: 4, sync }).start();
    await rig.finishAll(({ request }) => (request.subtask === 'fetch[7]' ? { failure: failureOf() } : {}));
    expect(rig.eventsOf('subtask-skipped').map(({ subtask, reason }) => [subtask, reason])).toEqual([
      ['post[7]', 'fetch[7] failed'],
    ]);
    expect(rig.checkpoints.filter(({ task_id }) => task_id.startsWith('post'))).toHaveLength(19);
    expect(rig.end).toEqual({ status: 'failed', reason: '1 subtask failed' });
  });

  it('wait at the barrier between waves', async () => {
    const rig = await new Rig({ tasks, agents: 9 }).start();
    await rig.finish('fetch[0]');
    expect(rig.running).toEqual(['fetch[1]', 'fetch[2]']);
    await rig.finish('fetch[1]');
    await rig.finish('fetch[2]');
    expect(rig.running).toEqual(['post[0]', 'post[1]', 'post[2]']);
    await rig.finishAll();
  });
});

describe('a chunk', () => {
  it('hands several subtasks to one agent, which does one after the other', async () => {
    const rig = await new Rig({ tasks: [{ id: 'each', ...overList(40) }], agents: 2, mostInChunk: 4 }).start();
    // Nothing is known of their durations: the first chunks are single ones.
    expect(rig.running).toEqual(['each[0]', 'each[1]']);
    await rig.finish('each[0]');
    expect(rig.executor.chunks.at(-1)).toMatchObject({ first: 2, count: 4 });
    await rig.finishAll();
    expect(rig.checkpoints).toHaveLength(40);
    expect(new Set(rig.checkpoints.map(({ key }) => key)).size).toBe(40);
  });

  it('gives its rest to others when one of its subtasks takes long', async () => {
    const rig = await new Rig({ tasks: [{ id: 'each', ...overList(9) }], agents: 2, mostInChunk: 4 }).start();
    await rig.finish('each[0]');
    expect(rig.running).toEqual(['each[1]', 'each[2]']);
    rig.clock.advance(200);
    await settled();
    expect(rig.eventsOf('subtasks-returned')).toMatchObject([{ first: 3, count: 1 }]);
    await rig.finish('each[1]');
    // The other agent has what was taken back; each[2] is still at it.
    expect(rig.running[0]).toBe('each[2]');
    expect(rig.running[1]).toBe('each[3]');
    await rig.finishAll();
    expect(rig.checkpoints.map(({ task_id }) => task_id).sort()).toEqual(Array.from({ length: 9 }, (_, i) => `each[${i}]`));
  });

  it('gives its rest to an agent that has nothing left: at once where that is much, soon where it is little', async () => {
    const both = async (estimateMs: number) => {
      const rig = await new Rig({ tasks: [{ id: 'each', ...overList(7), estimateMs }], agents: 2, mostInChunk: 4 }).start();
      for (const i of [0, 1, 4, 5, 6]) {
        rig.clock.advance(estimateMs);
        await rig.finish(`each[${i}]`);
      }
      return rig;
    };
    const much = await both(5);
    expect(much.eventsOf('subtasks-returned')).toMatchObject([{ agent: 'agent_2', first: 3, count: 1 }]);
    expect(much.running).toEqual(['each[2]', 'each[3]']);
    const little = await both(0.5);
    expect(little.running).toEqual(['each[2]']);
    little.clock.advance(50);
    await settled();
    expect(little.running).toEqual(['each[2]', 'each[3]']);
    for (const rig of [much, little]) {
      await rig.finishAll();
      expect(rig.checkpoints).toHaveLength(7);
      expect(rig.end).toEqual({ status: 'done', reason: 'every wave is complete' });
    }
  });
});
