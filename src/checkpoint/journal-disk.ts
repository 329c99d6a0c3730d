import { writeSync } from 'node:fs';
import { openToAppend } from '../data/files.js';
import { syncFolder, writeFileAtomic } from './atomic-file.js';

/** A file that grows. `write` says how many bytes it took: on a full disk that can be fewer than given, with no error. */
export interface JournalFile {
  /** Bytes that it held when it was opened; none where absent. */
  readonly begin?: number;
  write(bytes: Buffer): Promise<number>;
  /** The same at once: for a few bytes that somebody waits for, while other work is queued before those that `write` makes. */
  writeNow?(bytes: Buffer): number;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** The disk, as the journal uses it. */
export interface JournalDisk {
  openAppend(path: string): Promise<JournalFile>;
  writeAtomic(path: string, text: string): Promise<void>;
  syncFolder(path: string): Promise<void>;
}

/** Time, as the journal uses it. After 0 milliseconds is after all that happens in this turn. */
export interface JournalTimer {
  after(milliseconds: number, call: () => void): void;
}

export const REAL_DISK: JournalDisk = {
  async openAppend(path) {
    const handle = await openToAppend(path);
    return {
      begin: (await handle.stat()).size,
      write: async (bytes) => (await handle.write(bytes, 0, bytes.length)).bytesWritten,
      writeNow: (bytes) => writeSync(handle.fd, bytes),
      sync: () => handle.datasync(),
      close: () => handle.close(),
    };
  },
  writeAtomic: (path, text) => writeFileAtomic(path, text, { sync: false }),
  syncFolder,
};

export const REAL_TIMER: JournalTimer = {
  after: (milliseconds, call) => {
    // What is due later must not keep a command alive that is done: `close` writes and syncs it at once.
    if (milliseconds === 0) setImmediate(call).unref();
    else setTimeout(call, milliseconds).unref();
  },
};
