import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { displayText } from '../data/text.js';
import { type Checkpoint, isCancelled } from '../model/checkpoint.js';
import { taskOfSubtask } from '../model/ids.js';
import { isJsonObject } from '../model/json.js';
import type { RunEvent } from '../model/run-event.js';
import { EVENTS_FILE } from './event-log.js';
import { waveFile } from './journal.js';
import { type EnvironmentProblem, errnoOf, systemProblem } from './problem.js';
import { OutcomeTally, readCheckpoints, readLines } from './read-journal.js';
import { isEarlier, type RunParts, readRunParts } from './run-parts.js';
import { jsonOf } from './state-file.js';

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
 * itself told them. Everything that reads a run's outcomes reads them here.
 */
export async function* readRunEvents(runDir: string): AsyncGenerator<RecordEntry, void, undefined> {
  const records = new CountedRecords(await readRunParts(runDir, () => countStarts(runDir)));
  const told = new Set<number>();
  for await (const entry of readEventLog(runDir)) {
    if (entry.kind !== 'event') {
      yield entry;
      continue;
    }
    const { event } = entry;
    if (!records.note(event)) continue;
    if (event.type === 'wave-finished' && !told.has(event.wave)) {
      told.add(event.wave);
      yield* readWaveEvents(runDir, event.wave, records);
    }
    if (event.type === 'run-finished') yield* readOtherWaves(runDir, told, records);
    yield entry;
  }
  yield* readOtherWaves(runDir, told, records);
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
  records: CountedRecords,
): AsyncGenerator<RecordEntry, void, undefined> {
  for (const wave of await recordedWaves(runDir)) {
    if (told.has(wave)) continue;
    told.add(wave);
    yield* readWaveEvents(runDir, wave, records);
  }
}

async function* readWaveEvents(
  runDir: string,
  wave: number,
  records: CountedRecords,
): AsyncGenerator<RecordEntry, void, undefined> {
  const file = waveFile(runDir, wave);
  for await (const entry of readCheckpoints(file)) {
    switch (entry.kind) {
      case 'checkpoint': {
        const event = records.eventOf(entry.checkpoint, { wave, offset: entry.offset });
        if (event !== undefined) yield { kind: 'event', event };
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

/** Which records count, by the events of the run's last part so far. */
class CountedRecords {
  readonly #parts: RunParts | undefined;
  #starts = 0;
  #startedAt = Number.NEGATIVE_INFINITY;
  #waves = Number.POSITIVE_INFINITY;
  /** The wave of each task, in a run that was resumed. */
  #waveOf = new Map<string, number>();
  /** Tasks and subtasks that the last part skipped. */
  readonly #skipped = new OutcomeTally();

  /** @param parts undefined for a run that was not resumed: then everything counts. */
  constructor(parts: RunParts | undefined) {
    this.#parts = parts;
  }

  /** Takes the next event of the log. False where it is of an earlier part and not to be told. */
  note(event: RunEvent): boolean {
    const parts = this.#parts;
    if (event.type === 'run-started') {
      this.#starts++;
      // Records are dated to the millisecond.
      this.#startedAt = Math.floor(event.at);
      this.#waves = event.waves.length;
      this.#waveOf = new Map(event.waves.flatMap(({ number, tasks = [] }) => tasks.map(({ id }) => [id, number])));
    }
    if (parts === undefined) return true;
    if (this.#starts < parts.starts) return false;
    if (event.type === 'subtask-skipped') this.#skipped.add(event.subtask, true);
    if (event.type === 'records-dropped') parts.index.drop(event.task, event.keys);
    return true;
  }

  /** The event that a record stands for; undefined where it does not count. */
  eventOf(checkpoint: Checkpoint, place: { readonly wave: number; readonly offset: number }): RunEvent | undefined {
    const parts = this.#parts;
    const { task_id: id, key } = checkpoint;
    const task = taskOfSubtask(id);
    const at = endOf(checkpoint);
    const earlier = parts !== undefined && isEarlier(parts, place);
    const isLast = place.wave > this.#waves;
    if (parts !== undefined) {
      if (!parts.index.isCurrent(task, key, place)) return undefined;
      const wave = this.#waveOf.get(task);
      // The tasks under `finally` run in each part. Any other task that the plan does not name was removed from it.
      if (wave === undefined ? !isLast || earlier : wave !== place.wave) return undefined;
      if (this.#skipped.has(task) || this.#skipped.has(id)) return undefined;
    }
    if (isCancelled(checkpoint)) return { type: 'subtask-cancelled', at, task, checkpoint };
    if (isLast) return { type: 'finally-finished', at, task, checkpoint };
    // What ended before the run started was taken over: from an earlier part under another name, or from an earlier run.
    const resumed = earlier ? 'as-is' : at >= this.#startedAt ? undefined : parts === undefined ? 'up-to-date' : 'moved';
    return { type: 'subtask-finished', at, task, checkpoint, ...(resumed && { resumed }) };
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
      const event = content === undefined ? undefined : parseEvent(displayText(content));
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
  'records-dropped': true,
  'subtask-started': false,
  'subtasks-started': false,
  'subtasks-returned': false,
  'attempt-failed': false,
  'subtask-retried': true,
  'failure-assessed': true,
  'subtask-finished': false,
  'subtask-cancelled': false,
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
  const value = jsonOf(text);
  if (!isJsonObject(value) || typeof value['at'] !== 'number') return undefined;
  const type = value['type'];
  if (typeof type !== 'string' || !Object.hasOwn(KEPT, type) || !KEPT[type as RunEvent['type']]) return undefined;
  if (type === 'run-started' && !Array.isArray(value['waves'])) return undefined;
  if (type === 'records-dropped' && !Array.isArray(value['keys'])) return undefined;
  // We wrote the line; its type and its time were looked at, and folds bear figures that are missing.
  return value as unknown as RunEvent;
}

/** The waves with a file, in order. */
export async function recordedWaves(runDir: string): Promise<readonly number[]> {
  try {
    return (await readdir(runDir))
      .flatMap((name) => /^wave(\d{1,9})\.ndjson$/.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b);
  } catch {
    return [];
  }
}
