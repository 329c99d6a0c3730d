import { join } from 'node:path';
import type { Checkpoint } from '../model/checkpoint.js';
import { parseSubtaskId } from '../model/ids.js';
import type { JournalDisk } from './journal-disk.js';

/** Written at a time. */
const AT_A_TIME = 16;

/** Where checkpoint files go, and what is told of them. */
export interface CheckpointFilesOptions {
  readonly folder: string;
  readonly disk: Pick<JournalDisk, 'writeAtomic'>;
  /** Does one step on the disk; never rejects. */
  readonly guard: (doing: string, step: () => Promise<void>) => Promise<void>;
  /** Told after each. */
  readonly onWritten: () => void;
}

/** Writes each checkpoint as a file of its own (`--checkpoint-files`), a few at a time. */
export class CheckpointFiles {
  readonly #options: CheckpointFilesOptions;
  #queue: Checkpoint[] = [];
  #next = 0;
  #writers = 0;
  #idleWaiters: (() => void)[] = [];

  constructor(options: CheckpointFilesOptions) {
    this.#options = options;
  }

  /** Checkpoints that wait to be written. */
  get waiting(): number {
    return this.#queue.length - this.#next;
  }

  add(checkpoint: Checkpoint): void {
    this.#queue.push(checkpoint);
    if (this.#writers >= AT_A_TIME) return;
    this.#writers++;
    void this.#write();
  }

  /** Resolves when everything added so far is written. */
  async written(): Promise<void> {
    if (this.#writers > 0) await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
  }

  /** One of a few writers that empty the queue together. */
  async #write(): Promise<void> {
    const { folder, disk, guard, onWritten } = this.#options;
    for (let checkpoint = this.#take(); checkpoint !== undefined; checkpoint = this.#take()) {
      const path = join(folder, checkpointFileName(checkpoint));
      const text = `${JSON.stringify(checkpoint, null, 2)}\n`;
      await guard(`write the checkpoint file ${path}`, () => disk.writeAtomic(path, text));
      onWritten();
    }
    this.#writers--;
    if (this.#writers > 0) return;
    const waiters = this.#idleWaiters;
    this.#idleWaiters = [];
    for (const resolve of waiters) resolve();
  }

  #take(): Checkpoint | undefined {
    const next = this.#queue[this.#next];
    if (next !== undefined) this.#next++;
    if (this.#next >= 1024 || next === undefined) {
      this.#queue = this.#queue.slice(this.#next);
      this.#next = 0;
    }
    return next;
  }
}

/** `wave<N>_<task>_results.json`, and `wave<N>_<task>-<index>_results.json` in a fan-out. */
export function checkpointFileName(checkpoint: Pick<Checkpoint, 'wave' | 'task_id'>): string {
  const { task, index } = parseSubtaskId(checkpoint.task_id);
  const id = (index === undefined ? task : `${task}-${index}`).replace(/[^A-Za-z0-9._-]/g, '_');
  return `wave${checkpoint.wave}_${id}_results.json`;
}
