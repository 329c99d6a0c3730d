import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { calibrated } from '../support/calibrated.js';
import { type CliResult, waveplan } from '../support/cli.js';
import { flat } from '../support/flat.js';
import { onlyRun, repository } from '../support/repository.js';

/** Every field of the panel that is shown before a run. */
const ANALYSIS_WORDS = [
  'TASK ANALYSIS COMPLETE',
  'Task: ',
  'PATTERN DETECTED: ',
  'SUBTASKS: ',
  'DEPENDENCIES: ',
  'TASK TYPE: ',
  'AVG DURATION: ',
  'minutes per subtask',
  'INTELLIGENT SCALING DECISION',
  'WAVE STRUCTURE',
  'Wave 0: Safety Backup (1 agent)',
  'Wave 1: ',
  '- parallel)',
  'more tasks',
  'Final Report (1 agent)',
  'Aggregate results and generate report',
  'EXECUTION SUMMARY',
  'TOTAL AGENTS: ',
  'PEAK AGENTS: ',
  'TOTAL WAVES: ',
  'ESTIMATED TIME: ',
  'SEQUENTIAL TIME: ',
  'EFFICIENCY: ',
];

const AUTOMATIC_WORDS = [
  'MODE: Automatic Scaling (Intelligent)',
  'CALCULATION',
  'Maximum parallelism: ',
  'Coordination overhead: ',
  'measured (',
  'the methodology',
  'Sequential time: ',
  'Parallel time: ',
  'Time saved: ',
  'ROI ratio: ',
  'return on overhead',
  'DECISION: Use ',
];

const OVERRIDE_WORDS = [
  'MODE: User Override (Explicit Agent Count)',
  'USER REQUESTED: ',
  'SYSTEM CALCULATED: ',
  'RESOURCE CAPACITY: ',
  'DECISION: Using ',
  'per user request',
  'Note: ',
  'exceeds safe capacity',
];

/** Every field of what is shown during and after a run. */
const RUN_WORDS = ['WAVE 1: ', 'Agents: ', '(parallel execution)', 'Wave 1 Complete', 'Success: ', 'Failed: ', 'Duration: '];

const REPORT_WORDS = [
  'PARALLEL EXECUTION COMPLETE',
  'EXECUTION STATISTICS',
  'Total Waves: ',
  'Total Tasks: ',
  'Peak Agents: ',
  'Total Time: ',
  'Sequential Baseline: ',
  'Time Saved: ',
  'Efficiency: ',
  'RESULTS BY WAVE',
  'Wave 0: Safety Backup',
  'Wave 1: ',
  'completed',
  'with warnings',
  'Details: ',
  'KEY OUTCOMES',
  'ISSUES ENCOUNTERED',
  'No issues encountered',
  'RECOMMENDATIONS',
];

/** The points of the methodology's checklist. */
const CHECKLIST_WORDS = [
  'methodology',
  'Parse user request',
  'Analyze task complexity',
  'Calculate optimal agent count',
  'Generate wave structure',
  'Create specialized prompts',
  'Present execution plan',
  'Wait for user confirmation',
  'Execute Wave 0',
  'Execute subsequent waves',
  'Validate checkpoints',
  'Generate final report',
];

const PLAN = `version: 1
name: words
description: Say every word
tasks:
${Array.from({ length: 9 }, (_, i) => `  a${i}: { phase: Analysis, run: 'true', estimate: 90s, retries: { max: 1, backoff: 1ms } }`).join('\n')}
  flaky: { phase: Analysis, run: '[ "$ATTEMPT" = 2 ]', estimate: 90s, retries: { max: 1, backoff: 1ms } }
  last: { phase: Finalization, needs: [a0], run: 'true', estimate: 1s }
`;

function missing(words: readonly string[], done: CliResult): string[] {
  const text = flat(done.stdout);
  return words.filter((word) => !text.includes(word.replace(/\s+/g, ' ')));
}

describe('WORDS', () => {
  it('every field of the analysis panel is printed, in automatic mode', async () => {
    const folder = repository({ 'plan.yaml': PLAN });
    const done = await calibrated(['plan', 'plan.yaml'], folder);
    expect(missing([...ANALYSIS_WORDS, ...AUTOMATIC_WORDS], done), done.stdout).toEqual([]);
  });

  it('every field of the analysis panel is printed, under a user override', async () => {
    const folder = repository({
      'plan.yaml': PLAN.replace('tasks:', 'type: computation\nrequest: say every word using 500 parallel agents\ntasks:'),
    });
    const done = await waveplan(['plan', 'plan.yaml'], { cwd: folder });
    expect(missing([...ANALYSIS_WORDS, ...OVERRIDE_WORDS], done), done.stdout).toEqual([]);
  });

  it('every field of the run and of the final report is printed, and the report is on disk too', async () => {
    const folder = repository({ 'plan.yaml': PLAN.replace('  last:', '  lister: { run: [echo, done] }\n  last:') });
    const done = await waveplan(['run', 'plan.yaml', '--yes'], { cwd: folder });
    expect(done.code, done.text).toBe(0);
    const words = [...RUN_WORDS, ...REPORT_WORDS.filter((word) => word !== 'No issues encountered'), ...CHECKLIST_WORDS];
    expect(missing(words, done), done.stdout).toEqual([]);
    const markdown = readFileSync(join(onlyRun(folder), 'report.md'), 'utf8');
    for (const word of CHECKLIST_WORDS) expect(markdown).toContain(word);
    const report = JSON.parse(readFileSync(join(onlyRun(folder), 'report.json'), 'utf8'));
    expect(report.checklist).toHaveLength(12);
  });

  it('says so when there was no issue', async () => {
    const folder = repository({ 'plan.yaml': PLAN.replace(/ {2}flaky.*\n/, '') });
    const done = await waveplan(['run', 'plan.yaml', '--yes'], { cwd: folder });
    expect(missing(['No issues encountered'], done), done.stdout).toEqual([]);
  });
});
