import { fromRecordLine } from '../data/checkpoint-line.js';
import { piecesOfRegular } from '../data/files.js';
import { type Checkpoint, isCancelled } from '../model/checkpoint.js';
import { parseSubtaskId } from '../model/ids.js';
import { err, ok, type Result } from '../model/result.js';
import { waveFile } from './journal.js';
import { type EnvironmentProblem, errnoOf, systemProblem } from './problem.js';

/** What a wave's file holds, piece by piece and in order. */
export type JournalEntry =
  | {
      readonly kind: 'checkpoint';
      readonly checkpoint: Checkpoint;
      /** Where its line begins, and how long it is without its line end: bytes. */
      readonly offset: number;
      readonly bytes: number;
    }
  /** A line that is no checkpoint as it was written, with whole ones after it: the file was damaged, not cut short. */
  | { readonly kind: 'damaged'; readonly line: number; readonly bytes: number }
  /** The end of the file from its first line that is no whole checkpoint: the last write was cut short. */
  | { readonly kind: 'torn'; readonly bytes: number }
  | { readonly kind: 'unreadable'; readonly problem: EnvironmentProblem };

/** What a wave's file amounts to. */
export interface WaveTally {
  /** Whole records, several of a subtask that was tried again. */
  readonly records: number;
  /** Subtasks with a record. */
  readonly distinct: number;
  /** Subtasks whose last record is a success. */
  readonly success: number;
  /** Subtasks whose last record is a failure. */
  readonly failed: number;
  /** Bytes at the end that are no whole record. */
  readonly tornBytes: number;
  /** Lines before the end that are no record. */
  readonly damagedLines: number;
}

/** Whether a record counts that begins at a byte of a wave's file. */
export type RecordFilter = (checkpoint: Checkpoint, place: { readonly wave: number; readonly offset: number }) => boolean;

/** A line longer than this is damage: no result is this large, and a text of it might not fit into a string. */
const LINE_BYTES = 256 * 1024 * 1024;

/** Reads a wave's checkpoints back, one line in memory at a time. A file that is missing holds none. */
export async function* readCheckpoints(file: string): AsyncGenerator<JournalEntry, void, undefined> {
  // Lines that are no checkpoint wait here until it is known whether whole ones follow.
  let suspects: { readonly line: number; readonly bytes: number }[] = [];
  let line = 0;
  let offset = 0;
  try {
    for await (const { content, bytes, ended } of readLines(file)) {
      line++;
      const begun = offset;
      offset += bytes;
      const checkpoint = ended && content !== undefined ? fromRecordLine(content) : undefined;
      if (checkpoint === undefined) {
        suspects.push({ line, bytes });
        continue;
      }
      for (const suspect of suspects) yield { kind: 'damaged', ...suspect };
      suspects = [];
      yield { kind: 'checkpoint', checkpoint, offset: begun, bytes: bytes - 1 };
    }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return;
    yield { kind: 'unreadable', problem: systemProblem(`read ${file}`, error) };
    return;
  }
  if (suspects.length > 0) yield { kind: 'torn', bytes: suspects.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/**
 * Counts what a wave's file holds, for the check between waves; with `counts`, only the records that it admits: the file
 * of a run that was resumed may hold others, of an earlier form of the plan.
 */
export async function readWave(
  runDir: string,
  wave: number,
  counts: RecordFilter = () => true,
): Promise<Result<WaveTally, EnvironmentProblem>> {
  const outcomes = new OutcomeTally();
  let records = 0;
  let tornBytes = 0;
  let damagedLines = 0;
  for await (const entry of readCheckpoints(waveFile(runDir, wave))) {
    switch (entry.kind) {
      case 'checkpoint':
        if (isCancelled(entry.checkpoint) || !counts(entry.checkpoint, { wave, offset: entry.offset })) break;
        records++;
        outcomes.add(entry.checkpoint.task_id, entry.checkpoint.status === 'success');
        break;
      case 'damaged':
        damagedLines++;
        break;
      case 'torn':
        tornBytes = entry.bytes;
        break;
      case 'unreadable':
        return err(entry.problem);
    }
  }
  return ok({ records, ...outcomes.counts(), tornBytes, damagedLines });
}

/** A line of a file. */
export interface Line {
  /** Undefined for a line beyond the bound. */
  readonly content: Buffer | undefined;
  /** With its line end. */
  readonly bytes: number;
  /** Whether a line end followed. */
  readonly ended: boolean;
}

/** The lines of a file, one in memory at a time. Throws the system's error. */
export async function* readLines(file: string): AsyncGenerator<Line, void, undefined> {
  let parts: Buffer[] = [];
  let bytes = 0;
  const take = (ended: boolean): Line => {
    const content = bytes > LINE_BYTES ? undefined : parts.length === 1 ? parts[0] : Buffer.concat(parts);
    const taken = { content, bytes: bytes + (ended ? 1 : 0), ended };
    parts = [];
    bytes = 0;
    return taken;
  };
  const add = (part: Buffer) => {
    bytes += part.length;
    if (bytes > LINE_BYTES) parts = [];
    else parts.push(part);
  };
  for await (const chunk of piecesOfRegular(file)) {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      add(chunk.subarray(start, end));
      yield take(true);
      start = end + 1;
    }
    if (start < chunk.length) add(chunk.subarray(start));
  }
  if (bytes > 0) yield take(false);
}

/** The last outcome of each subtask, in a byte for each subtask of a fan-out: a million cost a megabyte. */
export class OutcomeTally {
  readonly #fanOuts = new Map<string, Uint8Array>();
  readonly #others = new Map<string, number>();
  readonly #count: [number, number, number] = [0, 0, 0];

  add(id: string, success: boolean): void {
    const outcome = success ? 1 : 2;
    const { task, index } = parseSubtaskId(id);
    if (index === undefined) {
      this.#move(this.#others.get(id) ?? 0, outcome);
      this.#others.set(id, outcome);
      return;
    }
    let outcomes = this.#fanOuts.get(task) ?? new Uint8Array(64);
    if (index >= outcomes.length) {
      const larger = new Uint8Array(2 ** Math.ceil(Math.log2(index + 1)));
      larger.set(outcomes);
      outcomes = larger;
    }
    this.#fanOuts.set(task, outcomes);
    this.#move(outcomes[index] ?? 0, outcome);
    outcomes[index] = outcome;
  }

  /** Whether an outcome of the subtask was added. */
  has(id: string): boolean {
    const { task, index } = parseSubtaskId(id);
    return index === undefined ? this.#others.has(id) : (this.#fanOuts.get(task)?.[index] ?? 0) !== 0;
  }

  counts(): { readonly distinct: number; readonly success: number; readonly failed: number } {
    const [, success, failed] = this.#count;
    return { distinct: success + failed, success, failed };
  }

  /** One subtask goes from one outcome to another; 0 is none. */
  #move(from: number, to: 1 | 2): void {
    if (from === 1 || from === 2) this.#count[from]--;
    this.#count[to]++;
  }
}
