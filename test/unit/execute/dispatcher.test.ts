import { describe, expect, it } from 'vitest';
import { Dispatcher } from '../../../src/execute/dispatcher.js';
import type { ChunkListener, Executor } from '../../../src/execute/executor.js';
import { ResultsStore } from '../../../src/execute/results-store.js';
import { RunControl } from '../../../src/execute/run-control.js';
import { checkpointText } from '../../../src/model/checkpoint.js';
import type { Chunk } from '../../../src/worker/chunk.js';
import { successOutcome } from '../../../src/worker/outcome-log.js';
import { overList, taskOf } from '../../support/plans.js';
import { FakeClock } from './fakes.js';

describe('a dispatcher', () => {
  it('tells all outcomes of a task before it tells that the task is over, also when chunks end in one breath', async () => {
    const clock = new FakeClock();
    const running: { readonly chunk: Chunk; readonly listener: ChunkListener }[] = [];
    const executor: Executor = {
      open: () => Promise.resolve(),
      close: () => Promise.resolve(),
      run: (chunk, _agent, listener) => {
        running.push({ chunk, listener });
        return { reclaim: () => chunk.count, claimed: chunk.count, startedAt: 0, cancel: () => {} };
      },
    };
    const told: string[] = [];
    let ids = 0;
    const dispatcher = new Dispatcher(2, {
      executor,
      clock,
      random: () => 0,
      control: new RunControl(),
      pacer: undefined,
      surroundings: { params: {}, env: {}, folder: '/work', run: 'test' },
      results: new ResultsStore(),
      emit: (event) => {
        if (event.type === 'subtasks-finished') told.push(`${event.count} of ${event.agent}`);
      },
      nextId: () => ids++,
      onTaskOver: () => told.push('over'),
    });
    dispatcher.add({
      task: taskOf({ id: 'two', ...overList(2) }),
      wave: 1,
      count: 2,
      itemAt: (i) => i,
      occurrences: new Map(),
      readable: new Set(),
      scope: {},
      keepResults: false,
      priority: 0,
    });
    const ended = dispatcher.run();
    expect(running).toHaveLength(2);
    for (const { chunk, listener } of running) {
      const record = {
        wave: 1,
        task_id: `two[${chunk.first}]`,
        agent_id: chunk.agent,
        key: 'k',
        attempt: 1,
        started: 1,
        duration_ms: 1,
      };
      listener.outcome(successOutcome(0, checkpointText(record, 'null'), 1, ''));
    }
    for (const { listener } of running) listener.flushed();
    for (const { listener } of running) listener.ended();
    await ended;
    expect(told).toEqual(['1 of agent_1', '1 of agent_2', 'over']);
  });

  it('asks an agent elsewhere once for what it has not begun, however many others are idle', async () => {
    const clock = new FakeClock();
    const asked: number[] = [];
    const running = new Map<number, { readonly chunk: Chunk; readonly listener: ChunkListener }>();
    const executor: Executor = {
      open: () => Promise.resolve(),
      close: () => Promise.resolve(),
      run: (chunk, _agent, listener) => {
        running.set(chunk.first, { chunk, listener });
        // Until it is answered, all of it may have been begun.
        const reclaim = () => {
          asked.push(chunk.first);
          return chunk.count;
        };
        return { reclaim, claimed: 1, startedAt: 0, cancel: () => {} };
      },
    };
    let ids = 0;
    const dispatcher = new Dispatcher(3, {
      executor,
      clock,
      random: () => 0,
      control: new RunControl(),
      pacer: undefined,
      surroundings: { params: {}, env: {}, folder: '/work', run: 'test' },
      results: new ResultsStore(),
      emit: () => {},
      nextId: () => ids++,
      expectedMs: () => 10,
    });
    dispatcher.add({
      task: taskOf({ id: 'each', ...overList(7) }),
      wave: 1,
      count: 7,
      itemAt: (i) => i,
      occurrences: new Map(),
      readable: new Set(),
      scope: {},
      keepResults: false,
      priority: 0,
    });
    const ended = dispatcher.run();
    const finish = (first: number) => {
      const { chunk, listener } = running.get(first) ?? expect.fail(`no chunk begins at ${first}`);
      running.delete(first);
      for (let position = 0; position < chunk.count; position++) {
        const record = {
          wave: 1,
          task_id: `each[${first + position}]`,
          agent_id: '',
          key: 'k',
          attempt: 1,
          started: 1,
          duration_ms: 10,
        };
        listener.outcome(successOutcome(position, checkpointText(record, 'null'), 10, ''));
      }
      listener.flushed();
      listener.ended();
    };
    expect([...running.values()].map(({ chunk }) => chunk.count)).toEqual([2, 1, 1]);
    for (const first of [2, 3, 4, 5, 6]) finish(first);
    expect([...running.keys()]).toEqual([0]);
    // The end of a chunk asks for what is left of it, as always.
    expect(asked.filter((first) => first === 0)).toEqual([0]);
    finish(0);
    await ended;
    expect(dispatcher.unfinished).toBe(0);
  });
});
