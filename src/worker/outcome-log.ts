import type { CheckpointText } from '../model/checkpoint.js';
import { ownJson } from '../model/json.js';
import { CLOSING_BYTES, closedRecord } from '../model/record-line.js';
import type { OutcomeSink, SubtaskOutcome } from './chunk.js';

/*
 * Outcomes on their way from a thread to the coordinator, in shared memory: what was written is there to be read even when
 * the thread ends in the next moment, and a small outcome costs a fraction of a message.
 *
 *   control   Int32 x 4     records written, records read, chunks of which the end was told by message, chunk that has the thread
 *   watch     Float64 x 2   when the coordinator last looked, and how long the process has been paused by then
 *   records   Float64 x 9   for each: chunk, position, kind, started, duration, end of before, of results, of line, of log
 *   data      bytes         the texts of all records, one after the other
 *
 * One writes, one reads. The writer starts again at the beginning when everything was read: it sets `written` to 0 first
 * and `read` second, and the reader looks at `read` first and at `written` second, so that it never sees old records as new.
 * A lap longer than the data is not waited for: such outcomes go by message.
 */

const RECORDS = 8192;
const FIELDS = 9;
const DATA_BYTES = 4 * 1024 * 1024;
const CONTROL_BYTES = 32;
const WATCH_BYTE = 16;
const WRITTEN = 0;
const READ = 1;
const ENDED = 2;
const HOLDER = 3;
const LOOKED_AT = 0;
const PAUSED = 1;

/** The coordinator looks this often, in milliseconds, while work runs. */
export const LOOK_MS = 50;
/** A gap between two looks is a pause of the whole process when it is this long; a busy coordinator leaves shorter ones. */
const PAUSE_MS = 1000;

const KIND_SUCCESS = 0;
const KIND_FAILURE = 1;
const KIND_LEFT_OUT = 2;

/** The shared memory of one thread's log. */
export function createOutcomeMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(CONTROL_BYTES + RECORDS * FIELDS * 8 + DATA_BYTES);
}

interface Views {
  readonly control: Int32Array;
  readonly watch: Float64Array;
  readonly records: Float64Array;
  readonly data: Buffer;
}

function viewsOf(memory: SharedArrayBuffer): Views {
  return {
    control: new Int32Array(memory, 0, 4),
    watch: new Float64Array(memory, WATCH_BYTE, 2),
    records: new Float64Array(memory, CONTROL_BYTES, RECORDS * FIELDS),
    data: Buffer.from(memory, CONTROL_BYTES + RECORDS * FIELDS * 8, DATA_BYTES),
  };
}

/** An outcome as a message carries it, where the log has no room. */
export type PostedOutcome = SubtaskOutcome & { readonly chunk: number };

/** The thread's end. */
export class OutcomeWriter {
  readonly #views: Views;
  readonly #post: (outcome: PostedOutcome) => void;
  #written = 0;
  #end = 0;

  /** @param post sends an outcome for which there is no room. */
  constructor(memory: SharedArrayBuffer, post: (outcome: PostedOutcome) => void) {
    this.#views = viewsOf(memory);
    this.#post = post;
  }

  /** Whether the reader should be told now: so much is there that the log could be full before it looks. */
  get filling(): boolean {
    return this.#written > RECORDS / 2 || this.#end > DATA_BYTES / 2;
  }

  /** Which chunk's code has the thread: no message is taken and no timer fires before it returns. */
  hold(chunk: number, holding: boolean): void {
    this.#views.control[HOLDER] = holding ? chunk + 1 : 0;
  }

  /** Milliseconds for which the process has been paused so far; `now` is on the run's time line. */
  pausedMs(now: number): number {
    const { watch } = this.#views;
    const gap = now - (watch[LOOKED_AT] ?? now);
    // This thread may go on before the coordinator has looked.
    return (watch[PAUSED] ?? 0) + (gap > PAUSE_MS ? gap : 0);
  }

  /** The end of a chunk was told by message. */
  chunkEnded(): void {
    Atomics.add(this.#views.control, ENDED, 1);
    Atomics.notify(this.#views.control, ENDED);
  }

  /** The sink of one chunk's outcomes. */
  sinkOf(chunk: number): OutcomeSink {
    return {
      success: (position, text, started, durationMs, log) => this.#success(chunk, position, text, started, durationMs, log),
      failure: (position, key, outcome) => {
        const { log, started, durationMs, ...rest } = outcome;
        const text = { before: JSON.stringify({ key, ...rest }), results: '', after: '' };
        if (!this.#append(chunk, position, KIND_FAILURE, started, durationMs, text, log))
          this.#post({ kind: 'failure', chunk, position, key, outcome });
      },
      leftOut: (position) => {
        if (!this.#append(chunk, position, KIND_LEFT_OUT, 0, 0, NOTHING, '')) this.#post({ kind: 'left-out', chunk, position });
      },
    };
  }

  #success(chunk: number, position: number, text: CheckpointText, started: number, durationMs: number, log: string): void {
    if (this.#append(chunk, position, KIND_SUCCESS, started, durationMs, text, log)) return;
    this.#post({ ...successOutcome(position, text, durationMs, log), chunk });
  }

  #append(
    chunk: number,
    position: number,
    kind: number,
    started: number,
    durationMs: number,
    text: CheckpointText,
    log: string,
  ): boolean {
    const { control, records, data } = this.#views;
    if (this.#written > 0 && Atomics.load(control, READ) === this.#written) {
      Atomics.store(control, WRITTEN, 0);
      Atomics.store(control, READ, 0);
      this.#written = 0;
      this.#end = 0;
    }
    // A character of a text is at most three bytes.
    const most = 3 * (text.before.length + text.results.length + text.after.length + log.length) + CLOSING_BYTES;
    if (this.#written >= RECORDS || this.#end + most > DATA_BYTES) return false;
    const begin = this.#end;
    const open = text.before + text.results + text.after;
    const lineEnd = begin + data.write(kind === KIND_SUCCESS ? closedRecord(open) : open, begin, 'utf8');
    let end = lineEnd;
    // What stands around the results is ASCII.
    const beforeEnd = begin + text.before.length;
    const resultsEnd = lineEnd - text.after.length - (kind === KIND_SUCCESS ? CLOSING_BYTES : 0);
    if (log !== '') end += data.write(log, end, 'utf8');
    const at = this.#written * FIELDS;
    records[at] = chunk;
    records[at + 1] = position;
    records[at + 2] = kind;
    records[at + 3] = started;
    records[at + 4] = durationMs;
    records[at + 5] = beforeEnd;
    records[at + 6] = resultsEnd;
    records[at + 7] = lineEnd;
    records[at + 8] = end;
    this.#end = end;
    this.#written += 1;
    Atomics.store(control, WRITTEN, this.#written);
    return true;
  }
}

const NOTHING: CheckpointText = { before: '', results: '', after: '' };

/** The coordinator's end. */
export class OutcomeReader {
  readonly #views: Views;
  #begin = 0;

  constructor(memory: SharedArrayBuffer) {
    this.#views = viewsOf(memory);
  }

  /** The chunk whose code has the thread; undefined where none has, or one goes on after it had returned a promise. */
  get holder(): number | undefined {
    const held = this.#views.control[HOLDER] ?? 0;
    return held === 0 ? undefined : held - 1;
  }

  /** Notes that the coordinator looks at its threads, and tells how long the process was paused since it last did. */
  looked(now: number, first: boolean): number {
    const { watch } = this.#views;
    const gap = now - (watch[LOOKED_AT] ?? now);
    const paused = !first && gap > PAUSE_MS ? gap : 0;
    watch[PAUSED] = (watch[PAUSED] ?? 0) + paused;
    watch[LOOKED_AT] = now;
    return paused;
  }

  /** Blocks this thread while the ends of no more than `ended` chunks were told, for so many milliseconds at most. */
  waitForEnd(ended: number, ms: number): void {
    // The counter is a whole number of 32 bits, and begins again below zero.
    Atomics.wait(this.#views.control, ENDED, ended | 0, ms);
  }

  /** Gives everything that was written since the last call, in order. */
  drain(take: (chunk: number, outcome: SubtaskOutcome) => void): void {
    const { control, records, data } = this.#views;
    const read = Atomics.load(control, READ);
    const written = Atomics.load(control, WRITTEN);
    if (written <= read) return;
    const begin = read === 0 ? 0 : this.#begin;
    const stop = records[(written - 1) * FIELDS + 8] ?? begin;
    // One copy for all, out of the memory that the writer may soon use again.
    const copy = Buffer.allocUnsafeSlow(stop - begin);
    data.copy(copy, 0, begin, stop);
    let start = 0;
    for (let record = read; record < written; ) {
      const run = successesFrom(records, record, written);
      const chunk = records[record * FIELDS] ?? 0;
      if (run > 1) {
        const end = (records[(record + run - 1) * FIELDS + 7] ?? 0) - begin;
        take(chunk, decodeSuccesses(copy.subarray(start, end), records, { record, run, base: begin + start }));
        record += run;
        start = end;
        continue;
      }
      const at = record * FIELDS;
      const end = (records[at + 8] ?? 0) - begin;
      take(chunk, decode(copy.subarray(start, end), records, record, begin + start));
      record += 1;
      start = end;
    }
    this.#begin = stop;
    Atomics.store(control, READ, written);
  }
}

/** How many records from `first` on are successes of one chunk, in a row, that said nothing. */
function successesFrom(records: Float64Array, first: number, stop: number): number {
  let run = 0;
  for (let record = first; record < stop; record++, run++) {
    const at = record * FIELDS;
    const inRow = records[at] === records[first * FIELDS] && records[at + 1] === (records[first * FIELDS + 1] ?? 0) + run;
    if (!inRow || records[at + 2] !== KIND_SUCCESS || records[at + 7] !== records[at + 8]) break;
  }
  return run;
}

interface SuccessRun {
  readonly record: number;
  readonly run: number;
  /** Where their first line began in the data. */
  readonly base: number;
}

function decodeSuccesses(lines: Uint8Array, records: Float64Array, { record, run, base }: SuccessRun): SubtaskOutcome {
  const results: number[] = [];
  const durationsMs: number[] = [];
  for (let i = record; i < record + run; i++) {
    const at = i * FIELDS;
    durationsMs.push(records[at + 4] ?? 0);
    results.push((records[at + 5] ?? 0) - base, (records[at + 6] ?? 0) - base);
  }
  return { kind: 'success', position: records[record * FIELDS + 1] ?? 0, count: run, lines, results, durationsMs, log: '' };
}

function decode(bytes: Buffer, records: Float64Array, record: number, base: number): SubtaskOutcome {
  const field = (index: number) => records[record * FIELDS + index] ?? 0;
  const position = field(1);
  const started = field(3);
  const durationMs = field(4);
  const lineEnd = field(7) - base;
  const log = lineEnd === bytes.length ? '' : bytes.toString('utf8', lineEnd);
  switch (field(2)) {
    case KIND_LEFT_OUT:
      return { kind: 'left-out', position };
    case KIND_FAILURE: {
      const { key, ...rest } = ownJson(bytes.toString('utf8', 0, lineEnd)) as Extract<
        SubtaskOutcome,
        { kind: 'failure' }
      >['outcome'] & {
        readonly key: string;
      };
      return { kind: 'failure', position, key, outcome: { ...rest, log, started, durationMs } };
    }
    default: {
      const results = [field(5) - base, field(6) - base];
      return { kind: 'success', position, count: 1, lines: bytes.subarray(0, lineEnd), results, durationsMs: [durationMs], log };
    }
  }
}

/** One success as an outcome by itself. */
export function successOutcome(position: number, text: CheckpointText, durationMs: number, log: string): SubtaskOutcome {
  const begin = text.before.length;
  const results = [begin, begin + Buffer.byteLength(text.results)];
  const lines = Buffer.from(closedRecord(text.before + text.results + text.after));
  return { kind: 'success', position, count: 1, lines, results, durationsMs: [durationMs], log };
}
