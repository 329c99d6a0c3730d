import { join } from 'node:path';
import { type Checkpoint, isCancelled, parseCheckpoints } from '../model/checkpoint.js';
import { toRecordLine } from '../model/record-line.js';
import { err, ok, type Result } from '../model/result.js';
import { makeFolders } from './atomic-file.js';
import { CheckpointFiles } from './checkpoint-files.js';
import { type JournalDisk, type JournalFile, type JournalTimer, REAL_DISK, REAL_TIMER } from './journal-disk.js';
import { type EnvironmentProblem, systemProblem } from './problem.js';
import { NOTHING_WRITTEN, WaveFile, type WaveFilePorts, type WrittenWave } from './wave-file.js';

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
  readonly #wavePorts: WaveFilePorts;
  readonly #waves = new Map<number, WaveFile>();
  readonly #open = new Set<JournalFile>();
  readonly #waiters: (() => void)[] = [];
  readonly #files: CheckpointFiles | undefined;
  #backlogBytes = 0;
  #problem: EnvironmentProblem | undefined;

  /** Use `openJournal`. */
  constructor(options: JournalOptions) {
    this.#options = options;
    const { disk = REAL_DISK, timer = REAL_TIMER, checkpointFilesDir: folder } = options;
    const guard: WaveFilePorts['guard'] = (doing, step) => this.#guard(doing, step);
    this.#wavePorts = {
      disk,
      timer,
      guard,
      isBroken: () => this.#problem !== undefined,
      open: this.#open,
      onGone: (bytes) => {
        this.#backlogBytes -= bytes;
        this.#wake();
      },
    };
    if (folder !== undefined) this.#files = new CheckpointFiles({ folder, disk, guard, onWritten: () => this.#wake() });
  }

  /** Why the journal is broken; undefined while it is not. */
  get problem(): EnvironmentProblem | undefined {
    return this.#problem;
  }

  /** What was written for a wave so far; after `closeWave`, all of it is on the disk. */
  written(wave: number): WrittenWave {
    return this.#waves.get(wave)?.written ?? NOTHING_WRITTEN;
  }

  /** Takes a checkpoint; it is on its way to the file a few milliseconds later. Never throws for the disk's sake. */
  record(checkpoint: Checkpoint): void {
    const line = Buffer.from(toRecordLine(checkpoint));
    // What was ended with its run is kept for people, and does not count.
    if (isCancelled(checkpoint)) this.append(checkpoint.wave, [line], 0);
    else this.append(checkpoint.wave, [line], 1, checkpoint.status === 'failure' ? 1 : 0);
  }

  /** Takes `records` checkpoints of a wave that are lines already, in blocks of whole lines; so many of them are failures. */
  append(number: number, blocks: readonly Uint8Array[], records: number, failures = 0): void {
    if (this.#problem !== undefined) return;
    const bytes = blocks.reduce((sum, block) => sum + block.length, 0);
    this.#backlogBytes += bytes;
    this.#wave(number).add(blocks, { bytes, records, failures });
    if (this.#files !== undefined) for (const checkpoint of parseCheckpoints(blocks)) this.#files.add(checkpoint);
  }

  /** Writes the checkpoint file of a record that is in the journal already, if there are such files. */
  recordAgain(checkpoint: Checkpoint): void {
    if (this.#problem === undefined) this.#files?.add(checkpoint);
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
    await this.#waves.get(number)?.flush();
    return this.#problem === undefined ? ok(undefined) : err(this.#problem);
  }

  /** How far each wave's file reaches by what was written to it, in bytes, by the wave's number. */
  get ends(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#waves].map(([wave, { written }]) => [String(wave), written.begin + written.bytes]));
  }

  /** Waits until every checkpoint of a wave is on the disk. The result is the problem, if the journal broke at any time. */
  async closeWave(number: number): Promise<Result<void, EnvironmentProblem>> {
    await this.#waves.get(number)?.close();
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
    const wave = new WaveFile(waveFile(this.#options.runDir, number), this.#wavePorts);
    this.#waves.set(number, wave);
    return wave;
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
