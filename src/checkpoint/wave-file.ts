import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import type { JournalDisk, JournalFile, JournalTimer } from './journal-disk.js';

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

/** Of a wave that has no file yet. */
export const NOTHING_WRITTEN: WrittenWave = { records: 0, failures: 0, begin: 0, bytes: 0, crc: 0 };

/** What a wave's file takes from its journal. */
export interface WaveFilePorts {
  readonly disk: JournalDisk;
  readonly timer: JournalTimer;
  /** Does one step on the disk unless the journal is broken; a failure breaks it. Never rejects. */
  readonly guard: (doing: string, step: () => Promise<void>) => Promise<void>;
  readonly isBroken: () => boolean;
  /** The files that are open, of all waves: a journal that breaks closes them. */
  readonly open: Set<JournalFile>;
  /** So many bytes wait no longer, whatever came of them. */
  readonly onGone: (bytes: number) => void;
}

/** The file of one wave: gathers records in groups, writes these one after the other, and syncs what was written. */
export class WaveFile {
  readonly #path: string;
  readonly #ports: WaveFilePorts;
  #file: JournalFile | undefined;
  #closed = false;
  #group: Uint8Array[] = [];
  #groupRecords = 0;
  #groupBytes = 0;
  #timerSet = false;
  /** When the last group was written or was on its way, by `performance.now()`. */
  #groupAt = Number.NEGATIVE_INFINITY;
  #slow = false;
  /** Writes that are on their way. */
  #writing = 0;
  /** Bytes that were written since the last sync. */
  #unsynced = 0;
  #syncTimerSet = false;
  #written = NOTHING_WRITTEN;
  /** Ends when everything handed over so far is written; never rejects. */
  #done: Promise<void> = Promise.resolve();

  constructor(path: string, ports: WaveFilePorts) {
    this.#path = path;
    this.#ports = ports;
  }

  /** What was written so far; after `close`, all of it is on the disk. */
  get written(): WrittenWave {
    return this.#written;
  }

  /** Takes records that are lines already, in blocks of whole lines of so many bytes in all; so many of them are failures. */
  add(blocks: readonly Uint8Array[], { bytes, records, failures }: Pick<WrittenWave, 'bytes' | 'records' | 'failures'>): void {
    const { written } = this;
    this.#closed = false;
    for (const block of blocks) this.#group.push(block);
    this.#groupRecords += records;
    this.#groupBytes += bytes;
    this.#written = { ...written, records: written.records + records, failures: written.failures + failures };
    if (this.#groupBytes >= GROUP_BYTES || this.#groupRecords >= GROUP_RECORDS) this.#handOver();
    else this.#writeSoon();
  }

  /** Resolves when all records are in the file; to the disk they go with the next sync. */
  async flush(): Promise<void> {
    if (this.#writeNow()) return;
    this.#handOver();
    await this.#done;
  }

  /** Resolves when all records are on the disk, and the file is closed: a record that comes later opens it anew. */
  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#handOver();
      this.#done = this.#done.then(() => this.#ports.guard(`sync ${this.#path}`, () => this.#syncAndClose()));
    }
    await this.#done;
  }

  #writeSoon(): void {
    if (this.#timerSet) return;
    this.#timerSet = true;
    // What comes alone need not wait for others: a timer would wake the process once more.
    const sinceMs = performance.now() - this.#groupAt;
    this.#ports.timer.after(sinceMs < GROUP_DELAY_MS ? GROUP_DELAY_MS : 0, () => {
      this.#timerSet = false;
      // Through the background, a small write would take two threads out of their sleep.
      if (this.#slow || this.#unsynced + this.#groupBytes >= SYNC_BYTES || !this.#writeNow()) this.#handOver();
    });
  }

  #handOver(): void {
    if (this.#group.length === 0) return;
    const bytes = Buffer.concat(this.#group);
    this.#group = [];
    this.#groupRecords = 0;
    this.#groupBytes = 0;
    this.#groupAt = performance.now();
    this.#writing += 1;
    this.#done = this.#done.then(async () => {
      await this.#ports.guard(`write to ${this.#path}`, () => this.#write(bytes));
      this.#writing -= 1;
      this.#ports.onGone(bytes.length);
    });
  }

  /** false: other writes are on their way, or it takes more than one. */
  #writeNow(): boolean {
    const file = this.#file;
    if (file?.writeNow === undefined || this.#writing > 0 || this.#groupBytes === 0) return false;
    if (this.#groupBytes > WRITE_BYTES || this.#ports.isBroken()) return false;
    const bytes = Buffer.concat(this.#group);
    const begun = performance.now();
    let count = 0;
    try {
      count = file.writeNow(bytes);
    } catch {
      // Whatever it is, the usual way meets it again.
    }
    this.#groupAt = performance.now();
    if (this.#groupAt - begun > SLOW_WRITE_MS) this.#slow = true;
    this.#unsynced += count;
    this.#took(bytes.subarray(0, count));
    this.#group = count === bytes.length ? [] : [bytes.subarray(count)];
    this.#groupBytes = bytes.length - count;
    this.#ports.onGone(count);
    if (count < bytes.length) return false;
    this.#groupRecords = 0;
    this.#syncLater();
    return true;
  }

  async #write(bytes: Buffer): Promise<void> {
    const file = this.#file ?? (await this.#opened());
    for (let done = 0; done < bytes.length; ) {
      const count = await file.write(bytes.subarray(done, done + WRITE_BYTES));
      // A short write on a full disk raises no error; the write of the rest does, or takes nothing.
      if (count === 0) throw Object.assign(new Error('nothing was written'), { code: 'ENOSPC' });
      done += count;
      this.#unsynced += count;
      if (this.#unsynced >= SYNC_BYTES) await this.#sync(file);
    }
    this.#took(bytes);
    this.#syncLater();
  }

  async #opened(): Promise<JournalFile> {
    const { disk, open } = this.#ports;
    const file = await disk.openAppend(this.#path);
    this.#file = file;
    open.add(file);
    // A file that was closed and is opened again goes on where it was.
    if (this.#written.bytes === 0) this.#written = { ...this.#written, begin: file.begin ?? 0 };
    await disk.syncFolder(dirname(this.#path));
    return file;
  }

  #took(bytes: Buffer): void {
    const { written } = this;
    this.#written = { ...written, bytes: written.bytes + bytes.length, crc: crc32(bytes, written.crc) };
  }

  /** By a timer, not with the next group: that may come in an hour. */
  #syncLater(): void {
    if (this.#syncTimerSet || this.#unsynced === 0) return;
    this.#syncTimerSet = true;
    this.#ports.timer.after(SYNC_INTERVAL_MS, () => {
      this.#syncTimerSet = false;
      if (this.#unsynced === 0) return;
      this.#done = this.#done.then(() =>
        this.#ports.guard(`sync ${this.#path}`, async () => {
          if (this.#unsynced > 0 && this.#file !== undefined) await this.#sync(this.#file);
        }),
      );
    });
  }

  async #sync(file: JournalFile): Promise<void> {
    const covered = this.#unsynced;
    await file.sync();
    // What was written meanwhile may not be on the disk.
    this.#unsynced -= covered;
    this.#syncLater();
  }

  async #syncAndClose(): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    while (this.#unsynced > 0) await this.#sync(file);
    this.#file = undefined;
    this.#ports.open.delete(file);
    await file.close();
  }
}
