import fc from 'fast-check';
import type { Checkpoint } from '../../../src/model/checkpoint.js';
import type { Failure } from '../../../src/model/failure.js';
import type { JsonValue } from '../../../src/model/json.js';
import type { Backup, RunEvent, RunStatus, WaveCheck, WaveOutline } from '../../../src/model/run-event.js';
import { type ScalingDecision, TASK_TYPES } from '../../../src/model/scaling-decision.js';
import type { PlanAnalysis } from '../../../src/report/analysis.js';
import type { RunSummary } from '../../../src/report/run-summary.js';
import { createSummary } from '../../../src/report/summary.js';
import type { WhatIf } from '../../../src/scaling/what-if.js';

/** 10,000 files of 3 s each, with the figures of the methodology. */
export function decision(overrides: Partial<ScalingDecision> = {}): ScalingDecision {
  const roi = { agents: 5000, ratio: 19, band: 'GOOD', timeSavedMinutes: 474.9, overheadMinutes: 25 } as const;
  return {
    mode: 'AUTOMATIC_SCALING',
    subtasks: 10_000,
    widestWave: 10_000,
    averageMinutes: 0.05,
    type: 'file_operations',
    overhead: { secondsPerAgent: 0.3, secondsPerWave: 0, source: 'methodology' },
    sequentialMinutes: 500,
    formula: { agents: 5000, phase: 'task_type' },
    capacity: { agents: 5000, limit: 'iops', reason: '5,000 operations per second' },
    fit: { agents: 5000, seconds: 1506 },
    requested: undefined,
    decided: { agents: 5000, reason: 'the formula, within capacity' },
    roi,
    formulaRoi: roi,
    warnings: [],
    ...overrides,
  };
}

export function analysis(overrides: Partial<PlanAnalysis> = {}): PlanAnalysis {
  return {
    task: 'Rename all 10,000 image files',
    pattern: 'fan-out',
    subtasks: 10_002,
    expanding: [],
    dependencies: 'shallow',
    type: 'file_operations',
    average: { minutes: 0.05, source: 'estimate' },
    decision: decision(),
    waves: [
      {
        number: 1,
        name: 'Analysis',
        agents: 7,
        predictedMinutes: 0.05,
        tasks: ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((id) => ({
          id,
          phase: 'Analysis',
          fanOut: false,
          subtasks: 1,
          work: `find ${id}`,
        })),
      },
      {
        number: 2,
        name: 'Main operations',
        agents: 5000,
        predictedMinutes: 25.1,
        tasks: [{ id: 'rename', phase: 'Main operations', fanOut: true, subtasks: 10_000, work: './tasks/rename.ts' }],
      },
    ],
    backup: 'commit',
    finally: [{ id: 'cleanup', phase: undefined, fanOut: false, subtasks: 1, work: 'rm -rf tmp' }],
    predictedSeconds: 1509,
    sequentialMinutes: 500,
    peak: { agents: 5000, wave: 2 },
    totalWaves: 2,
    ...overrides,
  };
}

export const WAVES: readonly WaveOutline[] = [
  { number: 1, name: 'Analysis', tasks: [{ id: 'scan', phase: 'Analysis', fanOut: false, subtasks: 1, work: 'find .' }] },
  { number: 2, name: 'Main', tasks: [{ id: 'rename', phase: 'Main', fanOut: true, subtasks: undefined, work: './rename.ts' }] },
];

export function runStarted(overrides: Partial<Extract<RunEvent, { type: 'run-started' }>> = {}): RunEvent {
  return {
    type: 'run-started',
    at: 1000,
    run: '20251217-103000000-abcdef',
    plan: 'plans/rename.yaml',
    task: 'rename the images',
    methodologyHash: 'cafe1234',
    waves: WAVES,
    decision: decision(),
    predictedSeconds: undefined,
    confirmed: 'prompt',
    ...overrides,
  };
}

type WaveStarted = Extract<RunEvent, { type: 'wave-started' }>;
type WaveFinished = Extract<RunEvent, { type: 'wave-finished' }>;

export function waveStarted(wave: number, subtasks: number, agents = 4, more: Partial<WaveStarted> = {}): RunEvent {
  return { type: 'wave-started', at: 1000, wave, name: `Phase ${wave}`, agents, threads: 2, subtasks, ...more };
}

export function check(verdict: WaveCheck['verdict'] = 'READY', failed = 0): WaveCheck {
  return { verdict, expected: 3, recorded: 3, failed, reason: 'all checkpoints are there' };
}

export function waveFinished(
  wave: number,
  durationMs = 3000,
  given: WaveCheck = check(),
  more: Partial<WaveFinished> = {},
): RunEvent {
  return { type: 'wave-finished', at: 1000, wave, durationMs, check: given, ...more };
}

export function agentsChanged(
  wave: number,
  from: number,
  to: number,
  at = 1000,
  reason = 'throughput rose 12%',
): Extract<RunEvent, { type: 'agents-changed' }> {
  return { type: 'agents-changed', at, wave, from, to, reason };
}

export function runFinished(status: RunStatus = 'done', durationMs = 4000, reason = ''): RunEvent {
  return { type: 'run-finished', at: 5000, status, reason, durationMs };
}

export function backupMade(
  backup: Backup = { mode: 'commit', commit: 'abcdef0123456789', created: true, branch: 'main' },
): RunEvent {
  return { type: 'backup-made', at: 1000, durationMs: 12, backup };
}

export function started(wave: number, task: string, subtask: string, agent: string, attempt = 1): RunEvent {
  return { type: 'subtask-started', at: 1000, wave, task, subtask, agent, attempt };
}

export function finished(task: string, overrides: Partial<Checkpoint> = {}): RunEvent {
  const checkpoint: Checkpoint = {
    wave: 2,
    task_id: `${task}[0]`,
    status: 'success',
    results: null,
    timestamp: '2025-12-17T10:30:00.000Z',
    agent_id: 'agent_0',
    key: 'k',
    attempt: 1,
    started: 0,
    duration_ms: 5,
    ...overrides,
  };
  return { type: 'subtask-finished', at: 1000, task, checkpoint };
}

export function failed(task: string, index: number, message: string, kind: Failure['kind'] = 'command', wave = 2): RunEvent {
  return finished(task, { wave, task_id: `${task}[${index}]`, status: 'failure', error: { kind, message } });
}

export function summaryOf(events: readonly RunEvent[], options: { planShown?: boolean } = {}): RunSummary {
  const summary = createSummary(options);
  for (const event of events) summary.add(event);
  return summary.result();
}

/** A good run of two waves: one task with a summary of its own, then 3 of 3 subtasks. */
export const GOOD_RUN: readonly RunEvent[] = [
  runStarted(),
  backupMade(),
  waveStarted(1, 1, 1),
  started(1, 'scan', 'scan', 'agent_0'),
  finished('scan', { wave: 1, task_id: 'scan', results: { summary: 'found 3 images' }, duration_ms: 1000 }),
  waveFinished(1, 1000),
  { type: 'task-expanded', at: 1000, wave: 2, task: 'rename', subtasks: 3 },
  waveStarted(2, 3, 3),
  started(2, 'rename', 'rename[0]', 'agent_0'),
  started(2, 'rename', 'rename[1]', 'agent_1'),
  finished('rename', { task_id: 'rename[0]', duration_ms: 3000 }),
  started(2, 'rename', 'rename[2]', 'agent_0'),
  finished('rename', { task_id: 'rename[1]', duration_ms: 3000, agent_id: 'agent_1' }),
  finished('rename', { task_id: 'rename[2]', duration_ms: 3000, attempt: 2 }),
  waveFinished(2, 3000),
  runFinished('done', 5000),
];

/** Letters, wide letters, emoji of all makes, combining marks, controls and escape sequences. */
export const nastyText: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: fc.string({ maxLength: 12 }).map((text) => text.replace(/NaN|undefined|Infinity/g, '')) },
      fc.constantFrom(
        ' ',
        '日本語',
        '한국어',
        '图像',
        'ｗｉｄｅ',
        'é',
        'e\u0301',
        '⚠️',
        '⚠',
        '✅',
        '🎚️',
        '👩‍👩‍👧',
        '👍🏽',
        '🇨🇭',
        '1️⃣',
        '❤️',
      ),
      fc.constantFrom(
        '\u001b[31m',
        '\u001b]52;c;aGk=\u0007',
        '\u001b[2J',
        '\u009b1A',
        '\u0000',
        '\r',
        '\n',
        '\t',
        '\u202e',
        '\u200d',
        '|',
        '`',
        '<script>',
      ),
      fc.constantFrom('x'.repeat(130), '漢'.repeat(70), 'a'.repeat(40), '#', '###'),
    ),
    { maxLength: 12 },
  )
  // Also where the words meet by chance: tests look for them as signs of a figure that is none.
  .map((parts) => parts.join('').replace(/NaN|undefined|Infinity/g, ''));

const amount = fc.oneof(
  fc.double({ min: 0, max: 1e7, noNaN: true }),
  fc.constantFrom(0, Number.NaN, Number.POSITIVE_INFINITY, 1e-9, 1e300, -1),
);
const maybe = fc.option(amount, { nil: undefined });
const agents = fc.integer({ min: 1, max: 1_000_000 });

export const anyDecision: fc.Arbitrary<ScalingDecision> = fc
  .record({
    mode: fc.constantFrom('AUTOMATIC_SCALING', 'USER_OVERRIDE'),
    type: fc.constantFrom(...TASK_TYPES),
    subtasks: agents,
    average: amount,
    overhead: amount,
    ratio: amount,
    saved: fc.oneof(amount, fc.double({ min: -1e5, max: 0, noNaN: true })),
    sequential: amount,
    source: fc.constantFrom('methodology', 'given', 'measured'),
    origin: fc.option(nastyText, { nil: undefined }),
    limit: fc.constantFrom('memory', 'rate', 'cores'),
    band: fc.constantFrom('EXCELLENT', 'GOOD', 'MARGINAL', 'POOR'),
    agents,
    requested: fc.option(agents, { nil: undefined }),
    text: nastyText,
    warnings: fc.array(nastyText, { maxLength: 3 }),
  })
  .map((any) => {
    const roi = {
      agents: any.agents,
      ratio: any.ratio,
      band: any.band,
      timeSavedMinutes: any.saved,
      overheadMinutes: any.overhead,
    } as const;
    return decision({
      mode: any.mode,
      type: any.type,
      subtasks: any.subtasks,
      widestWave: any.subtasks,
      averageMinutes: any.average,
      overhead: {
        secondsPerAgent: any.overhead,
        secondsPerWave: any.overhead,
        source: any.source,
        ...(any.origin !== undefined && { origin: any.origin }),
      },
      sequentialMinutes: any.sequential,
      fit: { agents: any.agents, seconds: any.overhead },
      capacity: { agents: any.agents, limit: any.limit, reason: any.text },
      requested: any.requested,
      decided: { agents: any.agents, reason: any.text },
      roi,
      formulaRoi: roi,
      warnings: any.warnings,
    });
  }) as fc.Arbitrary<ScalingDecision>;

export const anyWhatIf: fc.Arbitrary<readonly WhatIf[]> = fc.array(
  fc
    .record({ agents, seconds: amount, overheadSeconds: amount, decision: anyDecision, decided: fc.boolean() })
    .map(({ decision: { roi }, ...any }) => ({ ...any, roi })),
  { maxLength: 12 },
);

/** A run whose waves were all predicted and measured, more or less well: the events in their order. */
export const anyScoredRun: fc.Arbitrary<readonly RunEvent[]> = fc
  .record({
    decision: anyDecision,
    predicted: maybe,
    cores: fc.integer({ min: 1, max: 64 }),
    waves: fc.array(
      fc.record({
        agents: fc.integer({ min: 1, max: 50 }),
        subtasks: fc.integer({ min: 1, max: 5 }),
        predictedSeconds: amount,
        durationMs: amount,
        to: fc.option(fc.integer({ min: 1, max: 50 }), { nil: undefined }),
        measured: fc.record({ cpuSeconds: amount, busySeconds: amount, idleSeconds: amount }),
        name: nastyText,
      }),
      { minLength: 1, maxLength: 3 },
    ),
  })
  .map(({ decision: decided, predicted, cores, waves }) => [
    runStarted({ decision: decided, predictedSeconds: predicted, cores, waves: [] }),
    ...waves.flatMap((any, position): readonly RunEvent[] => [
      waveStarted(position + 1, any.subtasks, any.agents, { name: any.name, predictedSeconds: any.predictedSeconds }),
      ...(any.to === undefined ? [] : [agentsChanged(position + 1, any.agents, any.to, 2000, any.name)]),
      ...Array.from({ length: any.subtasks }, (_, i) => finished('work', { wave: position + 1, task_id: `work[${i}]` })),
      waveFinished(position + 1, any.durationMs, check(), { at: 3000, measured: any.measured }),
    ]),
    runFinished('done', 5000),
  ]);

const outline = fc.record({
  id: fc.constantFrom('scan', 'rename', 'lint', 'a.b-c_d'),
  phase: fc.constant(undefined),
  fanOut: fc.boolean(),
  subtasks: fc.option(fc.integer({ min: 0, max: 1_000_000 }), { nil: undefined }),
  work: nastyText,
});

export const anyAnalysis: fc.Arbitrary<PlanAnalysis> = fc.record({
  task: nastyText,
  pattern: nastyText,
  subtasks: fc.integer({ min: 0, max: 1_000_000 }),
  expanding: fc.array(fc.record({ task: fc.constantFrom('scan', 'rename'), afterWave: fc.integer({ min: 1, max: 9 }) }), {
    maxLength: 5,
  }),
  dependencies: fc.constantFrom('none', 'shallow', 'moderate', 'deep'),
  type: fc.constantFrom(...TASK_TYPES),
  average: fc.record({
    minutes: fc.option(amount, { nil: undefined }),
    source: fc.constantFrom('estimate', 'assumed', 'history', 'probe'),
  }),
  decision: anyDecision,
  waves: fc.array(
    fc.record({
      number: fc.integer({ min: 1, max: 99 }),
      name: nastyText,
      agents,
      predictedMinutes: fc.option(amount, { nil: undefined }),
      tasks: fc.array(outline, { maxLength: 8 }),
    }),
    { maxLength: 4 },
  ),
  backup: fc.constantFrom('commit', 'ref', 'none'),
  finally: fc.array(outline, { maxLength: 2 }),
  predictedSeconds: fc.option(amount, { nil: undefined }),
  sequentialMinutes: fc.option(amount, { nil: undefined }),
  peak: fc.record({ agents, wave: fc.integer({ min: 0, max: 9 }) }),
  totalWaves: fc.integer({ min: 0, max: 9 }),
}) as fc.Arbitrary<PlanAnalysis>;

const task = fc.constantFrom('scan', 'rename', 'lint');
const wave = fc.integer({ min: 1, max: 3 });
const index = fc.integer({ min: 0, max: 20 });
const message = fc.oneof(
  nastyText,
  fc.integer().map((n) => `exit code ${n}`),
);
const failure = fc.record({ kind: fc.constantFrom('command', 'module', 'timeout', 'cancelled'), message });
const at = fc.integer({ min: 0, max: 1e9 });
const verdict = fc.record({
  verdict: fc.constantFrom('READY', 'INCOMPLETE', 'FAILED'),
  expected: index,
  recorded: index,
  failed: index,
  reason: nastyText,
});
const results: fc.Arbitrary<JsonValue> = fc.oneof(
  fc.constant(null),
  fc.record({ summary: nastyText }),
  fc.record({ summary: fc.array(fc.oneof(nastyText, fc.constant(7)), { maxLength: 3 }) }),
  fc.record({ exitCode: fc.constant(0), stdout: nastyText }),
) as fc.Arbitrary<JsonValue>;
const checkpoint = fc
  .record({
    task,
    wave,
    index,
    results,
    attempt: fc.integer({ min: 1, max: 3 }),
    duration: fc.double({ min: 0, max: 1e6, noNaN: true }),
    error: fc.option(failure),
  })
  .map(
    (any): Checkpoint => ({
      wave: any.wave,
      task_id: `${any.task}[${any.index}]`,
      status: any.error === null ? 'success' : 'failure',
      results: any.results,
      timestamp: '2025-12-17T10:30:00.000Z',
      agent_id: `agent_${any.index % 4}`,
      key: 'k',
      attempt: any.attempt,
      started: 0,
      duration_ms: any.duration,
      ...(any.error === null ? {} : { error: any.error as Failure }),
    }),
  );
const subtaskOf = (any: { task: string; index: number }) => `${any.task}[${any.index}]`;

/** Any event in any order: what a damaged or foreign record may hold. */
export const anyEvent: fc.Arbitrary<RunEvent> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ at, task, checkpoint }).map((any) => ({ type: 'subtask-finished' as const, ...any })) },
  {
    weight: 4,
    arbitrary: fc.record({ at, wave, task, index }).map((any) => ({
      ...any,
      type: 'subtask-started' as const,
      subtask: subtaskOf(any),
      agent: `agent_${any.index % 4}`,
      attempt: 1,
    })),
  },
  fc.record({ at, wave, task, index, failure }).map((any) => ({
    ...any,
    failure: any.failure as Failure,
    type: 'subtask-retried' as const,
    subtask: subtaskOf(any),
    agent: `agent_${any.index % 4}`,
    attempt: 1,
    delayMs: 5,
  })),
  fc
    .record({ at, wave, task, index, reason: nastyText })
    .map((any) => ({ ...any, type: 'subtask-skipped' as const, subtask: subtaskOf(any) })),
  {
    weight: 2,
    arbitrary: fc
      .record({ at, wave, name: nastyText, agents, subtasks: index, predictedSeconds: maybe, threads: index })
      .map(({ predictedSeconds, ...any }) => ({
        ...any,
        type: 'wave-started' as const,
        ...(predictedSeconds !== undefined && { predictedSeconds }),
      })),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({
        at,
        wave,
        durationMs: amount,
        check: verdict as fc.Arbitrary<WaveCheck>,
        measured: fc.option(fc.record({ cpuSeconds: amount, busySeconds: amount, idleSeconds: amount }), { nil: undefined }),
      })
      .map(({ measured, ...any }) => ({
        ...any,
        type: 'wave-finished' as const,
        ...(measured !== undefined && { measured }),
      })),
  },
  fc
    .record({ at, wave, from: agents, to: agents, reason: nastyText })
    .map((any) => ({ ...any, type: 'agents-changed' as const })),
  fc.record({ at, wave, task, subtasks: index }).map((any) => ({ ...any, type: 'task-expanded' as const })),
  fc.record({ at, wave, decision: anyDecision }).map((any) => ({ ...any, type: 'decision-taken' as const })),
  fc.record({ at, message: nastyText }).map((any) => ({ ...any, type: 'warning' as const })),
  fc.record({ at, task, checkpoint }).map((any) => ({ ...any, type: 'finally-finished' as const })),
  fc
    .record({ at, durationMs: amount, text: nastyText, mode: fc.constantFrom('none', 'commit', 'ref') })
    .map(({ at: when, durationMs, text, mode }) => ({
      type: 'backup-made' as const,
      at: when,
      durationMs,
      backup: backupOf(mode, text),
    })),
  fc
    .record({
      at,
      task: nastyText,
      plan: nastyText,
      decision: anyDecision,
      predicted: maybe,
      cores: maybe,
      waves: fc.constantFrom(WAVES, WAVES.slice(1), []),
      confirmed: fc.constantFrom('prompt', 'flag', 'library'),
    })
    .map(({ predicted, cores, ...any }) =>
      runStarted({
        ...any,
        predictedSeconds: predicted,
        confirmed: any.confirmed as 'prompt',
        ...(cores !== undefined && { cores }),
      }),
    ),
  fc
    .record({ at, durationMs: amount, reason: nastyText, status: fc.constantFrom('done', 'failed', 'stopped', 'broken') })
    .map((any) => ({ ...any, status: any.status as RunStatus, type: 'run-finished' as const })),
);

function backupOf(mode: string, text: string): Backup {
  if (mode === 'none') return { mode: 'none' };
  if (mode === 'ref') return { mode: 'ref', commit: 'abcdef0123456789', ref: text };
  return { mode: 'commit', commit: 'abcdef0123456789', created: text.length > 3, branch: text };
}
