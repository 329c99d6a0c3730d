import { describe, expect, it } from 'vitest';
import { overList } from '../../support/plans.js';
import { settled } from './fakes.js';
import { Rig, type SteeringSketch } from './rig.js';

/** The agents that keep a limit of twenty subtasks a second busy, at least 2. */
const agentsFor = (seconds: number | undefined) => Math.max(2, Math.round(20 * (seconds ?? 0.1)));

function rigFor(
  expectedSeconds: number | undefined,
  about: { readonly subtasks?: number } & Partial<SteeringSketch> = {},
): Promise<Rig> {
  const tasks = [{ id: 'each', ...overList(about.subtasks ?? 200) }];
  return new Rig({ tasks, steering: { agentsFor, ...about, expectedSeconds, probeSize: 4 } }).start();
}

/** Lets the subtasks that run take so long, and ends them; so many times. */
async function work(rig: Rig, ms: number, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const { running } = rig.executor;
    rig.clock.advance(ms);
    for (const execution of running) rig.executor.end(execution);
    await settled();
  }
}

const changes = (rig: Rig) => rig.eventsOf('agents-changed').map(({ from, to, reason }) => ({ from, to, reason }));

describe('work of which something is known', () => {
  it('keeps its agents where it is as expected', async () => {
    const rig = await rigFor(0.1);
    await work(rig, 100, 8);
    expect(changes(rig)).toEqual([]);
    expect(rig.eventsOf('decision-taken')).toEqual([]);
  });

  it('gets the agents for what it takes now, step by step, where that is much more', async () => {
    const rig = await rigFor(0.1);
    await work(rig, 600, 32);
    expect(changes(rig).slice(0, 2)).toEqual([
      { from: 2, to: 4, reason: 'subtasks take 600 ms, and 100 ms were expected: trying twice as many' },
      { from: 4, to: 8, reason: 'throughput grew with the agents' },
    ]);
  });

  it('gets fewer at once where it takes much less', async () => {
    const rig = await rigFor(1, { agentsFor: (seconds = 1) => agentsFor(seconds) });
    expect(rig.running).toHaveLength(20);
    await work(rig, 100, 3);
    expect(changes(rig)).toEqual([{ from: 20, to: 2, reason: 'subtasks take 100 ms, and 1000 ms were expected' }]);
  });

  it('is not waited for until its end to see that it takes longer', async () => {
    const rig = await rigFor(0.1);
    rig.clock.advance(1000);
    await settled();
    expect(changes(rig)).toEqual([{ from: 2, to: 40, reason: 'no subtask has ended after 1 s' }]);
    await work(rig, 1000, 3);
    expect(changes(rig)).toHaveLength(1);
  });

  it('keeps its agents where the cores were busy, so that it may only have waited for one', async () => {
    let cpuSeconds = 0;
    const rig = await rigFor(0.1, { cpuSeconds: () => (cpuSeconds += 2) });
    await work(rig, 600, 16);
    expect(changes(rig)).toEqual([]);
  });

  it('is tried out where it is files, whose subtasks queue behind each other', async () => {
    const rig = await rigFor(0.1, { type: 'file_operations' });
    await work(rig, 600, 16);
    expect(rig.eventsOf('decision-taken')).toEqual([]);
  });

  it('is believed where there is too little of it to change anything', async () => {
    const rig = await rigFor(0.1, { subtasks: 7 });
    await work(rig, 600, 4);
    expect(rig.end).toMatchObject({ status: 'done' });
    expect(changes(rig)).toEqual([]);
  });
});

describe('work of which nothing is known', () => {
  it('is decided anew when the first subtasks were measured', async () => {
    const rig = await rigFor(undefined);
    await work(rig, 150, 4);
    expect(changes(rig)).toEqual([{ from: 2, to: 3, reason: 'the first subtasks were measured' }]);
    expect(rig.eventsOf('decision-taken')).toHaveLength(1);
  });

  it('is taken to be long when nothing of it has ended', async () => {
    const rig = await rigFor(undefined);
    rig.clock.advance(1000);
    await settled();
    expect(changes(rig)).toEqual([{ from: 2, to: 40, reason: 'no subtask has ended after 1 s' }]);
  });
});
