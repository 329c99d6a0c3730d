import { appendFileSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Checkpoint } from '../model/checkpoint.js';
import type { KnownFile } from './fingerprint-files.js';
import type { FingerprintParts } from './fingerprint-parts.js';

/** What a subtask was when it last succeeded. */
export interface KeptSubtask {
  readonly parts: FingerprintParts;
  /** Its output files as it left them, by path. */
  readonly outputs: Readonly<Record<string, string>>;
  readonly checkpoint: Checkpoint;
}

type Line = { readonly file: string; readonly is: KnownFile } | { readonly subtask: string; readonly is: KeptSubtask | null };

/** Its name in the state folder. */
export const UP_TO_DATE_FILE = 'up-to-date.ndjson';

const FORMAT = 'waveplan-index-1';

/**
 * The index of what is up to date: a log in the state folder of which the last line about a thing counts. A damaged line is
 * passed over: what it told of runs again, which is always right. Belongs to whoever holds the state folder's lock.
 */
export class FingerprintIndex {
  readonly files = new Map<string, KnownFile>();
  readonly subtasks = new Map<string, KeptSubtask>();
  readonly #path: string;
  #lines = 0;
  #bytes = 0;
  #waiting: string[] = [];

  private constructor(path: string) {
    this.#path = path;
  }

  /** Reads the index; an unreadable one is empty. With `make`, one with much that counts no more is written anew; throws the system's error then. */
  static open(stateDir: string, options: { readonly make: boolean }): FingerprintIndex {
    const index = new FingerprintIndex(join(stateDir, UP_TO_DATE_FILE));
    index.#load();
    if (options.make && index.#lines > 2 * (index.files.size + index.subtasks.size) + SPARE_LINES) index.#compact();
    return index;
  }

  setFile(path: string, is: KnownFile): void {
    this.files.set(path, is);
    this.#add({ file: path, is });
  }

  set(subtask: string, is: KeptSubtask): void {
    this.subtasks.set(subtask, is);
    this.#add({ subtask, is });
  }

  /** Forgets a subtask. `flush` must follow before it is begun. */
  drop(subtask: string): void {
    if (this.subtasks.delete(subtask)) this.#add({ subtask, is: null });
  }

  /** Whether its file still is as it was left. */
  isCurrent(): boolean {
    return this.#waiting.length === 0 && this.#bytes === sizeOf(this.#path);
  }

  /** Writes what is new. Throws the system's error. */
  flush(): void {
    if (this.#waiting.length === 0) return;
    const text = `${this.#waiting.join('\n')}\n`;
    this.#lines += this.#waiting.length;
    this.#waiting = [];
    appendFileSync(this.#path, text);
    this.#bytes += Buffer.byteLength(text);
  }

  #add(line: Line): void {
    this.#waiting.push(JSON.stringify(line));
    if (this.#waiting.length >= MOST_WAITING) this.flush();
  }

  #load(): void {
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch {
      this.#waiting.push(JSON.stringify(FORMAT));
      return;
    }
    this.#bytes = Buffer.byteLength(text);
    const lines = text.split('\n');
    // A run that was killed may have left half a line, to which nothing may be joined.
    if (!text.endsWith('\n')) this.#waiting.push('');
    if (lines[0] !== JSON.stringify(FORMAT)) {
      // Of another version, or not ours: nothing of it counts, and the next compaction replaces it.
      this.#lines = Number.POSITIVE_INFINITY;
      return;
    }
    for (const line of lines.slice(1)) this.#read(line);
    this.#lines = lines.length;
  }

  #read(text: string): void {
    let line: Line;
    try {
      line = JSON.parse(text) as Line;
    } catch {
      return;
    }
    if (typeof line !== 'object' || line === null) return;
    if ('file' in line) this.files.set(line.file, line.is);
    else if (line.is === null) this.subtasks.delete(line.subtask);
    else this.subtasks.set(line.subtask, line.is);
  }

  #compact(): void {
    const lines = [
      JSON.stringify(FORMAT),
      ...[...this.files].map(([file, is]) => JSON.stringify({ file, is })),
      ...[...this.subtasks].map(([subtask, is]) => JSON.stringify({ subtask, is })),
      '',
    ];
    const temporary = join(dirname(this.#path), `.${UP_TO_DATE_FILE}.tmp`);
    writeFileSync(temporary, lines.join('\n'));
    renameSync(temporary, this.#path);
    this.#lines = lines.length - 1;
    this.#bytes = sizeOf(this.#path);
    this.#waiting = [];
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

const SPARE_LINES = 1000;
const MOST_WAITING = 1000;
