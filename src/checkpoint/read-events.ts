import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Checkpoint } from '../model/checkpoint.js';
import { taskOfSubtask } from '../model/ids.js';
import { isJsonObject, type JsonValue } from '../model/json.js';
import type { RunEvent } from '../model/run-event.js';
import { EVENTS_FILE } from './event-log.js';
import { waveFile } from './journal.js';
import { type EnvironmentProblem, errnoOf, systemProblem } from './problem.js';
import { readCheckpoints, readLines } from './read-journal.js';
import { isCurrent, isEarlier, type RunParts, readRunParts } from './run-parts.js';

/** A run told again from its folder. */
export type RecordEntry =
  | { readonly kind: 'event'; readonly event: RunEvent }
  /** Lines or ends of files that hold no record: what was written there is lost. */
  | { readonly kind: 'damaged'; readonly file: string; readonly bytes: number }
  | { readonly kind: 'unreadable'; readonly problem: EnvironmentProblem };

/**
 * A run's events in the order of the run, one in memory at a time: those of the event log, and the checkpoints of each
 * wave before the wave's end. What a killed run recorded comes without an end. Starts of subtasks are not recorded.
 * Of a run that was resumed, the events of its last part are told, and of each subtask the outcome that counts: as the run
 * itself told them.
 */
export async function* readRunEvents(runDir: string): AsyncGenerator<RecordEntry, void, undefined> {
  const parts = await readRunParts(runDir, () => countStarts(runDir));
  const told = new Set<number>();
  let partsOver = 0;
  let waves = Number.POSITIVE_INFINITY;
  for await (const entry of readEventLog(runDir)) {
    if (entry.kind !== 'event') {
      yield entry;
      continue;
    }
    const { event } = entry;
    if (event.type === 'run-started') {
      partsOver++;
      waves = event.waves.length;
    }
    if (parts !== undefined && partsOver < parts.starts) continue;
    if (event.type === 'wave-finished' && !told.has(event.wave)) {
      told.add(event.wave);
      yield* readWaveEvents(runDir, event.wave, { last: false, parts });
    }
    if (event.type === 'run-finished') yield* readOtherWaves(runDir, told, { waves, parts });
    yield entry;
  }
  yield* readOtherWaves(runDir, told, { waves, parts });
}

async function countStarts(runDir: string): Promise<number> {
  let starts = 0;
  for await (const entry of readEventLog(runDir)) if (entry.kind === 'event' && entry.event.type === 'run-started') starts++;
  return starts;
}

/** Waves that never ended, and the tasks under `finally`, which are recorded as the wave after the last. */
async function* readOtherWaves(
  runDir: string,
  told: Set<number>,
  { waves, parts }: { readonly waves: number; readonly parts: RunParts | undefined },
): AsyncGenerator<RecordEntry, void, undefined> {
  for (const wave of await recordedWaves(runDir)) {
    if (told.has(wave)) continue;
    told.add(wave);
    yield* readWaveEvents(runDir, wave, { last: wave > waves, parts });
  }
}

async function* readWaveEvents(
  runDir: string,
  wave: number,
  { last, parts }: { readonly last: boolean; readonly parts: RunParts | undefined },
): AsyncGenerator<RecordEntry, void, undefined> {
  const file = waveFile(runDir, wave);
  for await (const entry of readCheckpoints(file)) {
    switch (entry.kind) {
      case 'checkpoint': {
        const { checkpoint, offset } = entry;
        const task = taskOfSubtask(checkpoint.task_id);
        if (parts !== undefined && !isCurrent(parts, task, checkpoint, offset)) break;
        const at = endOf(checkpoint);
        const resumed = parts !== undefined && isEarlier(parts, checkpoint, offset) ? ({ resumed: 'as-is' } as const) : {};
        if (last) yield { kind: 'event', event: { type: 'finally-finished', at, task, checkpoint } };
        else yield { kind: 'event', event: { type: 'subtask-finished', at, task, checkpoint, ...resumed } };
        break;
      }
      case 'damaged':
      case 'torn':
        yield { kind: 'damaged', file, bytes: entry.bytes };
        break;
      case 'unreadable':
        yield entry;
        break;
    }
  }
}

function endOf({ timestamp }: Checkpoint): number {
  const ended = Date.parse(timestamp);
  return Number.isFinite(ended) ? ended : 0;
}

async function* readEventLog(runDir: string): AsyncGenerator<RecordEntry, void, undefined> {
  const file = join(runDir, EVENTS_FILE);
  try {
    for await (const { content, bytes } of readLines(file)) {
      const event = content === undefined ? undefined : parseEvent(content.toString());
      yield event === undefined ? { kind: 'damaged', file, bytes } : { kind: 'event', event };
    }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') {
      const problem = {
        message: `${runDir} holds no ${EVENTS_FILE}: the run is too old, or was ended before it began`,
        hint: 'name another run; its checkpoints are in wave<N>.ndjson',
      };
      yield { kind: 'unreadable', problem };
      return;
    }
    yield { kind: 'unreadable', problem: systemProblem(`read ${file}`, error) };
  }
}

/** The types that the log may hold. */
const KEPT: Readonly<Record<RunEvent['type'], boolean>> = {
  'run-started': true,
  'run-resumed': true,
  'backup-made': true,
  'decision-taken': true,
  'wave-started': true,
  'agents-changed': true,
  'task-expanded': true,
  'subtask-started': false,
  'subtasks-started': false,
  'subtasks-returned': false,
  'attempt-failed': false,
  'subtask-retried': true,
  'failure-assessed': true,
  'subtask-finished': false,
  'subtasks-finished': false,
  'subtasks-up-to-date': false,
  'subtask-skipped': true,
  'wave-finished': true,
  'finally-finished': false,
  warning: true,
  'pools-observed': true,
  'run-finished': true,
};

function parseEvent(text: string): RunEvent | undefined {
  try {
    const value = JSON.parse(text) as JsonValue;
    if (!isJsonObject(value) || typeof value['at'] !== 'number') return undefined;
    const type = value['type'];
    if (typeof type !== 'string' || !Object.hasOwn(KEPT, type) || !KEPT[type as RunEvent['type']]) return undefined;
    if (type === 'run-started' && !Array.isArray(value['waves'])) return undefined;
    // We wrote the line; its type and its time were looked at, and folds bear figures that are missing.
    return value as unknown as RunEvent;
  } catch {
    return undefined;
  }
}

async function recordedWaves(runDir: string): Promise<readonly number[]> {
  try {
    return (await readdir(runDir))
      .flatMap((name) => /^wave(\d{1,9})\.ndjson$/.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b);
  } catch {
    return [];
  }
}
