import { describe, expect, it } from 'vitest';
import { overList } from '../../support/plans.js';
import { failureOf, settled } from './fakes.js';
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

  it('keeps them where it takes much less: a list may begin with its short items', async () => {
    const rig = await rigFor(1, { agentsFor: (seconds = 1) => agentsFor(seconds) });
    expect(rig.running).toHaveLength(20);
    await work(rig, 100, 3);
    expect(changes(rig)).toEqual([]);
  });

  it('is looked at where it is most of what is left, and not beside much else', async () => {
    const few = { id: 'few', ...overList(20) };
    const rest = { id: 'rest', ...overList(200) };
    const rig = await new Rig({ tasks: [few, rest], steering: { expectedSeconds: 0.1, agentsFor, probeSize: 4 } }).start();
    await work(rig, 600, 10);
    expect(changes(rig)).toEqual([]);
    await work(rig, 600, 8);
    expect(rig.eventsOf('decision-taken')).toHaveLength(1);
  });

  it('is not told to be late by one that runs while the others end', async () => {
    const tasks = [{ id: 'one' }, { id: 'each', ...overList(200) }];
    const rig = await new Rig({ tasks, steering: { expectedSeconds: 0.1, agentsFor, probeSize: 4 } }).start();
    for (let i = 0; i < 12; i++) {
      rig.clock.advance(100);
      await rig.finish(rig.running.find((name) => name !== 'one') ?? '');
    }
    expect(rig.running).toContain('one');
    expect(changes(rig)).toEqual([]);
  });

  it('is left alone once the run is to stop', async () => {
    const rig = await rigFor(0.1);
    rig.control.drain({ status: 'stopped', reason: 'stopped by SIGINT' });
    rig.clock.advance(2000);
    await settled();
    expect(rig.eventsOf('decision-taken')).toEqual([]);
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

  it('is measured also where some of it fails or is left out', async () => {
    const rig = await rigFor(undefined, { subtasks: 5 });
    for (const failure of [undefined, failureOf(), undefined, undefined]) {
      rig.clock.advance(100);
      await rig.finish(rig.running[0] ?? '', failure && { failure });
    }
    expect(rig.eventsOf('decision-taken')).toHaveLength(1);
  });

  it('does not hold up the rest while it waits for its turn', async () => {
    const tasks = [
      { id: 'known', ...overList(200), estimateMs: 100 },
      { id: 'unknown', ...overList(10) },
    ];
    const steering = { expectedSeconds: undefined, agentsFor, probeSize: 4 };
    const rig = await new Rig({ tasks, steering }).start();
    await work(rig, 100, 11);
    expect(changes(rig)).toEqual([{ from: 2, to: 40, reason: 'no subtask has ended after 1 s' }]);
  });

  it('is taken to be long when nothing of it has ended', async () => {
    const rig = await rigFor(undefined);
    rig.clock.advance(1000);
    await settled();
    expect(changes(rig)).toEqual([{ from: 2, to: 40, reason: 'no subtask has ended after 1 s' }]);
  });
});
