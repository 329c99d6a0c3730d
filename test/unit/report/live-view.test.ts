import { Writable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../../src/model/run-event.js';
import { createLiveView } from '../../../src/report/live-view.js';
import {
  agentsChanged,
  backupMade,
  check,
  failed,
  finished,
  runFinished,
  runStarted,
  started,
  waveFinished,
  waveStarted,
} from './builders.js';

/** A stream that keeps what is written, a clock and a timer that the test moves. */
async function fakeView(tty: boolean) {
  const writes: string[] = [];
  const stream = Object.assign(
    new Writable({
      decodeStrings: false,
      write(chunk: string, _encoding, done) {
        writes.push(chunk);
        done();
      },
    }),
    { columns: 60 },
  );
  const clock = { now: 0, tick: () => {}, stopped: false };
  const everySecond = (tick: () => void) => {
    clock.tick = tick;
    return () => {
      clock.stopped = true;
    };
  };
  const view = await createLiveView({ stream, color: false, tty, now: () => clock.now, everySecond });
  return { view, clock, writes, text: () => stripVTControlCharacters(writes.join('')) };
}

describe('without a terminal', () => {
  it('shows the blocks of every wave and nothing that moves', async () => {
    const { view, text, writes } = await fakeView(false);
    const events: readonly RunEvent[] = [
      runStarted(),
      backupMade(),
      waveStarted(1, 3, 3),
      ...[0, 1, 2].flatMap((index) => [
        started(1, 'rename', `rename[${index}]`, 'agent_0'),
        finished('rename', { wave: 1, task_id: `rename[${index}]` }),
      ]),
      waveFinished(1, 3000),
      runFinished(),
    ];
    for (const event of events) view.handle(event);
    view.close();
    expect(text()).toBe(
      [
        'Run 20251217-103000000-abcdef',
        '✅ Wave 0 Complete',
        '└─ Safety Backup: commit abcdef012345 on main in 12 ms',
        `╔${'═'.repeat(58)}╗`,
        `║ 🌊 WAVE 1: Phase 1${' '.repeat(39)}║`,
        `║ ${'Agents: 3 (parallel execution)'.padEnd(56)} ║`,
        `╚${'═'.repeat(58)}╝`,
        '✅ Wave 1 Complete',
        '├─ Success: 3 tasks',
        '├─ Failed: 0 tasks',
        '├─ Check: READY (all checkpoints are there)',
        '└─ Duration: 0.05 minutes (3 s)',
        '',
      ].join('\n'),
    );
    expect(writes.join('')).not.toContain('\u001b');
  });

  it('writes progress every few seconds of a long wave only', async () => {
    const { view, clock, text } = await fakeView(false);
    view.handle(waveStarted(1, 10, 2));
    for (let index = 0; index < 6; index += 1) {
      clock.now += 1000;
      view.handle(finished('rename', { wave: 1, task_id: `rename[${index}]` }));
      clock.tick();
    }
    expect(text().match(/^wave 1: .*$/gm)).toEqual(['wave 1: 5 of 10 done, 0 running, 1/s, about 5 s left']);
    clock.now += 5000;
    clock.tick();
    expect(text().match(/^wave 1: /gm)).toHaveLength(2);
  });

  it('shows the first failures, then counts', async () => {
    const { view, text } = await fakeView(false);
    view.handle(waveStarted(2, 9));
    for (let index = 0; index < 9; index += 1) view.handle(failed('rename', index, `\u001b[2Jexit code ${index}\nmore`));
    view.handle(waveFinished(2, 10, check('FAILED', 9)));
    expect(text().match(/❌ rename\[\d\]: .*/g)).toEqual([
      '❌ rename[0]: exit code 0',
      '❌ rename[1]: exit code 1',
      '❌ rename[2]: exit code 2',
    ]);
    expect(text()).toContain(
      '❌ Wave 2 Failed\n├─ Success: 0 tasks\n├─ Failed: 9 tasks\n├─ Check: FAILED (all checkpoints are there)\n',
    );
  });

  it('does not call a wave complete whose records are missing', async () => {
    const { view, text } = await fakeView(false);
    view.handle(waveStarted(2, 1));
    view.handle(waveFinished(2, 10, check('INCOMPLETE')));
    expect(text()).toContain('❌ Wave 2 Incomplete');
    expect(text()).not.toContain('Complete\n');
  });

  it('says when no pool is started', async () => {
    const { view, text } = await fakeView(false);
    view.handle(waveStarted(1, 3, 1, { threads: 0 }));
    view.handle(waveStarted(2, 3, 1, { threads: 1 }));
    expect(text().match(/Agents: .*?\)/g)).toEqual(["Agents: 1 (in the coordinator's own thread)", 'Agents: 1 (one at a time)']);
  });

  it('tells a change of the agents in one line', async () => {
    const { view, text } = await fakeView(false);
    view.handle(agentsChanged(2, 8, 10));
    view.handle(agentsChanged(2, 10, 1, 1, 'memory\n\u001b[2Jis short'));
    expect(text()).toBe('Wave 2: 8 → 10 agents, throughput rose 12%\nWave 2: 10 → 1 agent, memory is short\n');
  });

  it('knows the size of a fan-out whether it expands before its wave or in it', async () => {
    for (const expandFirst of [true, false]) {
      const { view, clock, text } = await fakeView(false);
      view.handle(runStarted());
      const expanded: RunEvent = { type: 'task-expanded', at: 1, wave: 2, task: 'rename', subtasks: 40 };
      for (const event of expandFirst ? [expanded, waveStarted(2, 40)] : [waveStarted(2, 0), expanded]) view.handle(event);
      clock.now = 6000;
      view.handle(finished('rename'));
      expect(text()).toContain('wave 2: 1 of 40 done');
    }
  });
});

describe('on a terminal', () => {
  it('redraws at most ten times a second, and takes what moves away at the end', async () => {
    const { view, clock, writes, text } = await fakeView(true);
    view.handle(waveStarted(1, 1000, 2));
    const before = writes.length;
    for (let index = 0; index < 1000; index += 1) {
      clock.now += 1;
      view.handle(started(1, 'rename', `rename[${index}]`, 'agent_0'));
      view.handle(finished('rename', { wave: 1, task_id: `rename[${index}]` }));
    }
    const frames = writes.length - before;
    expect(frames).toBeGreaterThan(5);
    expect(frames).toBeLessThanOrEqual(11);
    expect(text()).toMatch(/▸1 Phase 1 █+░* +\d+% \d+ of 1,000\n/);
    view.handle(waveFinished(1, 1000));
    const last = writes.findLastIndex((chunk) => chunk.includes('of 1,000'));
    expect(writes[last + 1]).toContain('\u001b[2K');
    expect(text()).toContain('✅ Wave 1 Complete\n├─ Success: 1,000 tasks\n');
  });

  it('the timer moves what is shown while nothing happens, and stops', async () => {
    const { view, clock, text } = await fakeView(true);
    view.handle(waveStarted(1, 1, 1));
    view.handle(started(1, 'scan', 'scan', 'agent_0'));
    clock.now = 61_000;
    clock.tick();
    expect(text()).toContain('1 of 1 agent at work, time left not known yet, 1 min 1 s so\n  far');
    expect(text()).toContain('slowest now: scan 1 min 1 s');
    view.close();
    view.close();
    expect(clock.stopped).toBe(true);
    const after = text();
    clock.now = 90_000;
    clock.tick();
    expect(text()).toBe(after);
  });
});
