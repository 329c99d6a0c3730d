import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderAnalysis } from '../../../src/report/analysis-panel.js';
import { eventToLine } from '../../../src/report/event-json.js';
import { inertFirstLine, inertJson, inertLine, inertMarkdown, shorten } from '../../../src/report/inert.js';
import { toReportJson } from '../../../src/report/report-json.js';
import { renderMarkdown } from '../../../src/report/report-markdown.js';
import { renderReport } from '../../../src/report/run-panel.js';
import { renderWhatIf } from '../../../src/report/what-if-table.js';
import {
  anyAnalysis,
  anyEvent,
  anyScoredRun,
  anyWhatIf,
  failed,
  nastyText,
  runFinished,
  runStarted,
  summaryOf,
  waveFinished,
  waveStarted,
} from './builders.js';

/** What a terminal acts on, except the newline that ends a line of a block. */
const ACTIVE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;
const HOSTILE =
  '\u001b]52;c;aGFjaw==\u0007\u001b[2J</td><script>alert(1)</script>|`x`\n# head\u009b1A\u202e[a](javascript:b)![c](d) *e* _f_';

describe('inertLine', () => {
  it('drops escape sequences and shows what is left', () => {
    expect(inertLine('a\u001b[31mred\u001b[0m b\u0007\u0000')).toBe('ared b\\x07\\x00');
    expect(inertLine('one\r\n\ttwo ')).toBe('one two');
    expect(inertLine('\u202eabc\ud800')).toBe('\\u{202e}abc\\u{d800}');
    expect(inertLine('日本 ✅ 👩‍👩‍👧 é')).toBe('日本 ✅ 👩‍👩‍👧 é');
  });

  it('leaves nothing that acts on a terminal, and is stable', () => {
    fc.assert(
      fc.property(fc.oneof(nastyText, fc.string({ unit: 'binary' }), fc.string({ unit: 'binary-ascii' })), (text) => {
        const inert = inertLine(text);
        expect(inert).not.toMatch(ACTIVE);
        expect(inert).not.toContain('\n');
        expect(inertLine(inert)).toBe(inert);
      }),
    );
  });
});

describe('inertFirstLine', () => {
  it('is the first line that says anything, bounded', () => {
    expect(inertFirstLine('\n \u001b[31m\nboom\nat x', 80)).toBe('boom');
    expect(inertFirstLine('x'.repeat(100_000), 10)).toBe(`${'x'.repeat(9)}…`);
    expect(inertFirstLine('', 10)).toBe('');
  });

  it('shortens between characters', () => expect(shorten('ab😀😀', 4)).toBe('ab…'));
});

describe('terminal', () => {
  it('nothing in a panel acts on a terminal', () => {
    fc.assert(
      fc.property(anyAnalysis, fc.oneof(fc.array(anyEvent, { maxLength: 15 }), anyScoredRun), (analysis, events) => {
        expect(renderAnalysis(analysis, { color: false })).not.toMatch(ACTIVE);
        expect(renderReport(summaryOf(events), { color: false })).not.toMatch(ACTIVE);
      }),
      { numRuns: 60 },
    );
  });
});

describe('Markdown', () => {
  const events = [
    runStarted({ task: HOSTILE, plan: HOSTILE }),
    waveStarted(2, 1),
    failed('rename', 0, HOSTILE),
    waveFinished(2, 5, { verdict: 'FAILED', expected: 1, recorded: 1, failed: 1, reason: HOSTILE }),
    { type: 'warning', at: 1, message: HOSTILE } as const,
    runFinished('failed', 5, HOSTILE),
  ];
  const markdown = renderMarkdown(summaryOf(events));

  it('escapes what would be markup, HTML or the end of a cell', () => {
    expect(inertMarkdown('a|b `c` <script> & [d](e) *f* _g_ ~h~ \\')).toBe(
      'a\\|b \\`c\\` &lt;script&gt; &amp; \\[d\\](e) \\*f\\* \\_g\\_ \\~h\\~ \\\\',
    );
    expect(inertMarkdown('# head')).toBe('\\# head');
    expect(inertMarkdown('1. one')).toBe('1\\. one');
    expect(inertMarkdown('- one')).toBe('\\- one');
    expect(markdown).not.toContain('<script');
    expect(markdown).not.toMatch(/(?<!\\)`/);
    expect(markdown).not.toMatch(/^ *# head/m);
    expect(markdown).not.toMatch(ACTIVE);
  });

  it('every row of a table has as many cells as its head', () => {
    const cells = (row: string) => row.match(/(?<!\\)\|/g)?.length;
    fc.assert(
      fc.property(fc.oneof(fc.array(anyEvent, { maxLength: 20 }), anyScoredRun), (any) => {
        for (const table of renderMarkdown(summaryOf(any))
          .split('\n\n')
          .filter((block) => block.startsWith('|'))) {
          const rows = table.split('\n');
          expect(new Set(rows.map(cells)).size).toBe(1);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('has all parts', () => {
    for (const part of [
      '# ❌ Parallel execution failed',
      '## Execution statistics',
      '## Results by wave',
      '## Tasks',
      '## Key outcomes',
      '## Issues encountered',
      '## Recommendations',
      '## Execution checklist',
    ]) {
      expect(markdown).toContain(part);
    }
  });
});

describe('JSON', () => {
  it('a line is one event, the same event, and inert', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        const text = eventToLine(event);
        expect(text.endsWith('\n')).toBe(true);
        expect(text.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/);
        expect(text.startsWith(`{"type":"${event.type}"`)).toBe(true);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(event)));
      }),
    );
  });

  it('a report survives a round trip with no figure lost', () => {
    fc.assert(
      fc.property(fc.oneof(fc.array(anyEvent, { maxLength: 20 }), anyScoredRun), (events) => {
        const report = toReportJson(summaryOf(events));
        const { decision: _, ...back } = JSON.parse(inertJson(report));
        const { decision: __, ...given } = report;
        expect(back).toEqual(given);
        expect(back.version).toBe(1);
      }),
      { numRuns: 60 },
    );
  });

  it('its field names are a contract', () => {
    const report = toReportJson(summaryOf([runStarted(), runFinished()]));
    expect(Object.keys(report)).toEqual([
      'version',
      'run',
      'plan',
      'task',
      'status',
      'reason',
      'mode',
      'methodologyHash',
      'decision',
      'redecisions',
      'statistics',
      'barrier',
      'pools',
      'prediction',
      'backup',
      'waves',
      'tasks',
      'finally',
      'outcomes',
      'failures',
      'otherFailures',
      'assessments',
      'warnings',
      'otherWarnings',
      'issues',
      'recommendations',
      'checklist',
    ]);
    expect(Object.keys(report.statistics)).toEqual([
      'totalWaves',
      'totalTasks',
      'subtasks',
      'retries',
      'resumed',
      'peakAgents',
      'peakAgentsSource',
      'agentsPlanned',
      'totalMs',
      'wavesMs',
      'sequentialBaselineMs',
      'timeSavedMs',
      'efficiency',
      'predictedSeconds',
    ]);
  });
});

describe('no figure is invented', () => {
  it('NaN, undefined and Infinity are never printed', () => {
    fc.assert(
      fc.property(
        anyAnalysis,
        fc.oneof(fc.array(anyEvent, { maxLength: 20 }), anyScoredRun),
        anyWhatIf,
        (analysis, events, rows) => {
          const summary = summaryOf(events);
          const text = [
            renderAnalysis(analysis, { color: false }),
            renderReport(summary, { color: false }),
            renderMarkdown(summary),
            inertJson(toReportJson(summary)),
            renderWhatIf(rows, { color: false }),
          ].join('\n');
          expect(text).not.toMatch(/NaN|undefined|Infinity/);
        },
      ),
      { numRuns: 300 },
    );
  });
});
