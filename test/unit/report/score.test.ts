import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../../src/model/run-event.js';
import type { ScalingDecision } from '../../../src/model/scaling-decision.js';
import { judgeAgents } from '../../../src/report/hindsight.js';
import { toReportJson } from '../../../src/report/report-json.js';
import { renderMarkdown } from '../../../src/report/report-markdown.js';
import { renderReport } from '../../../src/report/run-panel.js';
import {
  agentsChanged,
  anyScoredRun,
  check,
  decision,
  finished,
  runFinished,
  runStarted,
  summaryOf,
  WAVES,
  waveFinished,
  waveStarted,
} from './builders.js';

/** 8 subtasks of 2 s; up to 8 agents at 10 ms each, 2 of which the decision takes. */
const decided: ScalingDecision = decision({
  overhead: { secondsPerAgent: 0.01, secondsPerWave: 0, source: 'measured' },
  formula: { agents: 8, phase: 'task_type' },
  capacity: { agents: 100, limit: 'memory', reason: 'r' },
  decided: { agents: 2, reason: 'r' },
  roi: { agents: 2, ratio: 400, band: 'EXCELLENT', timeSavedMinutes: 8 / 60, overheadMinutes: 0.02 / 60 },
});

interface Given {
  readonly decision?: ScalingDecision;
  readonly agents?: number;
  readonly cores?: number;
  readonly cpuSeconds?: number;
  readonly predictedAtStart?: number;
  readonly seconds?: number;
  readonly during?: readonly RunEvent[];
}

/** A run of one wave, which took 8.5 s and was predicted to take 8 s. */
function run(given: Given = {}): readonly RunEvent[] {
  const { cores = 4, cpuSeconds = 0, seconds = 8.5, agents = 2, during = [] } = given;
  return [
    runStarted({
      decision: given.decision ?? decided,
      waves: WAVES.slice(1),
      cores,
      predictedSeconds: given.predictedAtStart,
    }),
    waveStarted(2, 8, agents, { predictedSeconds: 8 }),
    ...during,
    ...Array.from({ length: 8 }, (_, i) => finished('rename', { task_id: `rename[${i}]`, duration_ms: 2000 })),
    waveFinished(2, seconds * 1000, check(), {
      at: 1000 + seconds * 1000,
      measured: { cpuSeconds, busySeconds: 16, idleSeconds: 0.7 },
    }),
    runFinished('done', seconds * 1000),
  ];
}

const scoreOf = (events: readonly RunEvent[]) => summaryOf(events).score;
const hindsightOf = (given: Given = {}) => scoreOf(run(given))?.hindsight;
const panelOf = (events: readonly RunEvent[]) =>
  renderReport(summaryOf(events), { color: false, width: 100 })
    .split('\n')
    .map((row) => row.replace(/^║ ?| *║$/g, '').trim())
    .join(' ')
    .replace(/ +/g, ' ');

describe('the score of a wave', () => {
  const wave = scoreOf(run())?.waves[0];

  it('compares the time', () => {
    expect(wave).toMatchObject({ wave: 2, name: 'Phase 2', predictedSeconds: 8, actualSeconds: 8.5, idleSeconds: 0.7 });
    expect(wave?.errorShare).toBeCloseTo(0.5 / 8.5, 12);
  });

  it('compares the overhead: 2 agents × 8.5 s for 16 s of work', () => {
    expect(wave?.overhead.predictedSeconds).toBeCloseTo(0.02, 12);
    expect(wave?.overhead.agentSeconds).toBeCloseTo(1, 12);
    expect(wave?.overhead.share).toBeCloseTo(1 / 17, 12);
    expect(wave?.overhead.actualSeconds).toBeCloseTo(0.5, 12);
  });

  it('compares the return: 7.5 s saved for 0.5 s', () => {
    expect(wave?.roi.predicted).toBe(400);
    expect(wave?.roi.actual).toBeCloseTo(15, 9);
  });

  it('the return of one agent is -1, as in the formula', () => {
    expect(scoreOf(run({ agents: 1, seconds: 16.5 }))?.roi.actual).toBeCloseTo(-1, 9);
  });

  it('has no return where there was no overhead', () => {
    expect(scoreOf(run({ seconds: 8 }))?.roi.actual).toBeUndefined();
    const free = { ...decided, roi: { ...decided.roi, ratio: Number.MAX_VALUE } };
    expect(scoreOf(run({ decision: free }))?.roi.predicted).toBeUndefined();
  });

  it('counts the agents that there were at each time', () => {
    // 0.5 s before the start and 3 s after it on 2 agents, 5 s on 4.
    const [given] = [run({ seconds: 8.5, during: [agentsChanged(2, 2, 4, 4000)] })];
    const late = given.map((event) => (event.type === 'wave-finished' ? { ...event, at: 9000 } : event));
    expect(scoreOf(late)?.overhead.agentSeconds).toBeCloseTo(2 * 3.5 + 4 * 5 - 16, 9);
  });

  it('is not there when nothing was predicted, or the wave did not end', () => {
    const unpredicted = run().map((event) => {
      if (event.type !== 'wave-started') return event;
      const { predictedSeconds: _, ...rest } = event;
      return rest;
    });
    expect(summaryOf(unpredicted).score).toBeUndefined();
    expect(summaryOf(run().filter(({ type }) => type !== 'wave-finished')).score).toBeUndefined();
    expect(panelOf(unpredicted)).not.toContain('PREDICTION');
    expect(renderMarkdown(summaryOf(unpredicted))).not.toContain('Prediction');
    expect(toReportJson(summaryOf(unpredicted)).prediction).toBeNull();
  });

  it('times alone are scored where nothing was measured', () => {
    const unmeasured = run().map((event) => {
      if (event.type !== 'wave-finished') return event;
      const { measured: _, ...rest } = event;
      return rest;
    });
    const score = scoreOf(unmeasured);
    expect(score).toMatchObject({ predictedSeconds: 8, idleSeconds: undefined, hindsight: undefined });
    expect(score?.overhead.agentSeconds).toBeUndefined();
    expect(score?.overhead.predictedSeconds).toBeCloseTo(0.02, 12);
  });
});

describe('the score of a run', () => {
  const two = (predictedAtStart?: number, last = true): readonly RunEvent[] => [
    runStarted({ decision: decided, cores: 4, predictedSeconds: predictedAtStart }),
    waveStarted(1, 1, 1, { predictedSeconds: 3 }),
    waveFinished(1, 4000, check(), { at: 5000, measured: { cpuSeconds: 0, busySeconds: 3, idleSeconds: 0.25 } }),
    ...run().slice(1, last ? undefined : 2),
  ];

  it('is that of the start where one was made', () => {
    const score = scoreOf(two(10));
    expect(score).toMatchObject({ basis: 'start', predictedSeconds: 10, actualSeconds: 12.5 });
    expect(score?.errorShare).toBeCloseTo(0.2, 12);
  });

  it('is the sum of the waves where none was made', () => {
    expect(scoreOf(two())).toMatchObject({ basis: 'waves', predictedSeconds: 11, actualSeconds: 12.5 });
  });

  it('counts ended waves only where the run ended early', () => {
    expect(scoreOf(two(10, false))).toMatchObject({ basis: 'waves', predictedSeconds: 3, actualSeconds: 4 });
  });

  it('adds up what was measured', () => {
    const score = scoreOf(two(10));
    expect(score?.idleSeconds).toBeCloseTo(0.95, 12);
    expect(score?.overhead.agentSeconds).toBeCloseTo(2, 12);
    expect(score?.overhead.actualSeconds).toBeCloseTo(1.5, 12);
    expect(score?.overhead.share).toBeCloseTo(2 / 21, 12);
    expect(score?.overhead.predictedSeconds).toBeCloseTo(0.02, 12);
    expect(score?.roi.actual).toBeCloseTo((19 - 12.5) / 1.5, 9);
  });

  it('claims nothing measured where a wave was not', () => {
    const events = two(10).map((event) => {
      if (event.type !== 'wave-finished' || event.wave !== 1) return event;
      const { measured: _, ...rest } = event;
      return rest;
    });
    const score = scoreOf(events);
    expect([score?.idleSeconds, score?.roi.actual, score?.overhead.share, score?.hindsight]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(score?.waves[1]?.roi.actual).toBeCloseTo(15, 9);
  });
});

describe('hindsight', () => {
  it('names the count that would have been better: 8 take 2.08 s instead of 8.02 s', () => {
    const hindsight = hindsightOf();
    expect(hindsight).toMatchObject({ verdict: 'better', used: 2, agents: 8 });
    expect(hindsight?.savedSeconds).toBeCloseTo(8.02 - 2.08, 9);
    expect(panelOf(run())).toContain('Hindsight: 8 agents would have saved 5.94 s (2 ran)');
  });

  it('says that the count was right when the cores were busy', () => {
    expect(hindsightOf({ cores: 2, cpuSeconds: 16 })).toMatchObject({ verdict: 'right', used: 2, agents: 2, savedSeconds: 0 });
    const panel = panelOf(run({ cores: 2, cpuSeconds: 16 }));
    expect(panel).toContain('Hindsight: the count was right: no other saves more than 1 s');
    expect(panel).not.toContain('would have saved');
  });

  it('speaks of a share where that is more than a second', () => {
    const long = run({ cores: 2, cpuSeconds: 160 }).map((event) => {
      if (event.type !== 'wave-finished') return event;
      return { ...event, durationMs: 85_000, measured: { cpuSeconds: 160, busySeconds: 160, idleSeconds: 0 } };
    });
    expect(panelOf(long)).toContain('the count was right: no other saves more than 5%');
  });

  it('says that the count was right when no more agents could be had', () => {
    expect(hindsightOf({ decision: { ...decided, formula: { agents: 2, phase: 'micro_task' } } })?.verdict).toBe('right');
    expect(hindsightOf({ decision: { ...decided, capacity: { ...decided.capacity, agents: 2 } } })?.verdict).toBe('right');
  });

  it('finds that fewer would have been better when agents cost much', () => {
    const overhead = { secondsPerAgent: 2, secondsPerWave: 0, source: 'measured' } as const;
    const hindsight = hindsightOf({ decision: { ...decided, overhead }, agents: 8, seconds: 18 });
    expect(hindsight).toMatchObject({ verdict: 'better', used: 8 });
    // ceil(8/n)·2 + 2n is 18 for 8 agents, and least for 2, 3 and 4: 12.
    expect(hindsight?.agents).toBe(2);
    expect(hindsight?.savedSeconds).toBeCloseTo(6, 9);
  });

  it('claims nothing where the model does not explain the time', () => {
    expect(hindsightOf({ seconds: 30 })).toMatchObject({ verdict: 'unexplained', savedSeconds: 0 });
    const panel = panelOf(run({ seconds: 30 }));
    expect(panel).toContain("Hindsight: not told: by the subtasks' durations the waves take 8.02 s, they took 30 s");
    expect(panel).not.toContain('would have saved');
  });

  it('knows a rate that bounds the capacity', () => {
    const capacity = { agents: 60, limit: 'rate', reason: '60 requests a minute' } as const;
    // One start a second: 8 subtasks take 8 s on 2 agents or on 8.
    expect(hindsightOf({ decision: { ...decided, capacity } })?.verdict).toBe('right');
  });

  it('goes by a decision that was taken while the wave ran, not by one for another wave', () => {
    const few = { ...decided, formula: { agents: 2, phase: 'micro_task' } } as const;
    const taken = (wave: number): RunEvent => ({ type: 'decision-taken', at: 1500, wave, decision: decided });
    expect(hindsightOf({ decision: few, during: [taken(2)] })?.verdict).toBe('better');
    expect(hindsightOf({ decision: few, during: [taken(3)] })?.verdict).toBe('right');
  });

  it('says nothing without the number of cores', () => {
    const [start, ...rest] = run();
    if (start?.type !== 'run-started') throw new Error('no start');
    const { cores: _, ...unknown } = start;
    expect(scoreOf([unknown, ...rest])?.hindsight).toBeUndefined();
  });

  it('never prefers a count that saves little, whatever was measured', () => {
    const wave = fc.record({
      agents: fc.integer({ min: 1, max: 40 }),
      subtasks: fc.integer({ min: 1, max: 500 }),
      durationSeconds: fc.double({ min: 0, max: 1000, noNaN: true }),
      busySeconds: fc.double({ min: 0, max: 10_000, noNaN: true }),
      cpuSeconds: fc.double({ min: 0, max: 10_000, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(wave, { minLength: 1, maxLength: 3 }), fc.integer({ min: 1, max: 16 }), (waves, cores) => {
        const hindsight = judgeAgents(
          waves.map((any) => ({ ...any, decision: decided })),
          cores,
        );
        if (hindsight === undefined) throw new Error('not judged');
        if (hindsight.verdict === 'better') {
          expect(hindsight.savedSeconds).toBeGreaterThan(Math.max(0.05 * hindsight.modelSeconds, 1));
          expect(hindsight.agents).toBeGreaterThanOrEqual(1);
          expect(hindsight.agents).toBeLessThanOrEqual(Math.max(8, hindsight.used));
        } else expect(hindsight).toMatchObject({ agents: hindsight.used, savedSeconds: 0 });
      }),
    );
  });
});

describe('WORDS of the prediction', () => {
  const events = run({ predictedAtStart: 10, during: [agentsChanged(2, 2, 2, 1000, 'looked\u001b[2J around')] });
  const panel = panelOf(events);
  it.each([
    '🎯 PREDICTION',
    'Run: predicted 10 s, took 8.5 s, off by 17.6%',
    '└─ Wave 2: predicted 8 s, took 8.5 s, off by 5.88%; 8 agents would have saved 5.94 s (2 ran)',
    "Overhead: predicted 20 ms, actual 500 ms (1 s of agents' time, 5.88% of it)",
    'ROI: predicted 400x return on overhead, actual 15x return on overhead',
    'Barriers: agents were idle for 700 ms in all while others still worked',
    'Hindsight: 8 agents would have saved 5.94 s (2 ran)',
    '└─ wave 2: 2 → 2 agents: looked around',
  ])('the panel shows %s', (words) => expect(panel).toContain(words));

  const markdown = renderMarkdown(summaryOf(events));
  it.each([
    '## Prediction',
    '- Run: predicted 10 s, took 8.5 s, off by 17.6%',
    '| 2 | Phase 2 | 8 s | 8.5 s | 5.88% | 20 ms | 500 ms | 400x | 15x | 700 ms | 8 agents would have saved 5.94 s (2 ran) |',
    '### Agents while it ran',
  ])('Markdown shows %s', (words) => expect(markdown).toContain(words));

  it('JSON has the figures', () => {
    const { version, prediction, waves } = toReportJson(summaryOf(events));
    expect(version).toBe(1);
    expect(prediction).toMatchObject({ basis: 'start', predictedSeconds: 10, actualSeconds: 8.5, idleSeconds: 0.7 });
    expect(Object.keys(prediction ?? {}).sort()).toEqual([
      'actualSeconds',
      'basis',
      'errorShare',
      'hindsight',
      'idleSeconds',
      'overhead',
      'predictedSeconds',
      'roi',
      'waves',
    ]);
    expect(prediction?.waves).toHaveLength(1);
    expect(prediction?.hindsight).toMatchObject({ verdict: 'better', used: 2, agents: 8 });
    expect(waves[0]).toMatchObject({
      predictedSeconds: 8,
      measured: { cpuSeconds: 0, busySeconds: 16, idleSeconds: 0.7 },
      agentsChanges: { count: 1, first: [{ from: 2, to: 2, reason: 'looked around' }] },
    });
  });

  it('many changes are counted, the first are listed', () => {
    const many = run({ during: Array.from({ length: 100 }, (_, i) => agentsChanged(2, i + 1, i + 2)) });
    const [wave] = summaryOf(many).waves;
    expect(wave?.agentsChanges.count).toBe(100);
    expect(wave?.agentsChanges.first).toHaveLength(5);
    expect(panelOf(many)).toContain('wave 2: ... (95 more changes)');
  });

  it('any run that was scored has figures only', () => {
    let scored = 0;
    fc.assert(
      fc.property(anyScoredRun, (any) => {
        const score = scoreOf(any);
        if (score === undefined) return;
        scored += 1;
        expect(
          JSON.stringify(score, (_, value) => (typeof value === 'number' && !Number.isFinite(value) ? 'BAD' : value)),
        ).not.toContain('BAD');
      }),
      { numRuns: 300 },
    );
    expect(scored).toBeGreaterThan(20);
  });
});
