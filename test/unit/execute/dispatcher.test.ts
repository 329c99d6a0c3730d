import { describe, expect, it } from 'vitest';
import { Dispatcher } from '../../../src/execute/dispatcher.js';
import type { DispatcherPorts } from '../../../src/execute/dispatcher-ports.js';
import type { ChunkHandle, ChunkListener, Executor } from '../../../src/execute/executor.js';
import { ResultsStore } from '../../../src/execute/results-store.js';
import { RunControl } from '../../../src/execute/run-control.js';
import { checkpointText } from '../../../src/model/checkpoint.js';
import type { Chunk } from '../../../src/worker/chunk.js';
import { successOutcome } from '../../../src/worker/outcome-log.js';
import { overList, taskOf } from '../../support/plans.js';
import { FakeClock } from './fakes.js';

interface Running {
  readonly chunk: Chunk;
  readonly listener: ChunkListener;
}

/** An executor that hands what it is given to a test. */
function handing(run: (running: Running) => ChunkHandle): Executor {
  return {
    open: () => Promise.resolve(),
    close: () => Promise.resolve(),
    run: (chunk, _agent, listener) => run({ chunk, listener }),
  };
}

/** A dispatcher that has a fan-out of so many subtasks. */
function dispatcherOf(
  task: { readonly id: string; readonly subtasks: number },
  agents: number,
  ports: Pick<DispatcherPorts, 'executor'> & Partial<DispatcherPorts>,
): Dispatcher {
  let ids = 0;
  const dispatcher = new Dispatcher(agents, {
    clock: new FakeClock(),
    random: () => 0,
    control: new RunControl(),
    pacer: undefined,
    surroundings: { params: {}, env: {}, folder: '/work', run: 'test' },
    results: new ResultsStore(),
    emit: () => {},
    nextId: () => ids++,
    ...ports,
  });
  dispatcher.add({
    task: taskOf({ id: task.id, ...overList(task.subtasks) }),
    wave: 1,
    count: task.subtasks,
    itemAt: (i) => i,
    occurrences: new Map(),
    readable: new Set(),
    scope: {},
    keepResults: false,
    priority: 0,
  });
  return dispatcher;
}

/** The subtask at a position of a chunk succeeds. */
function succeed({ chunk, listener }: Running, position: number, durationMs: number): void {
  const record = {
    wave: 1,
    task_id: `${chunk.program.task.id}[${chunk.first + position}]`,
    agent_id: chunk.agent,
    key: 'k',
    attempt: 1,
    started: 1,
    duration_ms: durationMs,
  };
  listener.outcome(successOutcome(position, checkpointText(record, 'null'), durationMs, ''));
}

describe('a dispatcher', () => {
  it('tells all outcomes of a task before it tells that the task is over, also when chunks end in one breath', async () => {
    const running: Running[] = [];
    const executor = handing((given) => {
      const { chunk } = given;
      running.push(given);
      return { reclaim: () => chunk.count, claimed: chunk.count, startedAt: 0, cancel: () => {} };
    });
    const told: string[] = [];
    const dispatcher = dispatcherOf({ id: 'two', subtasks: 2 }, 2, {
      executor,
      emit: (event) => {
        if (event.type === 'subtasks-finished') told.push(`${event.count} of ${event.agent}`);
      },
      onTaskOver: () => told.push('over'),
    });
    const ended = dispatcher.run();
    expect(running).toHaveLength(2);
    for (const given of running) succeed(given, 0, 1);
    for (const { listener } of running) listener.flushed();
    for (const { listener } of running) listener.ended();
    await ended;
    expect(told).toEqual(['1 of agent_1', '1 of agent_2', 'over']);
  });

  it('asks an agent elsewhere once for what it has not begun, however many others are idle', async () => {
    const asked: number[] = [];
    const running = new Map<number, Running>();
    const executor = handing((given) => {
      const { chunk } = given;
      running.set(chunk.first, given);
      // Until it is answered, all of it may have been begun.
      const reclaim = () => {
        asked.push(chunk.first);
        return chunk.count;
      };
      return { reclaim, claimed: 1, startedAt: 0, cancel: () => {} };
    });
    const dispatcher = dispatcherOf({ id: 'each', subtasks: 7 }, 3, { executor, expectedMs: () => 10 });
    const ended = dispatcher.run();
    const finish = (first: number) => {
      const given = running.get(first) ?? expect.fail(`no chunk begins at ${first}`);
      running.delete(first);
      for (let position = 0; position < given.chunk.count; position++) succeed(given, position, 10);
      given.listener.flushed();
      given.listener.ended();
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
