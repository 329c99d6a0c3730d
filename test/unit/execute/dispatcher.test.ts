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
});
