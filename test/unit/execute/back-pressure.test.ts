import { describe, expect, it } from 'vitest';
import { openJournal } from '../../../src/checkpoint/journal.js';
import type { JournalDisk } from '../../../src/checkpoint/journal-disk.js';
import type { FinishedSubtasks } from '../../../src/execute/finished.js';
import type { Checkpoint } from '../../../src/model/checkpoint.js';
import type { RunEvent } from '../../../src/model/run-event.js';
import { overList } from '../../support/plans.js';
import { settled } from './fakes.js';
import { Rig, type RigOptions } from './rig.js';

const MEGABYTE = 'x'.repeat(2 ** 20);
const MANY = [
  { id: 'many', ...overList(60) },
  { id: 'last', needs: ['many'] },
];

function checkpointOf(task: string): Checkpoint {
  return {
    wave: 1,
    task_id: task,
    status: 'success',
    results: null,
    timestamp: '2026-01-01T12:00:00.000Z',
    agent_id: 'agent_1',
    key: '',
    attempt: 1,
    started: 1,
    duration_ms: 2,
  };
}

/** A disk that takes bytes only when a test lets it, and can be told to fail. */
function slowDisk() {
  let [open, fails] = [false, false];
  let waiting: (() => void)[] = [];
  const turn = async () => {
    if (!open) await new Promise<void>((resolve) => waiting.push(resolve));
    if (fails) throw Object.assign(new Error('EIO'), { code: 'EIO' });
  };
  const disk: JournalDisk = {
    openAppend: async () => ({
      write: async (bytes) => {
        await turn();
        return bytes.length;
      },
      sync: async () => {},
      close: async () => {},
    }),
    writeAtomic: turn,
    syncFolder: async () => {},
  };
  const release = () => {
    open = true;
    for (const resolve of waiting) resolve();
    waiting = [];
  };
  return {
    disk,
    release,
    breakDown: () => {
      fails = true;
      release();
    },
  };
}

/** A run whose outcomes, a megabyte each, go to such a disk; ended as far as it can come while the disk takes nothing. */
async function stuck(options: Partial<RigOptions> = {}) {
  const slow = slowDisk();
  const opened = await openJournal({
    runDir: '/run',
    disk: slow.disk,
    onBroken: ({ message }) => rig.control.drain({ status: 'broken', reason: message }),
  });
  if (!opened.ok) throw new Error(opened.error.message);
  const journal = opened.value;
  const onEvent = (event: RunEvent) => {
    if (event.type === 'subtask-finished') journal.record(event.checkpoint);
    if (event.type === 'subtasks-finished') journal.append(1, event.lines, event.count);
  };
  const rig: Rig = new Rig({ tasks: MANY, agents: 4, records: journal, onEvent, ...options });
  await rig.start();
  await rig.finishAll(() => ({ results: MEGABYTE }));
  return { rig, journal, ...slow };
}

describe('a disk that does not keep up', () => {
  it('holds back what has not begun, and memory with it', async () => {
    const { rig, journal, release } = await stuck();
    expect(journal.behind).toBe(true);
    // 16 MiB are behind, and what was running then.
    expect(rig.checkpoints.length).toBeGreaterThan(15);
    expect(rig.checkpoints.length).toBeLessThan(24);
    expect(rig.end).toBeUndefined();

    release();
    await expect.poll(() => rig.running.length).toBeGreaterThan(0);
    for (; rig.end === undefined; await settled()) await rig.finishAll(() => ({ results: null }));
    expect(rig.end).toMatchObject({ status: 'done' });
    expect(rig.checkpoints.map(({ task_id }) => task_id)).toHaveLength(61);
    expect(rig.broken).toBeUndefined();
  });

  it('holds an eager run in the same way', async () => {
    const { rig, release } = await stuck({ sync: 'eager' });
    expect(rig.checkpoints.length).toBeLessThan(24);
    release();
    for (; rig.end === undefined; await settled()) await rig.finishAll();
    expect(rig.checkpoints).toHaveLength(61);
  });

  it('keeps no run from being stopped', async () => {
    const { rig } = await stuck();
    rig.control.drain({ status: 'stopped', reason: 'asked' });
    await settled();
    expect(rig.end).toEqual({ status: 'stopped', reason: 'asked' });
    expect(rig.clock.timers).toBe(0);
  });

  it('ends the run when it breaks, and starts nothing more', async () => {
    const { rig, breakDown } = await stuck();
    const before = rig.executor.executions.length;
    breakDown();
    await expect.poll(() => rig.end).toMatchObject({ status: 'broken', reason: expect.stringContaining('EIO') });
    expect(rig.executor.executions).toHaveLength(before);
  });

  it('holds back what an earlier run finished, too', async () => {
    let free = () => {};
    const caughtUp = new Promise<void>((resolve) => {
      free = resolve;
    });
    const records = { behind: true, caughtUp: () => caughtUp };
    const finished: FinishedSubtasks = {
      knows: (task) => task === 'many',
      has: (task) => task === 'many',
      find: (task, key) => ({ ...checkpointOf(task), key }),
    };
    const rig = await new Rig({ tasks: MANY, agents: 2, records, finished }).start();
    expect(rig.events.some(({ type }) => type === 'subtask-finished')).toBe(false);
    records.behind = false;
    free();
    await settled();
    expect(rig.events.some(({ type }) => type === 'subtask-finished')).toBe(true);
  });
});
