import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { renderAnalysis } from '../../../src/report/analysis-panel.js';
import { displayWidth } from '../../../src/report/display-width.js';
import { renderReport } from '../../../src/report/run-panel.js';
import {
  analysis,
  anyAnalysis,
  anyEvent,
  anyScoredRun,
  decision,
  failed,
  finished,
  GOOD_RUN,
  runFinished,
  runStarted,
  summaryOf,
  waveFinished,
  waveStarted,
} from './builders.js';

const plain = { color: false, width: 80 } as const;
/** The panel's text without borders and wrapping, so that a field is found wherever its line breaks. */
const flat = (panel: string) =>
  panel
    .split('\n')
    .map((row) => row.replace(/^║ *(?:│ {2})?| *║$/g, '').trim())
    .join(' ')
    .replace(/ +/g, ' ');

describe('WORDS of the analysis panel', () => {
  const automatic = flat(renderAnalysis(analysis(), plain));
  it.each([
    '🔍 TASK ANALYSIS COMPLETE',
    'Task: Rename all 10,000 image files',
    'PATTERN DETECTED: fan-out',
    'SUBTASKS: 10,002 identified',
    'DEPENDENCIES: Shallow',
    'TASK TYPE: file_operations',
    'AVG DURATION: 0.05 minutes per subtask (3 s',
    'INTELLIGENT SCALING DECISION',
    'MODE: Automatic Scaling (Intelligent)',
    'CALCULATION:',
    '├─ Maximum parallelism: 10,000 tasks',
    '├─ Coordination overhead: 25 minutes (25 min), 0.3 s per agent, not measured',
    '├─ Sequential time: 500 minutes (8.33 hours)',
    '├─ Parallel time: 25.1 minutes',
    '├─ Time saved: 475 minutes (7.92 hours)',
    '├─ ROI ratio: 19x return on overhead (GOOD)',
    'Formula: 5,000 agents (task_type)',
    'Capacity: 5,000 agents (iops: 5,000 operations per second)',
    'Reason: the formula, within capacity',
    '└─ DECISION: Use 5,000 agents (optimal) ✅',
    '🌊 WAVE STRUCTURE',
    'Wave 0: Safety Backup (1 agent) - time not known yet (depends on the repository)',
    '└─ Create git commit checkpoint',
    'Wave 1: Analysis (7 agents - parallel) - 0.05 minutes (3 s)',
    '├─ a: find a',
    '└─ ... (3 more tasks)',
    'Wave 2: Main operations (5,000 agents - parallel) - 25.1 minutes',
    '└─ rename (10,000 subtasks): ./tasks/rename.ts',
    'Finally (1 agent)',
    '└─ cleanup: rm -rf tmp',
    'Final Report (1 agent)',
    '└─ Aggregate results and generate report',
    '📊 EXECUTION SUMMARY',
    'TOTAL AGENTS: 5,000 (AUTOMATIC_SCALING)',
    'PEAK AGENTS: 5,000 (Wave 2)',
    'TOTAL WAVES: 2 (and wave 0, the backup)',
    'ESTIMATED TIME: 25.2 minutes (25 min 9 s)',
    'SEQUENTIAL TIME: 500 minutes (8.33 hours)',
    'EFFICIENCY: 95% faster ✅',
  ])('shows %s', (words) => expect(automatic).toContain(words));

  const overridden = flat(
    renderAnalysis(
      analysis({
        decision: decision({
          mode: 'USER_OVERRIDE',
          requested: 50,
          decided: { agents: 50, reason: 'as requested' },
          fit: { agents: 35, seconds: 9 },
          capacity: { agents: 8, limit: 'cores', reason: '4 × 2 cores' },
          warnings: ['Requested 50 agents exceeds safe capacity (8)'],
        }),
      }),
      plain,
    ),
  );
  it.each([
    'MODE: User Override (Explicit Agent Count)',
    'USER REQUESTED: 50 agents ✅',
    'SYSTEM CALCULATED: 35 agents (automatic mode; formula 5,000)',
    'RESOURCE CAPACITY: 8 agents max',
    'DECISION: Using 50 agents per user request',
    'Note: 15 more than automatic mode would use (35)',
    '⚠ Requested 50 agents exceeds safe capacity (8)',
    'TOTAL AGENTS: 50 (USER_OVERRIDE)',
  ])('shows %s on an override', (words) => expect(overridden).toContain(words));
  it('does not call a requested count optimal', () => expect(overridden).not.toContain('(optimal)'));

  it('says what is not known yet, and why', () => {
    const open = flat(
      renderAnalysis(
        analysis({
          subtasks: 12,
          expanding: [{ task: 'rename', afterWave: 1 }],
          average: { minutes: undefined, source: 'assumed' },
          waves: [
            {
              number: 2,
              name: 'Main',
              agents: 4,
              predictedMinutes: undefined,
              tasks: [{ id: 'rename', phase: undefined, fanOut: true, subtasks: undefined, work: 'mv' }],
            },
          ],
          predictedSeconds: undefined,
          sequentialMinutes: undefined,
        }),
        plain,
      ),
    );
    expect(open).toContain('SUBTASKS: 12+ (rename expands after wave 1)');
    expect(open).toContain('AVG DURATION: not known yet (no `estimate` in the plan) minutes per subtask');
    expect(open).toContain('time not known yet (rename has not expanded)');
    expect(open).toContain('rename (expands after wave 1): mv');
    for (const label of ['ESTIMATED TIME', 'SEQUENTIAL TIME', 'EFFICIENCY'])
      expect(open).toContain(`${label}: not known yet (rename expands after wave 1)`);
  });

  it('says so when the prediction is slower than one after another', () => {
    const slower = flat(renderAnalysis(analysis({ predictedSeconds: 90, sequentialMinutes: 1 }), plain));
    expect(slower).toContain('EFFICIENCY: not faster: 50% slower than one after another');
    expect(slower).not.toContain('% faster');
  });

  it('names where the overhead comes from', () => {
    const measured = decision({ overhead: { secondsPerAgent: 0.0021, secondsPerWave: 0, source: 'measured' } });
    const text = flat(renderAnalysis(analysis({ decision: measured }), plain));
    expect(text).toContain('2.1 ms per agent, measured');
    const origin = "a quick calibration of 2026-11-24, for modules, in place of the methodology's 0.3 s";
    const roi = { ...decision().roi, agents: 27, overheadMinutes: 0.0004 };
    const known = decision({ overhead: { ...measured.overhead, secondsPerAgent: 0.0009, origin }, roi });
    expect(flat(renderAnalysis(analysis({ decision: known }), plain))).toContain(
      `Coordination overhead: 0.0004 minutes (24 ms), 0.9 ms per agent, measured (${origin})`,
    );
    const given = decision({ overhead: { ...measured.overhead, source: 'given' } });
    expect(flat(renderAnalysis(analysis({ decision: given }), plain))).toContain('2.1 ms per agent, as given');
  });

  it('warns when there is no backup', () => {
    expect(flat(renderAnalysis(analysis({ backup: 'none' }), plain))).toContain(
      'Wave 0: Safety Backup (none) └─ The plan sets `backup: none`: this run cannot be undone',
    );
  });
});

describe('WORDS of the report panel', () => {
  const good = flat(renderReport(summaryOf(GOOD_RUN), plain));
  it.each([
    '✅ PARALLEL EXECUTION COMPLETE',
    'Task: rename the images',
    '📊 EXECUTION STATISTICS',
    'Total Waves: 2 (and wave 0, the backup)',
    'Total Tasks: 2 (4 subtasks)',
    'Peak Agents: 2 at work at once, 5,000 planned',
    'Total Time: 0.0833 minutes (5 s)',
    "Sequential Baseline: 0.167 minutes (10 s), the sum of the subtasks' durations",
    'Time Saved: 0.0833 minutes (0.00139 hours, 5 s)',
    'Efficiency: 50% faster ✅',
    '🎯 RESULTS BY WAVE',
    'Wave 0: Safety Backup ✅ Commit abcdef012345 created on main in 12 ms',
    'Wave 1: Phase 1',
    '✅ 1 task completed',
    '✅ 3 tasks completed',
    '⚠ 1 task with warnings (succeeded after a retry)',
    '❌ 0 tasks failed',
    '📄 Details: 3 subtasks on 3 agents, 0.05 minutes (3 s), READY (all checkpoints are there)',
    '🔍 KEY OUTCOMES',
    '• scan: found 3 images',
    '• rename: 3 of 3 subtasks, median 3 s',
    '⚠ ISSUES ENCOUNTERED',
    'No issues encountered ✅',
    '📝 RECOMMENDATIONS',
    '• To undo this run: waveplan restore 20251217-103000000-abcdef',
    '• Use 2 agents (--agents 2)',
    '[x] Read the methodology (hash cafe1234)',
    '[x] Parse user request (detect mode and agent count)',
    '[x] Analyze task complexity',
    '[x] Calculate optimal agent count',
    '[x] Generate wave structure',
    '[x] Create specialized prompts (atomic and focused): waveplan prompts prints one for each subtask of',
    '[x] Present execution plan',
    '[x] Wait for user confirmation (explicit "yes"): answered at the prompt',
    '[x] Execute Wave 0 (git backup): commit abcdef012345 on main',
    '[x] Execute subsequent waves (parallel within, sequential between): 2 of 2 waves ended',
    '[x] Validate checkpoints (between each wave): 2 of 2 started waves checked: 2 READY',
    '[x] Generate final report (comprehensive results): this report, from 16 events',
  ])('shows %s', (words) => expect(good).toContain(words));

  it.each([
    ['failed', '❌ PARALLEL EXECUTION FAILED'],
    ['stopped', '⚠ PARALLEL EXECUTION STOPPED'],
    ['broken', '❌ PARALLEL EXECUTION FAILED'],
  ] as const)('a run that ended %s is not complete', (status, title) => {
    const panel = flat(renderReport(summaryOf([runStarted(), runFinished(status, 10, 'the disk is full')]), plain));
    expect(panel).toContain(title);
    expect(panel).toContain('Reason: the disk is full');
    expect(panel).not.toContain('PARALLEL EXECUTION COMPLETE');
    expect(panel).not.toContain('No issues encountered');
    expect(panel).toContain('[ ] Execute subsequent waves (parallel within, sequential between): 0 of 2 waves ended');
  });

  it('says so when the run was slower than its subtasks one after another', () => {
    const panel = flat(
      renderReport(
        summaryOf([
          runStarted(),
          waveStarted(2, 1),
          finished('rename', { duration_ms: 1000 }),
          waveFinished(2),
          runFinished('done', 2000),
        ]),
        plain,
      ),
    );
    expect(panel).toContain('Efficiency: not faster: 100% slower than one after another');
    expect(panel).toContain('Time Saved: none: 0.0167 minutes (1 s) longer than one after another');
  });

  it('shows failures with their cause', () => {
    const panel = flat(
      renderReport(
        summaryOf([
          runStarted(),
          waveStarted(2, 2),
          failed('rename', 0, 'exit code 1: lost row 7'),
          failed('rename', 1, 'exit code 1: lost row 8'),
          waveFinished(2),
          runFinished('failed'),
        ]),
        plain,
      ),
    );
    expect(panel).toContain('❌ 2 tasks failed');
    expect(panel).toContain('❌ 2 failures (command): exit code 1: lost row N - rename[0], rename[1]');
  });
});

describe('alignment', () => {
  const widthsOf = (panel: string, measure: (line: string) => number) => new Set(panel.split('\n').map(measure));

  it('every line of every panel is as wide as asked, whatever the text', () => {
    fc.assert(
      fc.property(
        anyAnalysis,
        fc.oneof(fc.array(anyEvent, { maxLength: 20 }), anyScoredRun),
        fc.integer({ min: 40, max: 100 }),
        fc.boolean(),
        (any, events, width, color) => {
          for (const panel of [renderAnalysis(any, { color, width }), renderReport(summaryOf(events), { color, width })]) {
            expect(widthsOf(panel, (row) => displayWidth(stripVTControlCharacters(row)))).toEqual(new Set([width]));
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('another measure agrees, where it knows the characters', () => {
    const pieces = fc.constantFrom(
      ' ',
      'word',
      'a'.repeat(90),
      '日本語',
      '한국어',
      'é',
      'e\u0301',
      '⚠️',
      '✅',
      '👍🏽',
      '👩‍👩‍👧',
      '🇨🇭',
      '🌊',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), fc.integer({ min: 40, max: 100 }), (parts, width) => {
        const panel = renderAnalysis(analysis({ task: parts.join('') }), { color: true, width });
        expect(widthsOf(panel, stringWidth)).toEqual(new Set([width]));
      }),
    );
    expect(widthsOf(renderReport(summaryOf(GOOD_RUN), { color: true, width: 80 }), stringWidth)).toEqual(new Set([80]));
  });

  it('the width is 80 unless asked for, and stays within 40 to 100', () => {
    const first = (width?: number) =>
      renderAnalysis(analysis(), width === undefined ? { color: false } : { color: false, width }).split('\n')[0]?.length;
    expect([first(), first(10), first(1000)]).toEqual([80, 40, 100]);
  });

  it('is drawn with double rules, and has no colour where none is wanted', () => {
    const panel = renderAnalysis(analysis(), plain);
    expect(panel.split('\n')[0]).toBe(`╔${'═'.repeat(78)}╗`);
    expect(panel.split('\n').at(-1)).toBe(`╚${'═'.repeat(78)}╝`);
    expect(panel).toContain(`╠${'═'.repeat(78)}╣`);
    expect(panel).not.toContain('\u001b');
    expect(renderAnalysis(analysis(), { color: true })).toContain('\u001b[32m└─ DECISION');
    expect(stripVTControlCharacters(renderAnalysis(analysis(), { color: true }))).toBe(
      renderAnalysis(analysis(), { color: false }),
    );
  });

  it('text that is made of the stand-ins comes back whole', () => {
    expect(flat(renderAnalysis(analysis({ task: '## a # b ###' }), plain))).toContain('Task: ## a # b ###');
  });
});
