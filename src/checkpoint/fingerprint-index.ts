import { renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { appendSync, readRegularSync } from '../data/files.js';
import { displayText } from '../data/text.js';
import type { KnownFile } from './fingerprint-files.js';
import { LateTexts } from './late-texts.js';
import { jsonOf } from './state-file.js';

/** Its name in the state folder. */
export const UP_TO_DATE_FILE = 'up-to-date.ndjson';

/**
 * The index of what is up to date: a log in the state folder of which the last line about a thing counts. Belongs to whoever
 * holds the state folder's lock.
 *
 *     "waveplan-index-2"
 *     F [path, size, mtime, ctime, inode, hash, path, …]     files
 *     S id ⇥ kept                                            a subtask that succeeded (`kept-subtask.ts`)
 *     D id                                                   one that counts no more
 *     # crc                                                  ends what was written in one go, with the CRC-32 of it
 *
 * A tree of 100,000 files is read in a fraction of a second: files are lists of plain values, and the line of a subtask stays
 * bytes until it is asked for. What is damaged, or was not written to its end, is passed over. It may have told that subtasks count no more, so
 * that none counts of which a line before it told: they run again, which is always right.
 */
export class FingerprintIndex {
  readonly files = new Map<string, KnownFile>();
  readonly subtasks = new LateTexts();
  readonly #path: string;
  #lines = 0;
  #bytes = 0;
  #newFiles = new Map<string, KnownFile>();
  #waiting: string[] = [];
  #begin = '';

  private constructor(path: string) {
    this.#path = path;
  }

  /** Reads the index; an unreadable one is empty. With `make`, one with much that counts no more is written anew; throws the system's error then. */
  static open(stateDir: string, options: { readonly make: boolean }): FingerprintIndex {
    const index = new FingerprintIndex(join(stateDir, UP_TO_DATE_FILE));
    index.#load();
    if (options.make && index.#lines > 2 * (index.files.size / FILES_A_LINE + index.subtasks.size) + SPARE_LINES)
      index.#compact();
    return index;
  }

  setFile(path: string, is: KnownFile): void {
    this.files.set(path, is);
    this.#newFiles.set(path, is);
    if (this.#newFiles.size >= MOST_WAITING) this.flush();
  }

  set(subtask: string, kept: string): void {
    this.subtasks.set(subtask, kept);
    this.#add(`S ${subtask}\t${kept}`);
  }

  /** Forgets a subtask. `flush` must follow before it is begun. */
  drop(subtask: string): void {
    if (this.subtasks.delete(subtask)) this.#add(`D ${subtask}`);
  }

  /** Whether its file still is as it was left. */
  isCurrent(): boolean {
    return this.#waiting.length === 0 && this.#newFiles.size === 0 && this.#bytes === sizeOf(this.#path);
  }

  /** Writes what is new. Throws the system's error. */
  flush(): void {
    if (this.#waiting.length === 0 && this.#newFiles.size === 0) return;
    const lines = [...fileLines(this.#newFiles), ...this.#waiting];
    const text = this.#begin + blockText(lines);
    this.#begin = '';
    this.#waiting = [];
    this.#newFiles = new Map();
    this.#lines += lines.length + 1;
    appendSync(this.#path, text);
    this.#bytes += Buffer.byteLength(text);
  }

  #add(line: string): void {
    this.#waiting.push(line);
    if (this.#waiting.length >= MOST_WAITING) this.flush();
  }

  #load(): void {
    let bytes: Buffer;
    try {
      bytes = readRegularSync(this.#path, MAX_BYTES);
    } catch {
      this.#begin = HEADER;
      return;
    }
    this.#bytes = bytes.length;
    this.subtasks.from(bytes);
    if (bytes.toString('latin1', 0, HEADER.length) !== HEADER) {
      // Of another version, or not ours: nothing of it counts, and the next compaction replaces it.
      this.#lines = Number.POSITIVE_INFINITY;
      return;
    }
    for (let begin = HEADER.length; begin < bytes.length; ) {
      const end = bytes.indexOf('\n# ', begin - 1, 'latin1') + 1;
      const next = end === 0 ? bytes.length : end + CLOSING_BYTES;
      const block = bytes.subarray(begin, end);
      if (end > 0 && bytes.toString('latin1', end, next) === closing(block)) this.#read(bytes, begin, end);
      else this.subtasks.clear();
      // A run that was killed may have left a part of a block, to which nothing may be joined.
      if (next >= bytes.length && bytes.at(-1) !== NEW_LINE) this.#begin = '\n# \n';
      else if (end === 0) this.#begin = '# \n';
      // Whatever is wrong with a closing line, the next block begins after it.
      begin = end === 0 ? bytes.length : bytes.indexOf(NEW_LINE, end) + 1 || bytes.length;
    }
  }

  /** Reads the lines of a block. */
  #read(bytes: Buffer, from: number, to: number): void {
    for (let begin = from; begin < to; ) {
      const end = bytes.indexOf(NEW_LINE, begin);
      const at = begin + 2;
      switch (bytes[begin]) {
        case SUBTASK: {
          const tab = bytes.indexOf(TAB, at);
          this.subtasks.setAt(displayText(bytes, at, tab), tab + 1);
          break;
        }
        case DROPPED:
          this.subtasks.delete(displayText(bytes, at, end));
          break;
        case FILES:
          this.#readFiles((jsonOf(displayText(bytes, at, end)) ?? []) as readonly (string | number)[]);
          break;
      }
      this.#lines += 1;
      begin = end + 1;
    }
    this.#lines += 1;
  }

  #readFiles(values: readonly (string | number)[]): void {
    for (let i = 0; i + 5 < values.length; i += 6) {
      const known = [values[i + 1], values[i + 2], values[i + 3], values[i + 4], values[i + 5]];
      this.files.set(values[i] as string, known as unknown as KnownFile);
    }
  }

  #compact(): void {
    const lines = [...fileLines(this.files), ...[...this.subtasks].map(([subtask, kept]) => `S ${subtask}\t${kept}`)];
    const text = HEADER + (lines.length === 0 ? '' : blockText(lines));
    const temporary = join(dirname(this.#path), `.${UP_TO_DATE_FILE}.tmp`);
    writeFileSync(temporary, text);
    renameSync(temporary, this.#path);
    this.#lines = lines.length + 1;
    this.#bytes = Buffer.byteLength(text);
    this.#begin = '';
    this.#waiting = [];
    this.#newFiles = new Map();
  }
}

function* fileLines(files: ReadonlyMap<string, KnownFile>): Generator<string, void, undefined> {
  let values: (string | number)[] = [];
  for (const [path, known] of files) {
    values.push(path, ...known);
    if (values.length < 6 * FILES_A_LINE) continue;
    yield `F ${JSON.stringify(values)}`;
    values = [];
  }
  if (values.length > 0) yield `F ${JSON.stringify(values)}`;
}

function blockText(lines: readonly string[]): string {
  const block = `${lines.join('\n')}\n`;
  return block + closing(block);
}

function closing(block: string | Buffer): string {
  return `# ${crc32(block).toString(16).padStart(8, '0')}\n`;
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** A larger index is not one of ours; it would hold ten million subtasks. */
const MAX_BYTES = 2 ** 31 - 1;
const HEADER = '"waveplan-index-2"\n';
const NEW_LINE = 10;
const TAB = 9;
/** How lines begin: S, D, F. */
const [SUBTASK, DROPPED, FILES] = [0x53, 0x44, 0x46];
const CLOSING_BYTES = 11;
const FILES_A_LINE = 1000;
const SPARE_LINES = 1000;
const MOST_WAITING = 1000;
