import { describe, expect, it } from 'vitest';
import { ExecutorStartError } from '../../../src/execute/executor.js';
import { overList, overResultsOf } from '../../support/plans.js';
import { failureOf, settled } from './fakes.js';
import { Rig } from './rig.js';

/** Work that may ask for the results of what it needs; a command cannot. */
const MODULE = { kind: 'module', uses: './m.mjs', file: '/m.mjs', exportName: 'default' } as const;

const STOP = { status: 'stopped', reason: 'told to' } as const;

describe('waves', () => {
  it('start at the barrier: when the last subtask of the wave before is over', async () => {
    const rig = await new Rig({ tasks: [{ id: 'a' }, { id: 'b' }, { id: 'c', needs: ['a'] }] }).start();
    expect(rig.running).toEqual(['a', 'b']);
    await rig.finish('a');
    expect(rig.running).toEqual(['b']);
    await rig.finish('b');
    expect(rig.running).toEqual(['c']);
    await rig.finish('c');
    expect(rig.end).toEqual({ status: 'done', reason: 'every wave is complete' });
    expect(rig.eventsOf('wave-finished').map(({ wave, check }) => [wave, check.verdict])).toEqual([
      [1, 'READY'],
      [2, 'READY'],
    ]);
  });

  it('use no more agents than are decided, nor than there is work for', async () => {
    const rig = await new Rig({
      tasks: [
        { id: 'each', ...overList(5) },
        { id: 'last', needs: ['each'] },
      ],
      agents: 3,
    }).start();
    expect(rig.running).toEqual(['each[0]', 'each[1]', 'each[2]']);
    await rig.finish('each[1]');
    expect(rig.running).toEqual(['each[0]', 'each[2]', 'each[3]']);
    expect(rig.executor.runningOf('each[3]').agent).toBe(1);
    await rig.finishAll();
    expect(rig.executor.layouts.map(({ agents }) => agents)).toEqual([3, 1]);
  });

  it('hand results on in item order, whatever the order of the ends', async () => {
    const rig = await new Rig({
      tasks: [
        { id: 'each', ...overList(3) },
        { id: 'next', ...overResultsOf('each') },
      ],
      agents: 3,
    }).start();
    for (const i of [2, 0, 1]) await rig.finish(`each[${i}]`, { results: `result ${i}` });
    expect(rig.executor.running.map(({ request }) => request.item)).toEqual(['result 0', 'result 1', 'result 2']);
    expect(rig.executor.runningOf('next[0]').readResults('each')).toEqual(['result 0', 'result 1', 'result 2']);
  });

  it('let a subtask read the results of what it needs, also indirectly, and of nothing else', async () => {
    const tasks = [{ id: 'a' }, { id: 'b', needs: ['a'] }, { id: 'other' }, { id: 'c', needs: ['b'], work: MODULE }];
    const rig = await new Rig({ tasks }).start();
    await rig.finishAll(({ request }) => (request.subtask === 'c' ? {} : { results: `of ${request.subtask}` }));
    const c = rig.executor.executions.find(({ request }) => request.subtask === 'c');
    expect(['a', 'b', 'other', 'c', 'constructor'].map((task) => c?.readResults(task))).toEqual([
      'of a',
      'of b',
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('never use a number of a request twice, also not for `finally`', async () => {
    const tasks = [
      { id: 'each', ...overList(3) },
      { id: 'next', needs: ['each'] },
    ];
    const rig = await new Rig({ tasks, finally: [{ id: 'last' }] }).start();
    await rig.finishAll();
    const ids = rig.executor.executions.map(({ request }) => request.id);
    expect(new Set(ids).size).toBe(5);
  });

  it('pass on what a subtask said', async () => {
    const rig = await new Rig({ tasks: [{ id: 'a' }, { id: 'b' }] }).start();
    await rig.finish('a', { log: 'hello\n' });
    await rig.finish('b');
    expect(rig.eventsOf('subtask-finished').map(({ task, log }) => [task, log])).toEqual([
      ['a', 'hello\n'],
      ['b', undefined],
    ]);
  });
});

describe('a fan-out', () => {
  it('expands over results, and the decision is taken again with its size', async () => {
    const rig = await new Rig({ tasks: [{ id: 'scan' }, { id: 'each', ...overResultsOf('scan') }] }).start();
    await rig.finish('scan', { results: ['x', 'y', 'z'] });
    expect(rig.eventsOf('task-expanded')).toMatchObject([{ wave: 2, task: 'each', subtasks: 3 }]);
    expect(rig.eventsOf('decision-taken')).toMatchObject([{ wave: 2 }]);
    expect(rig.decidedFor).toEqual([{ scan: 1 }, { scan: 1, each: 3 }]);
    expect(rig.eventsOf('wave-started').map(({ subtasks }) => subtasks)).toEqual([1, 3]);
  });

  it('hands lists of items over under `batch`', async () => {
    const rig = await new Rig({ tasks: [{ id: 'each', ...overList(5), batch: 2 }], agents: 9 }).start();
    expect(rig.executor.running.map(({ request }) => request.item)).toEqual([[0, 1], [2, 3], [4]]);
  });

  it('over nothing is done at once', async () => {
    const tasks = [
      { id: 'each', ...overList(0) },
      { id: 'next', ...overResultsOf('each') },
      { id: 'last', needs: ['next'] },
    ];
    const rig = await new Rig({ tasks }).start();
    expect(rig.running).toEqual(['last']);
    expect(rig.executor.runningOf('last').readResults('next')).toEqual([]);
    await rig.finish('last');
    expect(rig.end?.status).toBe('done');
  });

  it('over what is no list fails before it starts', async () => {
    const rig = await new Rig({ tasks: [{ id: 'scan' }, { id: 'each', ...overResultsOf('scan') }] }).start();
    await rig.finish('scan', { results: { files: [] } });
    expect(rig.checkpoints.at(-1)).toMatchObject({
      task_id: 'each',
      status: 'failure',
      agent_id: 'coordinator',
      error: { kind: 'expression', message: "foreach: tasks['scan'].results is an object, not a list" },
    });
    expect(rig.end).toEqual({ status: 'failed', reason: 'wave 2: 1 of 1 failed, more than 10%' });
  });

  it('gives each item a key of its own that does not depend on its position', async () => {
    const keysOf = async (items: readonly string[]) => {
      const rig = await new Rig({ tasks: [{ id: 'each', foreach: { kind: 'list', items } }] }).start();
      await rig.finishAll();
      return rig.checkpoints.map(({ key }) => key);
    };
    const [a1, b, a2, c] = await keysOf(['a', 'b', 'a', 'c']);
    expect(new Set([a1, b, a2, c]).size).toBe(4);
    expect(await keysOf(['c', 'a', 'b', 'a'])).toEqual([c, a1, b, a2]);
  });
});

describe('a failed subtask', () => {
  it('of a fan-out, up to a tenth of it, lets dependents run with null in its place', async () => {
    const tasks = [
      { id: 'each', ...overList(10) },
      { id: 'next', needs: ['each'], work: MODULE },
    ];
    const rig = await new Rig({ tasks, agents: 10 }).start();
    for (let i = 0; i < 10; i++) await rig.finish(`each[${i}]`, i === 4 ? { failure: failureOf() } : { results: i });
    expect(rig.executor.runningOf('next').readResults('each')).toEqual([0, 1, 2, 3, null, 5, 6, 7, 8, 9]);
    await rig.finish('next');
    expect(rig.end).toEqual({ status: 'failed', reason: '1 subtask failed' });
  });

  it('skips what needs it, and what needs that', async () => {
    const others = Array.from({ length: 9 }, (_, i) => ({ id: `other${i}` }));
    const tasks = [{ id: 'bad' }, ...others, { id: 'child', needs: ['other0', 'bad'] }, { id: 'grandchild', needs: ['child'] }];
    const rig = await new Rig({ tasks, agents: 10 }).start();
    await rig.finishAll(({ request }) => (request.subtask === 'bad' ? { failure: failureOf() } : {}));
    expect(rig.eventsOf('subtask-skipped').map(({ wave, subtask, reason }) => [wave, subtask, reason])).toEqual([
      [2, 'child', 'bad failed'],
      [3, 'grandchild', 'child was skipped'],
    ]);
    expect(rig.executor.executions).toHaveLength(10);
    expect(rig.end).toEqual({ status: 'failed', reason: '1 subtask failed' });
  });

  it('above a tenth of the wave, stops the run after the wave', async () => {
    const tasks = [{ id: 'bad' }, { id: 'good' }, { id: 'next', needs: ['good'] }];
    const rig = await new Rig({ tasks }).start();
    await rig.finish('bad', { failure: failureOf() });
    expect(rig.end).toBeUndefined();
    await rig.finish('good');
    expect(rig.end).toEqual({ status: 'failed', reason: 'wave 1: 1 of 2 failed, more than 10%' });
    expect(rig.running).toEqual([]);
    expect(rig.eventsOf('wave-started')).toHaveLength(1);
  });

  it('is one that does not meet its definition of done', async () => {
    const rig = await new Rig({ tasks: [{ id: 'a', success: ['results.n > 1'] }] }).start();
    await rig.finish('a', { results: { n: 1 } });
    expect(rig.checkpoints).toMatchObject([
      { status: 'failure', results: { n: 1 }, error: { kind: 'success', message: 'success: results.n > 1 is false' } },
    ]);
  });

  it('is one whose expressions cannot be evaluated; it makes no attempt', async () => {
    const rig = await new Rig({ tasks: [{ id: 'a', env: { X: '${{ params.nope }}' }, retries: retries(3) }] }).start();
    expect(rig.executor.executions).toEqual([]);
    expect(rig.checkpoints).toMatchObject([{ status: 'failure', agent_id: 'agent_1', error: { kind: 'expression' } }]);
    expect(rig.end?.status).toBe('failed');
  });
});

function retries(max: number) {
  return { max, backoffMs: 100, factor: 2, jitter: 'none' } as const;
}

describe('a retry', () => {
  it('comes after the back-off, and leaves its agent to others until then', async () => {
    const rig = await new Rig({ tasks: [{ id: 'a', retries: retries(2) }, { id: 'b' }], agents: 1 }).start();
    await rig.finish('a', { failure: failureOf() });
    expect(rig.running).toEqual(['b']);
    await rig.finish('b');
    expect(rig.running).toEqual([]);
    rig.clock.advance(99);
    await settled();
    expect(rig.running).toEqual([]);
    rig.clock.advance(1);
    await settled();
    expect(rig.running).toEqual(['a']);
    await rig.finish('a', { failure: failureOf() });
    rig.clock.advance(200);
    await settled();
    expect(rig.executor.runningOf('a').request).toMatchObject({ attempt: 3 });
    await rig.finish('a', { results: 'at last' });
    expect(rig.eventsOf('subtask-retried').map(({ attempt, delayMs }) => [attempt, delayMs])).toEqual([
      [1, 100],
      [2, 200],
    ]);
    expect(rig.checkpoints).toMatchObject([
      { task_id: 'b', attempt: 1 },
      { task_id: 'a', attempt: 3, status: 'success', results: 'at last' },
    ]);
    expect(rig.end?.status).toBe('done');
  });

  it('whose time has come goes before what has not started yet', async () => {
    const rig = await new Rig({ tasks: [{ id: 'each', ...overList(4), retries: retries(1) }], agents: 1 }).start();
    await rig.finish('each[0]', { failure: failureOf() });
    rig.clock.advance(100);
    await settled();
    expect(rig.running).toEqual(['each[1]']);
    await rig.finish('each[1]');
    expect(rig.running).toEqual(['each[0]']);
  });

  it('is not made of what cannot end otherwise', async () => {
    const rig = await new Rig({ tasks: [{ id: 'a', retries: retries(5) }] }).start();
    await rig.finish('a', { failure: failureOf('module-load') });
    expect(rig.checkpoints).toMatchObject([{ attempt: 1, status: 'failure' }]);
    expect(rig.clock.timers).toBe(0);
  });
});

describe('`if`', () => {
  it('skips a task, or subtasks where it is about items: they count neither as expected nor as failed, and read as null', async () => {
    const tasks = [
      { id: 'each', ...overList(4), if: 'index % 2 == 0' },
      { id: 'never', if: 'false' },
      { id: 'next', needs: ['each', 'never'], optionalNeeds: ['never'], work: MODULE },
      { id: 'not', needs: ['each', 'never'] },
    ];
    const rig = await new Rig({ tasks }).start();
    expect(rig.running).toEqual(['each[0]', 'each[2]']);
    for (const i of [0, 2]) await rig.finish(`each[${i}]`, { results: i });
    expect(rig.eventsOf('subtask-skipped').map(({ subtask, reason }) => [subtask, reason])).toEqual([
      ['never', 'its `if` is false: false'],
      ['each[1]', 'its `if` is false: index % 2 == 0'],
      ['each[3]', 'its `if` is false: index % 2 == 0'],
      ['not', 'never was skipped'],
    ]);
    expect(rig.eventsOf('wave-finished')[0]?.check).toMatchObject({ verdict: 'READY', expected: 2, recorded: 2, failed: 0 });
    const { readResults } = rig.executor.runningOf('next');
    expect([readResults('each'), readResults('never')]).toEqual([[0, null, 2, null], null]);
  });

  it('that is neither true nor false is a failure', async () => {
    const rig = await new Rig({ tasks: [{ id: 'a', if: '"yes"' }] }).start();
    expect(rig.checkpoints).toMatchObject([{ error: { kind: 'expression', message: 'if: is "yes", neither true nor false' } }]);
  });
});

describe('the check between waves', () => {
  it('breaks the run off where checkpoints are missing', async () => {
    const verifyWave = (_: number, found: { recorded: number; failed: number }) => ({ ...found, recorded: found.recorded - 1 });
    const rig = await new Rig({ tasks: [{ id: 'a' }, { id: 'b' }, { id: 'c', needs: ['a'] }], verifyWave }).start();
    await rig.finish('a');
    await rig.finish('b');
    expect(rig.eventsOf('wave-finished').map(({ check }) => check.verdict)).toEqual(['INCOMPLETE']);
    expect(rig.end).toEqual({ status: 'broken', reason: 'wave 1: 1 of 2 checkpoints are missing' });
    expect(rig.running).toEqual([]);
  });
});

describe('a rate', () => {
  it('holds over the waves, with an even distance between starts', async () => {
    const rig = await new Rig({
      tasks: [{ id: 'a' }, { id: 'b' }, { id: 'c', needs: ['a'] }],
      agents: 9,
      ratePerMinute: 60,
    }).start();
    expect(rig.running).toEqual(['a']);
    await rig.finish('a');
    rig.clock.advance(999);
    await settled();
    expect(rig.running).toEqual([]);
    rig.clock.advance(1);
    await settled();
    await rig.finish('b');
    expect(rig.running).toEqual([]);
    rig.clock.advance(1000);
    await settled();
    expect(rig.running).toEqual(['c']);
  });
});

describe('draining', () => {
  it('starts nothing new, lets what runs end, and keeps its outcome', async () => {
    const rig = await new Rig({
      tasks: [
        { id: 'each', ...overList(5) },
        { id: 'next', needs: ['each'] },
      ],
    }).start();
    rig.control.drain(STOP);
    await rig.finish('each[1]');
    expect(rig.end).toBeUndefined();
    await rig.finish('each[0]', { failure: failureOf() });
    expect(rig.end).toEqual(STOP);
    expect(rig.executor.executions).toHaveLength(2);
    expect(rig.executor.executions.some(({ cancelled }) => cancelled)).toBe(false);
    expect(rig.checkpoints.map(({ task_id, status }) => [task_id, status])).toEqual([
      ['each[1]', 'success'],
      ['each[0]', 'failure'],
    ]);
    expect(rig.eventsOf('wave-finished')).toEqual([]);
  });

  it('does not wait for a back-off, nor for the rate', async () => {
    const tasks = [{ id: 'a', retries: retries(1) }, { id: 'b' }];
    const rig = await new Rig({ tasks, ratePerMinute: 60 }).start();
    await rig.finish('a', { failure: failureOf() });
    expect(rig.clock.timers).toBe(2);
    rig.control.drain(STOP);
    await settled();
    expect(rig.end).toEqual(STOP);
    expect(rig.clock.timers).toBe(0);
  });

  it('before the first wave runs none', async () => {
    const rig = new Rig({ tasks: [{ id: 'a' }] });
    rig.control.drain(STOP);
    await rig.start();
    expect(rig.events).toEqual([]);
    expect(rig.end).toEqual(STOP);
  });

  it('in the last moment of a wave still checks that wave', async () => {
    const rig = await new Rig({ tasks: [{ id: 'a' }, { id: 'b', needs: ['a'] }] }).start();
    rig.control.drain(STOP);
    await rig.finish('a');
    expect(rig.eventsOf('wave-finished').map(({ check }) => check.verdict)).toEqual(['READY']);
    expect(rig.end).toEqual(STOP);
  });
});

describe('aborting', () => {
  it('cancels what runs; a cancelled subtask leaves no checkpoint, one that was just done does', async () => {
    const rig = await new Rig({ tasks: [{ id: 'each', ...overList(5), retries: retries(3) }] }).start();
    rig.control.abort(STOP);
    expect(rig.executor.running.map(({ cancelled }) => cancelled)).toEqual([true, true]);
    await rig.finish('each[0]', { failure: failureOf('cancelled') });
    expect(rig.end).toBeUndefined();
    await rig.finish('each[1]', { results: 'done' });
    expect(rig.end).toEqual(STOP);
    expect(rig.checkpoints.map(({ task_id, status }) => [task_id, status])).toEqual([['each[1]', 'success']]);
    expect(rig.eventsOf('subtask-retried')).toEqual([]);
  });

  it('after draining cancels what draining let run, and keeps the first reason', async () => {
    const rig = await new Rig({ tasks: [{ id: 'a' }] }).start();
    rig.control.drain(STOP);
    rig.control.abort({ status: 'stopped', reason: 'told again' });
    expect(rig.executor.runningOf('a').cancelled).toBe(true);
    await rig.finish('a', { failure: failureOf('cancelled') });
    expect(rig.end).toEqual(STOP);
  });

  it('at the very start of a subtask cancels it too', async () => {
    const rig = await new Rig({
      tasks: [{ id: 'a' }, { id: 'b' }],
      onEvent: (event, { control }) => {
        if (event.type === 'subtask-started') control.abort(STOP);
      },
    }).start();
    expect(rig.executor.running.filter(({ cancelled }) => !cancelled)).toEqual([]);
  });
});

describe('`finally`', () => {
  const cleanUp = [{ id: 'first', work: MODULE }, { id: 'second' }];

  it('runs one task after the other, after the waves', async () => {
    const rig = await new Rig({ tasks: [{ id: 'a' }], finally: cleanUp }).start();
    await rig.finish('a', { results: 'of a' });
    expect(rig.running).toEqual(['first']);
    expect(rig.executor.runningOf('first').readResults('a')).toBe('of a');
    await rig.finish('first', { failure: failureOf() });
    expect(rig.running).toEqual(['second']);
    await rig.finish('second', { log: 'swept\n' });
    expect(
      rig
        .eventsOf('finally-finished')
        .map(({ checkpoint, log }) => [checkpoint.task_id, checkpoint.status, checkpoint.wave, log]),
    ).toEqual([
      ['first', 'failure', 2, undefined],
      ['second', 'success', 2, 'swept\n'],
    ]);
    expect(rig.end).toEqual({ status: 'failed', reason: '1 of the finally tasks failed' });
  });

  it.each([
    ['a failed wave', (rig: Rig) => rig.finish('a', { failure: failureOf() })],
    [
      'a drained run',
      (rig: Rig) => {
        rig.control.drain(STOP);
        return rig.finish('a');
      },
    ],
    [
      'an aborted run',
      (rig: Rig) => {
        rig.control.abort(STOP);
        return rig.finish('a', { failure: failureOf('cancelled') });
      },
    ],
  ])('runs after %s', async (_, stop) => {
    const rig = await new Rig({ tasks: [{ id: 'a' }, { id: 'b', needs: ['a'] }], finally: cleanUp }).start();
    await stop(rig);
    expect(rig.end).toBeUndefined();
    expect(rig.running).toEqual(['first']);
    expect(rig.executor.runningOf('first').cancelled).toBe(false);
    await rig.finishAll();
    expect(rig.eventsOf('finally-finished')).toHaveLength(2);
    expect(rig.end?.status).not.toBe('done');
  });

  it('is ended by a further request to abort', async () => {
    const rig = await new Rig({ tasks: [{ id: 'a' }], finally: cleanUp }).start();
    rig.control.abort(STOP);
    await rig.finish('a', { failure: failureOf('cancelled') });
    rig.control.abort(STOP);
    expect(rig.executor.runningOf('first').cancelled).toBe(true);
  });

  it('leaves out a task whose `if` is false, and fails one whose expressions do', async () => {
    const tasks = [{ id: 'a', if: 'false' }];
    const rig = await new Rig({
      tasks,
      finally: [
        { id: 'no', if: 'false' },
        { id: 'bad', cwd: '${{ params.nope }}' },
      ],
    }).start();
    expect(rig.executor.executions).toEqual([]);
    expect(rig.eventsOf('finally-finished')).toMatchObject([{ checkpoint: { task_id: 'bad', error: { kind: 'expression' } } }]);
  });

  it('is held to its definition of done', async () => {
    const rig = await new Rig({ tasks: [{ id: 'a' }], finally: [{ id: 'last', success: ['results == 1'] }] }).start();
    await rig.finish('a');
    await rig.finish('last', { results: 2 });
    expect(rig.end?.status).toBe('failed');
    expect(rig.eventsOf('finally-finished')).toMatchObject([{ checkpoint: { status: 'failure', error: { kind: 'success' } } }]);
  });

  it('is tried as often as it says', async () => {
    const rig = await new Rig({ tasks: [{ id: 'a' }], finally: [{ id: 'last', retries: retries(1) }] }).start();
    await rig.finish('a');
    await rig.finish('last', { failure: failureOf() });
    expect(rig.clock.timers).toBe(1);
    rig.clock.tick();
    await settled();
    expect(rig.executor.runningOf('last').request).toMatchObject({ attempt: 2 });
    await rig.finish('last');
    expect(rig.eventsOf('finally-finished')).toMatchObject([{ checkpoint: { status: 'success', attempt: 2 } }]);
    expect(rig.end?.status).toBe('done');
  });
});

describe('an executor that cannot make room', () => {
  it('breaks the run, with its reason', async () => {
    const rig = new Rig({ tasks: [{ id: 'a' }] });
    rig.executor.open = () => Promise.reject(new ExecutorStartError('a worker thread did not start'));
    await rig.start();
    expect(rig.end).toEqual({ status: 'broken', reason: 'a worker thread did not start' });
  });

  it('for a wave still runs what stands under `finally`, where there is room for that', async () => {
    const rig = new Rig({ tasks: [{ id: 'a' }], finally: [{ id: 'last' }] });
    const open = rig.executor.open.bind(rig.executor);
    rig.executor.open = () => {
      rig.executor.open = open;
      return Promise.reject(new ExecutorStartError('a worker thread did not start'));
    };
    await rig.start();
    expect(rig.running).toEqual(['last']);
    await rig.finish('last');
    expect(rig.end).toEqual({ status: 'broken', reason: 'a worker thread did not start' });
  });

  it('for `finally` neither throws, nor hides how the waves ended', async () => {
    const rig = await new Rig({ tasks: [{ id: 'a' }], finally: [{ id: 'last' }] }).start();
    rig.executor.open = () => Promise.reject(new ExecutorStartError('a worker thread did not start'));
    await rig.finish('a', { failure: failureOf() });
    expect(rig.broken).toBeUndefined();
    expect(['failed', 'broken']).toContain(rig.end?.status);
    expect(rig.eventsOf('finally-finished')).toEqual([]);
  });
});
