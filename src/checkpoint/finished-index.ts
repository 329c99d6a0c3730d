import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { fromRecordLine } from '../data/checkpoint-line.js';
import type { FinishedSubtasks } from '../execute/finished.js';
import { type Checkpoint, isCancelled } from '../model/checkpoint.js';
import { taskOfSubtask } from '../model/ids.js';
import { err, ok, type Result } from '../model/result.js';
import { waveFile } from './journal.js';
import { KeyTable, type RecordPlace } from './key-table.js';
import { type EnvironmentProblem, systemProblem } from './problem.js';
import { readCheckpoints } from './read-journal.js';

/** How far each wave's file reached at a moment, in bytes, by the wave's number. */
export type JournalEnds = Readonly<Record<string, number>>;

/** Tasks whose records up to some ends are void: their definition changed since, or that of a task that they need. */
export interface VoidedRecords {
  readonly ends: JournalEnds;
  readonly tasks: readonly string[];
}

/** What the records of one task come to. */
export interface TaskRecords {
  /** Subtasks whose last valid record is a success. */
  readonly success: number;
  readonly failed: number;
}

/** What a run has recorded, with what had to be said about it. */
export interface FinishedIndex {
  readonly tasks: ReadonlyMap<string, TaskRecords>;
  /** The number of timed-out subtasks of each task that has some. */
  readonly timedOut: ReadonlyMap<string, number>;
  readonly ends: JournalEnds;
  /** Whether the record at a place is the last valid one of its subtask, and was not dropped. */
  readonly isCurrent: (task: string, key: string, place: { readonly wave: number; readonly offset: number }) => boolean;
  /** Takes out subtasks that the plan no longer has. */
  readonly drop: (task: string, keys: readonly string[]) => void;
  /** Torn tails and damaged lines, for people. */
  readonly warnings: readonly string[];
  /** The records as the scheduler asks for them. Close it when the run is over. */
  readonly finished: (options: FinishedOptions) => OpenFinished;
}

/** Which records count as finished. Those of cancelled work never do. */
export interface FinishedOptions {
  /** Whether failures count. */
  readonly failures: boolean;
  /** Tasks of which nothing counts. */
  readonly voided: ReadonlySet<string>;
  /** Tasks whose timed-out subtasks do not count. */
  readonly timeoutsRunAgain?: ReadonlySet<string>;
}

/** Finished subtasks whose files are open. */
export interface OpenFinished extends FinishedSubtasks {
  readonly close: () => void;
}

interface TaskTable {
  readonly keys: KeyTable;
  success: number;
  failed: number;
  timedOut: number;
}

/**
 * Reads which subtasks of a run are finished: their keys and where their records are, not the records themselves, so that
 * a million cost 50 MB. With `repair`, torn tails are cut off, after which a journal can go on where the files end.
 */
export async function readFinished(
  runDir: string,
  options: { readonly voided: readonly VoidedRecords[]; readonly repair: boolean },
): Promise<Result<FinishedIndex, EnvironmentProblem>> {
  const tables = new Map<string, TaskTable>();
  const warnings: string[] = [];
  const ends: Record<string, number> = {};
  for (const wave of wavesIn(runDir)) {
    const file = waveFile(runDir, wave);
    let end = 0;
    let damaged = 0;
    for await (const entry of readCheckpoints(file)) {
      switch (entry.kind) {
        case 'checkpoint': {
          end = entry.offset + entry.bytes + 1;
          const { checkpoint, offset, bytes } = entry;
          const task = taskOfSubtask(checkpoint.task_id);
          if (isVoid(task, wave, offset, options.voided)) break;
          if (isCancelled(checkpoint)) break;
          const timedOut = checkpoint.error?.kind === 'timeout';
          const place = { wave, offset, bytes, success: checkpoint.status === 'success', ...(timedOut && { timedOut }) };
          note(tables, task, { key: checkpoint.key, place, parts: options.voided });
          break;
        }
        case 'damaged':
          damaged++;
          end += entry.bytes;
          if (damaged <= MOST_WARNINGS) warnings.push(`${file}: line ${entry.line} is damaged; what it held runs again`);
          break;
        case 'torn': {
          const cut = options.repair ? 'were cut off' : 'will be cut off';
          warnings.push(`${file}: its last ${entry.bytes} bytes are no whole record and ${cut}; what they held runs again`);
          if (!options.repair) break;
          const problem = await truncate(file, end);
          if (problem !== undefined) return err(problem);
          break;
        }
        case 'unreadable':
          return err(entry.problem);
      }
    }
    if (damaged > MOST_WARNINGS) warnings.push(`${file}: ${damaged - MOST_WARNINGS} more lines are damaged`);
    ends[String(wave)] = end;
  }
  const tasks = new Map([...tables].map(([task, { success, failed }]) => [task, { success, failed }]));
  const timedOut = new Map([...tables].flatMap(([task, table]) => (table.timedOut > 0 ? [[task, table.timedOut]] : [])));
  return ok({
    tasks,
    timedOut,
    ends,
    isCurrent: (task, key, { wave, offset }) => {
      const place = tables.get(task)?.keys.get(key);
      return place !== undefined && place.wave === wave && place.offset === offset;
    },
    drop: (task, keys) => {
      for (const key of keys) tables.get(task)?.keys.drop(key);
    },
    warnings,
    finished: (options) => new RecordReader(runDir, tables, options),
  });
}

const MOST_WARNINGS = 10;

function wavesIn(runDir: string): readonly number[] {
  let names: readonly string[] = [];
  try {
    names = readdirSync(runDir);
  } catch {
    // A folder that cannot be listed holds nothing that could be read.
  }
  return names
    .flatMap((name) => {
      const number = /^wave(\d{1,9})\.ndjson$/.exec(name)?.[1];
      return number === undefined ? [] : [Number(number)];
    })
    .sort((a, b) => a - b);
}

function isVoid(task: string, wave: number, offset: number, voided: readonly VoidedRecords[]): boolean {
  return voided.some(({ ends, tasks }) => offset < (ends[String(wave)] ?? 0) && tasks.includes(task));
}

/** In which part of the run a record was written: how many resumes had begun. */
function partOf({ wave, offset }: RecordPlace, parts: readonly VoidedRecords[]): number {
  return parts.filter(({ ends }) => offset >= (ends[String(wave)] ?? 0)).length;
}

function note(
  tables: Map<string, TaskTable>,
  task: string,
  { key, place, parts }: { readonly key: string; readonly place: RecordPlace; readonly parts: readonly VoidedRecords[] },
): void {
  let table = tables.get(task);
  if (table === undefined) {
    table = { keys: new KeyTable(), success: 0, failed: 0, timedOut: 0 };
    tables.set(task, table);
  }
  const before = table.keys.set(key, place);
  // The tasks under `finally` are recorded as the wave after the last, and there may be fewer waves than there were.
  if (before !== undefined && before.wave !== place.wave && partOf(before, parts) > partOf(place, parts)) {
    table.keys.set(key, before);
    return;
  }
  if (before !== undefined) count(table, before, -1);
  count(table, place, 1);
}

function count(table: TaskTable, { success, timedOut }: RecordPlace, by: 1 | -1): void {
  table[success ? 'success' : 'failed'] += by;
  if (timedOut === true) table.timedOut += by;
}

async function truncate(file: string, bytes: number): Promise<EnvironmentProblem | undefined> {
  try {
    const handle = await open(file, 'r+');
    try {
      await handle.truncate(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    return undefined;
  } catch (error) {
    return systemProblem(`cut off the torn end of ${file}`, error);
  }
}

/** Bytes that are read at once: records are asked for more or less in the order in which they were written. */
const BLOCK_BYTES = 256 * 1024;

/** Reads single records where the tables say that they are. */
class RecordReader implements OpenFinished {
  readonly #runDir: string;
  readonly #tables: ReadonlyMap<string, TaskTable>;
  readonly #options: FinishedOptions;
  readonly #files = new Map<number, number>();
  #block: { readonly wave: number; readonly start: number; readonly bytes: Buffer } | undefined;

  constructor(runDir: string, tables: ReadonlyMap<string, TaskTable>, options: FinishedOptions) {
    this.#runDir = runDir;
    this.#tables = tables;
    this.#options = options;
  }

  knows(task: string): boolean {
    return !this.#options.voided.has(task) && this.#tables.has(task);
  }

  hasSuccess(task: string): boolean {
    return this.knows(task) && (this.#tables.get(task)?.success ?? 0) > 0;
  }

  begin(task: string): void {
    this.#tableOf(task)?.beginAsking();
  }

  has(task: string, key: string): boolean {
    return this.#counted(task, this.#tableOf(task)?.ask(key)) !== undefined;
  }

  dropRest(task: string): readonly string[] {
    return this.#tableOf(task)?.dropRest() ?? [];
  }

  #tableOf(task: string): KeyTable | undefined {
    return this.knows(task) ? this.#tables.get(task)?.keys : undefined;
  }

  #counted(task: string, place: RecordPlace | undefined): RecordPlace | undefined {
    const { failures, timeoutsRunAgain } = this.#options;
    if (place === undefined || place.success) return place;
    return failures && (place.timedOut !== true || timeoutsRunAgain?.has(task) !== true) ? place : undefined;
  }

  find(task: string, key: string): Checkpoint | undefined {
    const place = this.#counted(task, this.#tableOf(task)?.get(key));
    if (place === undefined) return undefined;
    const found = this.#read(place);
    // The file was changed meanwhile, or two keys collide: it runs again.
    return found?.key === key ? found : undefined;
  }

  close(): void {
    for (const file of this.#files.values()) closeSync(file);
    this.#files.clear();
    this.#block = undefined;
  }

  /** undefined, too, where the disk does not give it: the subtask runs again, which is always right. */
  #read(place: RecordPlace): Checkpoint | undefined {
    try {
      return fromRecordLine(this.#bytesAt(place));
    } catch {
      return undefined;
    }
  }

  #bytesAt({ wave, offset, bytes }: RecordPlace): Buffer {
    const block = this.#block;
    if (block?.wave === wave && offset >= block.start && offset + bytes <= block.start + block.bytes.length)
      return block.bytes.subarray(offset - block.start, offset - block.start + bytes);
    const read = Buffer.allocUnsafe(Math.max(BLOCK_BYTES, bytes));
    const count = readSync(this.#file(wave), read, 0, read.length, offset);
    this.#block = { wave, start: offset, bytes: read.subarray(0, count) };
    return read.subarray(0, Math.min(bytes, count));
  }

  #file(wave: number): number {
    const known = this.#files.get(wave);
    if (known !== undefined) return known;
    const file = openSync(waveFile(this.#runDir, wave), 'r');
    this.#files.set(wave, file);
    return file;
  }
}
