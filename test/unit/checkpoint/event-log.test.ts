import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EVENTS_FILE, EventLog } from '../../../src/checkpoint/event-log.js';
import { openJournal } from '../../../src/checkpoint/journal.js';
import { type RecordEntry, readRunEvents } from '../../../src/checkpoint/read-events.js';
import type { RunEvent } from '../../../src/model/run-event.js';
import { tempFolder } from '../../support/repository.js';
import {
  backupMade,
  finished,
  GOOD_RUN,
  runFinished,
  runStarted,
  started,
  waveFinished,
  waveStarted,
} from '../report/builders.js';

/** Writes a run's records as a run does. */
async function record(runDir: string, events: readonly RunEvent[]): Promise<void> {
  const log = new EventLog(runDir);
  const journal = await openJournal({ runDir });
  if (!journal.ok) throw new Error(journal.error.message);
  for (const event of events) {
    log.record(event);
    if (event.type === 'subtask-finished' || event.type === 'finally-finished') journal.value.record(event.checkpoint);
  }
  expect(await log.close()).toEqual({ ok: true, value: undefined });
  expect((await journal.value.close()).ok).toBe(true);
}

async function read(runDir: string): Promise<readonly RecordEntry[]> {
  const entries: RecordEntry[] = [];
  for await (const entry of readRunEvents(runDir)) entries.push(entry);
  return entries;
}

function types(entries: readonly RecordEntry[]): readonly string[] {
  return entries.map((entry) => (entry.kind === 'event' ? entry.event.type : entry.kind));
}

describe('a run told again from its records', () => {
  it('is the run, but for the starts of subtasks', async () => {
    const runDir = tempFolder();
    await record(runDir, GOOD_RUN);
    const told = (await read(runDir)).map((entry) => (entry.kind === 'event' ? entry.event : entry));
    const expected = GOOD_RUN.filter(({ type }) => type !== 'subtask-started');
    expect(told.map((event) => ('type' in event && event.type === 'subtask-finished' ? { ...event, at: 1000 } : event))).toEqual(
      expected,
    );
  });

  it('keeps the log to what the wave files do not tell', async () => {
    const runDir = tempFolder();
    await record(runDir, GOOD_RUN);
    expect(readFileSync(join(runDir, EVENTS_FILE), 'utf8')).not.toContain('subtask-');
  });

  it('has what a killed run recorded, and no end', async () => {
    const runDir = tempFolder();
    await record(runDir, [runStarted(), backupMade(), waveStarted(1, 2), finished('scan', { wave: 1, task_id: 'scan' })]);
    expect(types(await read(runDir))).toEqual(['run-started', 'backup-made', 'wave-started', 'subtask-finished']);
  });

  it('tells the tasks under finally as such', async () => {
    const runDir = tempFolder();
    const { checkpoint } = finished('clean', { wave: 3, task_id: 'clean' }) as Extract<RunEvent, { type: 'subtask-finished' }>;
    await record(runDir, [
      runStarted(),
      waveStarted(1, 0),
      waveFinished(1),
      { type: 'finally-finished', at: 1, task: 'clean', checkpoint },
      runFinished(),
    ]);
    expect(types(await read(runDir))).toEqual([
      'run-started',
      'wave-started',
      'wave-finished',
      'finally-finished',
      'run-finished',
    ]);
  });

  it('goes on past lines that are damaged, at every cut', async () => {
    const whole = tempFolder();
    await record(whole, GOOD_RUN);
    const log = readFileSync(join(whole, EVENTS_FILE));
    for (let length = 0; length < log.length; length += 7) {
      const runDir = tempFolder();
      writeFileSync(join(runDir, EVENTS_FILE), log.subarray(0, length));
      const entries = await read(runDir);
      expect(entries.filter(({ kind }) => kind === 'damaged').length).toBeLessThanOrEqual(1);
      expect(entries.some(({ kind }) => kind === 'unreadable')).toBe(false);
    }
  });

  it('says so where there is none', async () => {
    const entries = await read(tempFolder());
    expect(entries).toMatchObject([{ kind: 'unreadable', problem: { message: expect.stringContaining(EVENTS_FILE) } }]);
  });

  it('passes over an event of a type that it does not know', async () => {
    const runDir = tempFolder();
    writeFileSync(
      join(runDir, EVENTS_FILE),
      '{"type":"__proto__","at":1}\n{"type":"subtask-started","at":1}\n[]\n{"type":"warning"}\nnull\n',
    );
    expect(types(await read(runDir))).toEqual(Array.from({ length: 5 }, () => 'damaged'));
  });
});

describe('an event log that cannot be written', () => {
  it('says why at the end, and nothing before', async () => {
    const runDir = join(tempFolder(), 'missing');
    const log = new EventLog(runDir);
    for (const event of [runStarted(), started(1, 'a', 'a', 'agent_1'), runFinished()]) log.record(event);
    expect(await log.close()).toMatchObject({ ok: false, error: { message: expect.stringContaining('ENOENT') } });
    expect(existsSync(runDir)).toBe(false);
  });
});
