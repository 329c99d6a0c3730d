import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../../src/model/run-event.js';
import { createSummary } from '../../../src/report/summary.js';
import {
  anyEvent,
  backupMade,
  check,
  decision,
  failed,
  finished,
  GOOD_RUN,
  runFinished,
  runStarted,
  started,
  summaryOf,
  WAVES,
  waveFinished,
  waveStarted,
} from './builders.js';

type Finished = Extract<RunEvent, { type: 'subtask-finished' }>;

describe('the fold', () => {
  it('counts what an independent recount counts', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 60 }), (events) => {
        const summary = summaryOf(events);
        const ended = events
          .filter((event): event is Finished => event.type === 'subtask-finished')
          .map(({ task, checkpoint }) => ({ task, ...checkpoint }));
        const skipped = events.filter((event) => event.type === 'subtask-skipped');
        const recount = (ends: typeof ended, skips: typeof skipped) => ({
          success: ends.filter(({ status }) => status === 'success').length,
          failed: ends.filter(({ status }) => status === 'failure').length,
          skipped: skips.length,
          retried: ends.filter(({ status, attempt }) => status === 'success' && attempt > 1).length,
        });
        expect(summary.totals).toEqual(recount(ended, skipped));
        expect(summary.events).toBe(events.length);
        expect(summary.retries).toBe(events.filter(({ type }) => type === 'subtask-retried').length);
        expect(summary.baselineMs).toBeCloseTo(
          ended.reduce((sum, { duration_ms }) => sum + duration_ms, 0),
          // Each counts in whole microseconds.
          1,
        );
        for (const wave of summary.waves) {
          const ofWave = skipped.filter((event) => event.type === 'subtask-skipped' && event.wave === wave.number);
          expect(wave).toMatchObject(
            recount(
              ended.filter((end) => end.wave === wave.number),
              ofWave,
            ),
          );
          expect(wave.subtasks).toBeGreaterThanOrEqual(wave.success + wave.failed + wave.skipped);
        }
        for (const task of summary.tasks) {
          const ofTask = skipped.filter((event) => event.type === 'subtask-skipped' && event.task === task.id);
          expect(task).toMatchObject(
            recount(
              ended.filter((end) => end.task === task.id),
              ofTask,
            ),
          );
        }
        const grouped = summary.failures.reduce((sum, { count }) => sum + count, 0) + summary.otherFailures;
        expect(grouped).toBe(summary.totals.failed);
        expect(summary.issues.length === 0 && summary.totals.failed > 0).toBe(false);
        expect(summary.recommendations.length).toBeGreaterThan(0);
        expect(summary.checklist).toHaveLength(12);
      }),
    );
  });

  it('gives the same report for the same events, and at any moment', () => {
    const fold = createSummary();
    for (const event of GOOD_RUN) {
      fold.add(event);
      fold.result();
    }
    expect(fold.result()).toEqual(summaryOf(GOOD_RUN));
  });

  it('does not grow with the number of subtasks', () => {
    const size = (subtasks: number) => {
      const fold = createSummary();
      fold.add(runStarted());
      fold.add(waveStarted(2, subtasks));
      for (let i = 0; i < subtasks; i += 1) {
        fold.add(started(2, 'rename', `rename[${i}]`, `agent_${i % 4}`));
        fold.add(
          i % 3 === 0
            ? failed('rename', i, `cause ${String.fromCharCode(97 + (i % 26)).repeat(1 + (i % 40))} ${i}`)
            : finished('rename', { task_id: `rename[${i}]`, duration_ms: i % 97 }),
        );
        fold.add({ type: 'warning', at: 1, message: `warning ${i}` });
      }
      return JSON.stringify(fold.result()).length;
    };
    const small = size(5000);
    expect(size(50_000)).toBeLessThan(small * 1.1);
  });

  it('groups failures by cause, with a message that is true of each', () => {
    const summary = summaryOf([
      runStarted(),
      failed('rename', 1, 'exit code 1: on file17\nmore'),
      failed('rename', 2, 'exit code 1: on file18'),
      failed('rename', 3, 'exit code 2: on file18'),
      failed('rename', 4, 'exit code 2: on file18'),
      failed('fetch', 1, 'GET /1: status 404', 'action'),
      failed('fetch', 2, 'GET /2: status 404', 'action'),
      failed('fetch', 3, 'GET /3: status 500', 'action'),
      failed('rename', 5, 'out of time', 'timeout'),
    ]);
    expect(summary.failures.map(({ count, kind, message, subtasks }) => [count, kind, message, subtasks[0]])).toEqual([
      [2, 'command', 'exit code 1: on fileN', 'rename[1]'],
      [2, 'command', 'exit code 2: on file18', 'rename[3]'],
      [2, 'action', 'GET /N: status 404', 'fetch[1]'],
      [1, 'action', 'GET /3: status 500', 'fetch[3]'],
      [1, 'timeout', 'out of time', 'rename[5]'],
    ]);
  });

  it('observes how many agents work at once, not how many there are', () => {
    const summary = summaryOf([
      runStarted(),
      waveStarted(2, 4, 8),
      started(2, 'rename', 'rename[0]', 'agent_0'),
      started(2, 'rename', 'rename[1]', 'agent_1'),
      started(2, 'rename', 'rename[2]', 'agent_1'),
      {
        type: 'subtask-retried',
        at: 1,
        agent: 'agent_1',
        wave: 2,
        task: 'rename',
        subtask: 'rename[0]',
        attempt: 1,
        delayMs: 1,
        failure: { kind: 'command', message: 'x' },
      },
      started(2, 'rename', 'rename[3]', 'agent_2'),
      started(2, 'rename', 'rename[0]', 'agent_0', 2),
      finished('rename', { task_id: 'rename[3]', agent_id: 'agent_2' }),
    ]);
    expect(summary.peak).toEqual({ agents: 3, source: 'observed' });
    const fromDisk = summaryOf([
      runStarted(),
      finished('rename', { agent_id: 'agent_0' }),
      finished('rename', { agent_id: 'agent_5' }),
    ]);
    expect(fromDisk.peak).toEqual({ agents: 2, source: 'wave' });
  });

  it('knows a wave that never started', () => {
    const summary = summaryOf([runStarted(), runFinished('stopped', 5, 'Ctrl-C')]);
    expect(summary.waves.map(({ name, agents, durationMs, check: checked }) => ({ name, agents, durationMs, checked }))).toEqual([
      { name: 'Analysis', agents: 0, durationMs: undefined, checked: undefined },
      { name: 'Main', agents: 0, durationMs: undefined, checked: undefined },
    ]);
  });

  it('the last decision is the one that counts', () => {
    const again = decision({ decided: { agents: 3, reason: 'three items' } });
    const summary = summaryOf([runStarted(), { type: 'decision-taken', at: 1, wave: 2, decision: again }]);
    expect(summary.agentsPlanned).toBe(3);
    expect(summary.redecisions).toEqual([{ wave: 2, agents: 3, reason: 'three items' }]);
  });
});

describe('key outcomes', () => {
  const outcomesOf = (results: Parameters<typeof finished>[1]) =>
    summaryOf([runStarted(), finished('scan', { wave: 1, task_id: 'scan', ...results })]).outcomes;

  it('are what single tasks say of themselves', () => {
    expect(outcomesOf({ results: { summary: 'found 3' } })).toEqual(['scan: found 3']);
    expect(outcomesOf({ results: { exitCode: 0, stdout: ' 3 files counted\n', stderr: '' } })).toEqual(['scan: 3 files counted']);
    expect(outcomesOf({ results: { summary: ['one', 7, 'two\nlines'] } })).toEqual(['scan: one', 'scan: two lines']);
  });

  it('are facts where a task says nothing', () => {
    for (const stdout of ['', 'two\nlines\n', 'x'.repeat(201)])
      expect(outcomesOf({ results: { exitCode: 0, stdout, stderr: '' }, duration_ms: 1200 })).toEqual(['scan: done in 1.2 s']);
    expect(outcomesOf({ results: ['summary'] })).toEqual(['scan: done in 5 ms']);
    expect(outcomesOf({ status: 'failure', error: { kind: 'command', message: 'no' }, results: { summary: 'found 3' } })).toEqual(
      ['scan: failed after 5 ms'],
    );
    expect(summaryOf([runStarted()]).outcomes).toEqual(['No task ended']);
  });

  it('are counts for a fan-out, also when its subtasks say something', () => {
    const events = [
      { type: 'task-expanded', at: 1, wave: 2, task: 'rename', subtasks: 796 } as const,
      finished('rename', { results: { summary: 'x' }, duration_ms: 4 }),
      failed('rename', 1, 'no'),
      { type: 'subtask-skipped', at: 1, wave: 2, task: 'rename', subtask: 'rename[2]', reason: 'if' } as const,
    ];
    expect(summaryOf([runStarted(), ...events]).outcomes).toEqual([
      'rename: 1 of 796 subtasks, 1 failed, 1 skipped, median 4 ms',
    ]);
  });
});

describe('issues', () => {
  it('are none after a good run', () => {
    expect(summaryOf(GOOD_RUN.filter((event) => event.type !== 'subtask-retried')).issues).toEqual([]);
  });

  it('name failures, checks, retries, warnings and the end', () => {
    const { issues } = summaryOf([
      runStarted(),
      waveStarted(2, 7),
      {
        type: 'subtask-retried',
        at: 1,
        agent: 'agent_1',
        wave: 2,
        task: 'rename',
        subtask: 'rename[0]',
        attempt: 1,
        delayMs: 1,
        failure: { kind: 'command', message: 'x' },
      },
      finished('rename', { attempt: 2 }),
      ...[1, 2, 3, 4, 5, 6].map((index) => failed('rename', index, `exit code 1: lost row ${index}`)),
      waveFinished(2, 5, check('FAILED', 6)),
      {
        type: 'finally-finished',
        at: 1,
        task: 'cleanup',
        checkpoint: (failed('cleanup', 0, 'no such folder') as Finished).checkpoint,
      },
      { type: 'warning', at: 1, message: 'a torn tail was cut' },
      runFinished('failed', 5, 'wave 2 failed'),
    ]);
    expect(issues.map(({ severity, text }) => `${severity}: ${text}`)).toEqual([
      'error: The run failed: wave 2 failed',
      'error: 6 failures (command): exit code 1: lost row N - rename[1], rename[2], rename[3], rename[4], rename[5] and 1 more',
      'error: Wave 2 FAILED: all checkpoints are there',
      'error: finally cleanup failed: no such folder',
      'warning: 1 retry; 1 subtask succeeded after one',
      'warning: a torn tail was cut',
    ]);
  });

  it('a run without its end is an issue', () => {
    expect(summaryOf([runStarted()]).issues.map(({ text }) => text)).toEqual([
      'The run has not ended: its last event is missing',
    ]);
  });
});

describe('recommendations', () => {
  const actions = (events: readonly RunEvent[]) => summaryOf(events).recommendations.map(({ action }) => action);
  const measured = decision({
    overhead: { secondsPerAgent: 0.001, secondsPerWave: 0, source: 'measured' },
    decided: { agents: 1, reason: 'r' },
  });
  const waves = WAVES.slice(1);
  const quiet = [
    runStarted({ decision: measured, waves }),
    waveStarted(2, 1, 1),
    started(2, 'rename', 'rename[0]', 'agent_0'),
    finished('rename', { duration_ms: 9000 }),
    waveFinished(2, 9000),
    runFinished('done', 9000),
  ];

  it('are none where nothing follows from the facts', () => expect(actions(quiet)).toEqual(['Nothing needs to be done']));

  it.each([
    [
      'the overhead was not measured',
      [runStarted({ decision: { ...measured, overhead: decision().overhead } }), ...quiet.slice(1)],
      /first guess until the overhead is measured/,
    ],
    ['a backup was made', [...quiet.slice(0, 1), backupMade(), ...quiet.slice(1)], /waveplan restore 20251217-103000000-abcdef/],
    [
      'the prediction was off',
      [runStarted({ decision: measured, waves, predictedSeconds: 5 }), ...quiet.slice(1)],
      /^Give task rename an `estimate: \d+ms`$/,
    ],
    [
      'agents were idle',
      [runStarted({ waves, decision: { ...measured, decided: { agents: 9, reason: 'r' } } }), ...quiet.slice(1)],
      /^Use 1 agent \(--agents 1\)$/,
    ],
    ['the run was slow', [...quiet.slice(0, -1), runFinished('done', 20_000)], /^Use fewer agents/],
    [
      'a subtask was retried',
      [...quiet.slice(0, -3), finished('rename', { attempt: 2, duration_ms: 9000 }), ...quiet.slice(-2)],
      /^Find out why task rename fails at first$/,
    ],
    [
      'a subtask failed',
      [...quiet.slice(0, -2), failed('rename', 7, 'exit code 1'), runFinished('failed')],
      /^Look at rename\[7\] first in task rename \(1 of 2 failed\)$/,
    ],
  ] as const)('when %s', (_, events, expected) => {
    expect(actions(events).some((action) => expected.test(action))).toBe(true);
    expect(actions(quiet).some((action) => expected.test(action))).toBe(false);
  });

  it('a prediction within 25% needs no estimate, nor one of a moment', () => {
    expect(actions([runStarted({ decision: measured, waves, predictedSeconds: 7.5 }), ...quiet.slice(1)])).toEqual([
      'Nothing needs to be done',
    ]);
    const moment = [
      runStarted({ decision: measured, waves, predictedSeconds: 0.1 }),
      waveStarted(2, 1, 1),
      started(2, 'rename', 'rename[0]', 'agent_0'),
      finished('rename', { duration_ms: 300 }),
      waveFinished(2, 300),
      runFinished('done', 300),
    ];
    expect(actions(moment)).toEqual(['Nothing needs to be done']);
  });

  it('no backup, no way back', () => {
    expect(actions([runStarted(), backupMade({ mode: 'none' }), runFinished()]).join()).not.toContain('restore');
  });
});

describe('checklist', () => {
  const points = (events: readonly RunEvent[], planShown?: boolean) =>
    Object.fromEntries(
      summaryOf(events, planShown === undefined ? {} : { planShown }).checklist.map(({ point, done, evidence }) => [
        point.split(' (')[0] ?? point,
        { done, evidence },
      ]),
    );

  it('claims nothing without facts', () => {
    for (const { point, done } of summaryOf([]).checklist) expect(done, point).not.toBe(true);
  });

  it('a stopped run did not execute its waves, and checked only some', () => {
    const { 'Execute subsequent waves': waves, 'Validate checkpoints': checks } = points([
      runStarted(),
      waveStarted(1, 1),
      waveFinished(1),
      waveStarted(2, 3),
      runFinished('stopped'),
    ]);
    expect(waves).toEqual({ done: false, evidence: '1 of 2 waves ended' });
    expect(checks).toEqual({ done: false, evidence: '1 of 2 started waves checked: 1 READY' });
  });

  it('says how the user agreed, and whether the plan was shown', () => {
    const confirmed = (how: 'prompt' | 'flag' | 'library', shown?: boolean) => {
      const all = points([runStarted({ confirmed: how })], shown);
      return [all['Present execution plan']?.done, all['Wait for user confirmation']?.done];
    };
    expect(confirmed('prompt')).toEqual([true, true]);
    expect(confirmed('flag', true)).toEqual([true, true]);
    expect(confirmed('flag', false)).toEqual([false, true]);
    expect(confirmed('flag')).toEqual(['not applicable', true]);
    expect(confirmed('library')).toEqual(['not applicable', 'not applicable']);
  });

  it('a backup that is missing is not one that is not wanted', () => {
    expect(points([runStarted()])['Execute Wave 0']?.done).toBe(false);
    expect(points([runStarted(), backupMade({ mode: 'none' })])['Execute Wave 0']?.done).toBe('not applicable');
    expect(points([runStarted(), backupMade({ mode: 'ref', commit: 'abc', ref: 'refs/waveplan/x' })])['Execute Wave 0']).toEqual({
      done: true,
      evidence: 'commit abc under refs/waveplan/x in 12 ms',
    });
  });
});
