import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { displayWidth } from '../../../src/report/display-width.js';
import { type LiveMoment, liveFrame } from '../../../src/report/live-frame.js';
import { RunProgress } from '../../../src/report/run-progress.js';
import { agentsChanged, failed, finished, nastyText, runStarted, started, waveFinished, waveStarted } from './builders.js';

const MOMENT: LiveMoment = {
  waves: [
    { number: 1, name: 'Analysis', state: 'over', done: 2, failed: 0, skipped: 0, retried: 0, total: 2 },
    { number: 2, name: 'Counting', state: 'running', done: 75, failed: 2, skipped: 0, retried: 1, total: 214 },
    { number: 3, name: 'Summary', state: 'waiting', done: 0, failed: 0, skipped: 0, retried: 0, total: 0 },
  ],
  rate: 45,
  agents: { now: 5, planned: 6 },
  leftMs: 3_100,
  elapsedMs: 1_900,
  slowest: [{ name: 'count[17]', forMs: 3200 }],
};

const texts = (moment: LiveMoment, width: number) => liveFrame(moment, width).map(({ text }) => text);

describe('a frame', () => {
  it('lets what runs stand out, and what failed', () => {
    expect(liveFrame(MOMENT, 79).map(({ tone }) => tone)).toEqual(['dim', 'warn', 'dim', 'plain', 'dim']);
    const clean = { ...MOMENT, waves: MOMENT.waves.map((wave) => ({ ...wave, failed: 0 })) };
    expect(liveFrame(clean, 79)[1]?.tone).toBe('strong');
  });

  it('has a bar for each wave, the figures, and what is slow', () => {
    expect(texts(MOMENT, 79)).toEqual([
      ' 1 Analysis ██████████████████████ 100% 2 of 2',
      '▸2 Counting ███████░░░░░░░░░░░░░░░  35% 75 of 214, 2 failed, 1 retried',
      ' 3 Summary  ░░░░░░░░░░░░░░░░░░░░░░   0% size not known yet',
      '5 of 6 agents at work, 45/s, about 4 s left, 1 s so far',
      'slowest now: count[17] 3.2 s',
    ]);
  });

  it('cuts no figure of the work where it is narrow', () => {
    const waves = MOMENT.waves.map((wave) => ({ ...wave, done: wave.done * 100, total: wave.total * 100 }));
    expect(texts({ ...MOMENT, waves }, 39)).toEqual([
      ' 1 Analys… ██████ 100% 200/200',
      '▸2 Counti… ██░░░░  35% 7,500/21,400, 2…',
      ' 3 Summary ░░░░░░   0% of ?',
      '5 of 6 agents at work, 45/s, about 4 s',
      '  left, 1 s so far',
      'slowest now: count[17] 3.2 s',
    ]);
  });

  it('fits every width from 40 to 200, whatever names are, and stays a few lines', () => {
    const wave = fc.record({
      number: fc.integer({ min: 1, max: 99 }),
      name: nastyText,
      state: fc.constantFrom('waiting', 'running', 'over'),
      done: fc.nat(),
      failed: fc.nat(),
      skipped: fc.nat(),
      retried: fc.nat(),
      total: fc.nat(),
    });
    const moment = fc.record({
      waves: fc.array(wave, { minLength: 1, maxLength: 30 }),
      rate: fc.option(fc.double({ min: 0, max: 1e6, noNaN: true }), { nil: undefined }),
      agents: fc.record({ now: fc.nat(), planned: fc.nat() }),
      leftMs: fc.option(fc.double({ min: 0, max: 1e9, noNaN: true }), { nil: undefined }),
      elapsedMs: fc.double({ min: 0, max: 1e9, noNaN: true }),
      slowest: fc.array(fc.record({ name: nastyText, forMs: fc.double({ min: 0, max: 1e9, noNaN: true }) }), { maxLength: 3 }),
    });
    fc.assert(
      fc.property(moment, fc.integer({ min: 39, max: 199 }), (any, width) => {
        const lines = texts(any as LiveMoment, width);
        expect(lines.length).toBeLessThanOrEqual(13);
        for (const line of lines) {
          expect(displayWidth(line)).toBeLessThanOrEqual(width);
          expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]|NaN|undefined|Infinity/);
        }
      }),
    );
  });

  it('keeps the time of what is slow, and as many as there is room for', () => {
    const slowest = [
      { name: 'a-name-that-is-longer-than-a-narrow-terminal-is-wide[17]', forMs: 3200 },
      { name: 'count[2]', forMs: 1500 },
    ];
    expect(texts({ ...MOMENT, slowest }, 39).at(-1)).toBe('slowest now: a-name-that-is-long… 3.2 s');
    expect(texts({ ...MOMENT, slowest: slowest.toReversed() }, 39).at(-1)).toBe('slowest now: count[2] 1.5 s');
    expect(texts({ ...MOMENT, slowest }, 120).at(-1)).toContain('wide[17] 3.2 s, count[2] 1.5 s');
  });

  it('keeps the waves around the one that runs', () => {
    const waves = Array.from({ length: 20 }, (_, i) => ({
      ...MOMENT.waves[0],
      number: i + 1,
      state: i < 9 ? 'over' : i === 9 ? 'running' : 'waiting',
    }));
    const lines = texts({ ...MOMENT, waves: waves as unknown as LiveMoment['waves'] }, 80);
    expect(lines[0]).toBe('… 8 waves before');
    expect(lines[2]).toContain('▸10 Analysis');
    expect(lines).toContain('… 6 more waves');
  });
});

describe('the progress of a run', () => {
  it('counts by wave, also where several run at once, and knows who is slow', () => {
    const progress = new RunProgress(0);
    progress.add(runStarted(), 0);
    progress.add(waveStarted(1, 10, 4), 0);
    progress.add(waveStarted(2, 6, 3), 500);
    progress.add({ type: 'subtasks-started', at: 0, wave: 1, task: 'many', agent: 'agent_1', first: 4, count: 3 }, 1000);
    progress.add(started(2, 'rename', 'rename[0]', 'agent_2'), 1000);
    progress.add(
      { type: 'subtasks-finished', at: 0, wave: 1, task: 'many', agent: 'agent_1', count: 1, lines: [], durationsMs: [1] },
      2000,
    );
    progress.add(finished('rename', { wave: 2, agent_id: 'agent_9' }), 2000);
    progress.add(failed('rename', 3, 'no'), 2000);
    progress.add(agentsChanged(2, 3, 8), 2000);
    const moment = progress.at(3500);
    expect(
      moment.waves.filter(({ state }) => state === 'running').map(({ number, done, failed: bad }) => [number, done, bad]),
    ).toEqual([
      [1, 1, 0],
      [2, 2, 1],
    ]);
    expect(moment.agents).toEqual({ now: 2, planned: 8 });
    expect(moment.slowest.map(({ name, forMs }) => [name, forMs])).toEqual([
      ['rename[0]', 2500],
      ['many[5]', 1500],
    ]);
    progress.add(waveFinished(1), 4000);
    expect(progress.at(4000).waves.find(({ number }) => number === 1)).toMatchObject({ state: 'over', done: 1 });
  });
});
