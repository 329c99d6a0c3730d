import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { type Checkpoint, parseCheckpoints } from '../model/checkpoint.js';
import { toRecordLine } from '../model/record-line.js';
import { err, ok, type Result } from '../model/result.js';
import { makeFolders } from './atomic-file.js';
import { CheckpointFiles } from './checkpoint-files.js';
import { type JournalDisk, type JournalFile, type JournalTimer, REAL_DISK, REAL_TIMER } from './journal-disk.js';
import { type EnvironmentProblem, systemProblem } from './problem.js';

/** Where a journal writes, and the seams that tests take. */
export interface JournalOptions {
  /** The run's folder; `wave<N>.ndjson` goes there. */
  readonly runDir: string;
  /** `--checkpoint-files`: also one file per subtask there. Created when it is missing. */
  readonly checkpointFilesDir?: string | undefined;
  /** Called once, when the journal breaks: the run must stop, for what ends now is not recorded. */
  readonly onBroken?: (problem: EnvironmentProblem) => void;
  readonly disk?: JournalDisk;
  readonly timer?: JournalTimer;
}

/** A group is written when it reaches either size, or so long after the one before. */
const GROUP_BYTES = 64 * 1024;
const GROUP_RECORDS = 256;
const GROUP_DELAY_MS = 5;
/** A disk that once took so long for a small group is written to in the background from then on: nobody waits for it twice. */
const SLOW_WRITE_MS = 50;
/** While a wave runs, what was written is synced when it is so old, or so much: what a power cut can cost. */
const SYNC_INTERVAL_MS = 1000;
const SYNC_BYTES = 1024 * 1024;
/** What is written at once at most, so that no group goes far beyond that. */
const WRITE_BYTES = 64 * 1024;
/** What may wait to be written before the journal is behind. */
const BACKLOG_BYTES = 16 * 1024 * 1024;
const BACKLOG_FILES = 4096;

/** Opens the journal of a run. Nothing is created in the run's folder before the first record. */
export async function openJournal(options: JournalOptions): Promise<Result<Journal, EnvironmentProblem>> {
  const { checkpointFilesDir } = options;
  if (checkpointFilesDir !== undefined) {
    try {
      await makeFolders(checkpointFilesDir);
    } catch (error) {
      const problem = systemProblem(`create the folder for checkpoint files ${checkpointFilesDir}`, error);
      return err({ message: problem.message, hint: 'name a folder that can be written with --checkpoint-files DIR' });
    }
  }
  return ok(new Journal(options));
}

/** What was written to a wave's file, to be compared with what is found there. */
export interface WrittenWave {
  readonly records: number;
  readonly failures: number;
  /** Where it begins in the file, and how long it is, in bytes. */
  readonly begin: number;
  readonly bytes: number;
  /** CRC-32 of those bytes. */
  readonly crc: number;
}

const NOTHING_WRITTEN: WrittenWave = { records: 0, failures: 0, begin: 0, bytes: 0, crc: 0 };

/** The file of a wave and what waits to be written to it. */
interface WaveFile {
  readonly path: string;
  readonly number: number;
  file: JournalFile | undefined;
  group: Uint8Array[];
  groupRecords: number;
  groupBytes: number;
  timerSet: boolean;
  /** When the last group was written or was on its way, by `performance.now()`. */
  groupAt: number;
  slow: boolean;
  /** Writes that are on their way. */
  writing: number;
  /** Bytes that were written since the last sync. */
  unsynced: number;
  syncTimerSet: boolean;
  /** Ends when everything handed over so far is written; never rejects. */
  written: Promise<void>;
}

/**
 * The append-only record of a run: one line for each finished subtask, one write for a group of them.
 *
 *     open ─→ recording ─→ closed
 *                 └─ a write, a sync or a count of bytes fails ─→ broken (stays so, and says why)
 *
 * After a failed sync nobody knows what is on the disk, so nothing is tried again. Records that come later are dropped:
 * what was not written is not done, and runs again on a resume.
 */
export class Journal {
  readonly #options: JournalOptions;
  readonly #disk: JournalDisk;
  readonly #timer: JournalTimer;
  readonly #waves = new Map<number, WaveFile>();
  readonly #written = new Map<number, WrittenWave>();
  readonly #open = new Set<JournalFile>();
  readonly #waiters: (() => void)[] = [];
  readonly #files: CheckpointFiles | undefined;
  #backlogBytes = 0;
  #problem: EnvironmentProblem | undefined;

  /** Use `openJournal`. */
  constructor(options: JournalOptions) {
    this.#options = options;
    this.#disk = options.disk ?? REAL_DISK;
    this.#timer = options.timer ?? REAL_TIMER;
    const { checkpointFilesDir: folder } = options;
    if (folder === undefined) return;
    this.#files = new CheckpointFiles({
      folder,
      disk: this.#disk,
      guard: (doing, step) => this.#guard(doing, step),
      onWritten: () => this.#wake(),
    });
  }

  /** Why the journal is broken; undefined while it is not. */
  get problem(): EnvironmentProblem | undefined {
    return this.#problem;
  }

  /** What was written for a wave so far; after `closeWave`, all of it is on the disk. */
  written(wave: number): WrittenWave {
    return this.#written.get(wave) ?? NOTHING_WRITTEN;
  }

  /** Takes a checkpoint; it is on its way to the file a few milliseconds later. Never throws for the disk's sake. */
  record(checkpoint: Checkpoint): void {
    const line = Buffer.from(toRecordLine(checkpoint));
    this.append(checkpoint.wave, [line], 1, checkpoint.status === 'failure' ? 1 : 0);
  }

  /** Takes `records` checkpoints of a wave that are lines already, in blocks of whole lines; so many of them are failures. */
  append(number: number, blocks: readonly Uint8Array[], records: number, failures = 0): void {
    if (this.#problem !== undefined) return;
    const wave = this.#wave(number);
    let bytes = 0;
    for (const block of blocks) {
      wave.group.push(block);
      bytes += block.length;
    }
    wave.groupRecords += records;
    wave.groupBytes += bytes;
    this.#backlogBytes += bytes;
    const before = this.written(number);
    this.#written.set(number, { ...before, records: before.records + records, failures: before.failures + failures });
    if (wave.groupBytes >= GROUP_BYTES || wave.groupRecords >= GROUP_RECORDS) {
      this.#handOver(wave);
    } else if (!wave.timerSet) {
      wave.timerSet = true;
      // What comes alone need not wait for others: a timer would wake the process once more.
      const sinceMs = performance.now() - wave.groupAt;
      this.#timer.after(sinceMs < GROUP_DELAY_MS ? GROUP_DELAY_MS : 0, () => {
        wave.timerSet = false;
        // Through the background, a small write would take two threads out of their sleep.
        if (wave.slow || wave.unsynced + wave.groupBytes >= SYNC_BYTES || !this.#writeNow(wave)) this.#handOver(wave);
      });
    }
    if (this.#files !== undefined) for (const checkpoint of parseCheckpoints(blocks)) this.#files.add(checkpoint);
  }

  /** Whether so much waits to be written that whoever makes records should stop: what waits is in memory. */
  get behind(): boolean {
    if (this.#problem !== undefined) return false;
    return this.#backlogBytes > BACKLOG_BYTES || (this.#files?.waiting ?? 0) > BACKLOG_FILES;
  }

  /** Resolves at once while the disk keeps up; else when the backlog is small again, or the journal broke. */
  async caughtUp(): Promise<void> {
    if (this.behind) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  /** Waits until every checkpoint of a wave so far is in its file; to the disk it goes with the next sync. */
  async flushWave(number: number): Promise<Result<void, EnvironmentProblem>> {
    const wave = this.#waves.get(number);
    if (wave !== undefined && !this.#writeNow(wave)) {
      this.#handOver(wave);
      await wave.written;
    }
    return this.#problem === undefined ? ok(undefined) : err(this.#problem);
  }

  /** How far each wave's file reaches by what was written to it, in bytes, by the wave's number. */
  get ends(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#written].map(([wave, { begin, bytes }]) => [String(wave), begin + bytes]));
  }

  /** Waits until every checkpoint of a wave is on the disk. The result is the problem, if the journal broke at any time. */
  async closeWave(number: number): Promise<Result<void, EnvironmentProblem>> {
    const wave = this.#waves.get(number);
    if (wave !== undefined) {
      // A record that comes from now on opens the file anew.
      this.#waves.delete(number);
      this.#handOver(wave);
      wave.written = wave.written.then(() => this.#guard(`sync ${wave.path}`, () => this.#syncAndClose(wave)));
      await wave.written;
    }
    await this.#files?.written();
    return this.#problem === undefined ? ok(undefined) : err(this.#problem);
  }

  /** Closes every wave that is still open. */
  async close(): Promise<Result<void, EnvironmentProblem>> {
    for (const number of [...this.#waves.keys()]) await this.closeWave(number);
    await this.#files?.written();
    return this.#problem === undefined ? ok(undefined) : err(this.#problem);
  }

  #wave(number: number): WaveFile {
    const known = this.#waves.get(number);
    if (known !== undefined) return known;
    const wave: WaveFile = {
      path: waveFile(this.#options.runDir, number),
      number,
      file: undefined,
      group: [],
      groupRecords: 0,
      groupBytes: 0,
      timerSet: false,
      groupAt: Number.NEGATIVE_INFINITY,
      slow: false,
      writing: 0,
      unsynced: 0,
      syncTimerSet: false,
      written: Promise.resolve(),
    };
    this.#waves.set(number, wave);
    return wave;
  }

  #handOver(wave: WaveFile): void {
    if (wave.group.length === 0) return;
    const bytes = Buffer.concat(wave.group);
    wave.group = [];
    wave.groupRecords = 0;
    wave.groupBytes = 0;
    wave.groupAt = performance.now();
    wave.writing += 1;
    wave.written = wave.written.then(async () => {
      await this.#guard(`write to ${wave.path}`, () => this.#append(wave, bytes));
      wave.writing -= 1;
      this.#backlogBytes -= bytes.length;
      this.#wake();
    });
  }

  /** false: other writes are on their way, or it takes more than one. */
  #writeNow(wave: WaveFile): boolean {
    const { file, group, groupBytes } = wave;
    if (file?.writeNow === undefined || wave.writing > 0 || groupBytes === 0 || groupBytes > WRITE_BYTES) return false;
    if (this.#problem !== undefined) return false;
    const bytes = Buffer.concat(group);
    const begun = performance.now();
    let count = 0;
    try {
      count = file.writeNow(bytes);
    } catch {
      // Whatever it is, the usual way meets it again.
    }
    wave.groupAt = performance.now();
    if (wave.groupAt - begun > SLOW_WRITE_MS) wave.slow = true;
    wave.unsynced += count;
    this.#took(wave, bytes.subarray(0, count));
    this.#backlogBytes -= count;
    wave.group = count === bytes.length ? [] : [bytes.subarray(count)];
    wave.groupBytes = bytes.length - count;
    if (count < bytes.length) return false;
    wave.groupRecords = 0;
    this.#syncLater(wave);
    return true;
  }

  #took(wave: WaveFile, bytes: Buffer): void {
    const before = this.written(wave.number);
    this.#written.set(wave.number, { ...before, bytes: before.bytes + bytes.length, crc: crc32(bytes, before.crc) });
  }

  async #append(wave: WaveFile, bytes: Buffer): Promise<void> {
    if (wave.file === undefined) {
      wave.file = await this.#disk.openAppend(wave.path);
      this.#open.add(wave.file);
      // A file that was closed and is opened again goes on where it was.
      const before = this.written(wave.number);
      if (before.bytes === 0) this.#written.set(wave.number, { ...before, begin: wave.file.begin ?? 0 });
      await this.#disk.syncFolder(this.#options.runDir);
    }
    for (let done = 0; done < bytes.length; ) {
      const count = await wave.file.write(bytes.subarray(done, done + WRITE_BYTES));
      // A short write on a full disk raises no error; the write of the rest does, or takes nothing.
      if (count === 0) throw Object.assign(new Error('nothing was written'), { code: 'ENOSPC' });
      done += count;
      wave.unsynced += count;
      if (wave.unsynced >= SYNC_BYTES) await this.#sync(wave, wave.file);
    }
    this.#took(wave, bytes);
    this.#syncLater(wave);
  }

  /** By a timer, not with the next group: that may come in an hour. */
  #syncLater(wave: WaveFile): void {
    if (wave.syncTimerSet || wave.unsynced === 0) return;
    wave.syncTimerSet = true;
    this.#timer.after(SYNC_INTERVAL_MS, () => {
      wave.syncTimerSet = false;
      if (wave.unsynced === 0) return;
      wave.written = wave.written.then(() =>
        this.#guard(`sync ${wave.path}`, async () => {
          if (wave.unsynced > 0 && wave.file !== undefined && this.#open.has(wave.file)) await this.#sync(wave, wave.file);
        }),
      );
    });
  }

  async #sync(wave: WaveFile, file: JournalFile): Promise<void> {
    await file.sync();
    wave.unsynced = 0;
  }

  async #syncAndClose(wave: WaveFile): Promise<void> {
    const { file } = wave;
    if (file === undefined) return;
    if (wave.unsynced > 0) await this.#sync(wave, file);
    this.#open.delete(file);
    await file.close();
  }

  /** Does one step on the disk unless the journal is broken; a failure breaks it. Never rejects. */
  async #guard(doing: string, step: () => Promise<void>): Promise<void> {
    if (this.#problem !== undefined) return this.#closeQuietly();
    try {
      await step();
    } catch (error) {
      this.#break(problemOf(doing, error));
      await this.#closeQuietly();
    }
  }

  #break(problem: EnvironmentProblem): void {
    // Two writers can fail at once; the first is the cause.
    if (this.#problem !== undefined) return;
    this.#problem = problem;
    this.#wake();
    this.#options.onBroken?.(problem);
  }

  async #closeQuietly(): Promise<void> {
    const files = [...this.#open];
    this.#open.clear();
    for (const file of files) await file.close().catch(() => undefined);
  }

  #wake(): void {
    if (this.behind) return;
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}

/** The file that holds a wave's checkpoints. */
export function waveFile(runDir: string, wave: number): string {
  return join(runDir, `wave${wave}.ndjson`);
}

/** A bug must not become an unhandled rejection in the middle of a run either: it breaks the journal and says so. */
function problemOf(doing: string, error: unknown): EnvironmentProblem {
  try {
    return systemProblem(doing, error);
  } catch {
    return {
      message: `Internal error: cannot ${doing}: ${String(error)}`,
      hint: 'report this; what was recorded before is kept',
    };
  }
}
