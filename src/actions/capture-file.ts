import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tail } from './tail.js';

/** A file that has grown to this size is emptied when its content was read. */
const REUSE_BYTES = 1024 * 1024;
/** A running command's output on the disk is cut back to nothing when it is larger; what is kept of it is in memory. */
export const MOST_OUTPUT_BYTES = 64 * 1024 * 1024;

/**
 * Where the commands of a launcher write, one after the other: a file that has no name, so that nothing of it is left when
 * the process is killed. Files and not pipes, because a command then never waits for its reader.
 */
export class CaptureFile {
  readonly fd: number;
  /** Where the output of the present command begins. */
  #begin = 0;

  /** Throws the system's error where no file can be made. */
  constructor() {
    const path = join(tmpdir(), `waveplan-${process.pid}-${randomBytes(8).toString('hex')}`);
    this.fd = openSync(path, 'ax+', 0o600);
    unlinkSync(path);
  }

  /** Keeps the file within its bound while a command runs; its end so far goes to `tail`. */
  bound(tail: Tail): void {
    if (fstatSync(this.fd).size - this.#begin <= MOST_OUTPUT_BYTES) return;
    this.#take(tail);
    // What the command wrote between the look at the size and the cut went with it, uncounted: nothing tells how much that was.
    tail.lose();
  }

  /** Reads what the command wrote, of which `tail` keeps the end, and is ready for the next command. */
  read(tail: Tail): void {
    const { size } = fstatSync(this.fd);
    if (size === this.#begin) return;
    if (size > REUSE_BYTES) {
      this.#take(tail);
      return;
    }
    this.#readTo(tail, size);
    this.#begin = size;
  }

  close(): void {
    closeSync(this.fd);
  }

  #take(tail: Tail): void {
    this.#readTo(tail, fstatSync(this.fd).size);
    // Whoever writes appends, so it goes on at the new end.
    ftruncateSync(this.fd, 0);
    this.#begin = 0;
  }

  #readTo(tail: Tail, end: number): void {
    const wanted = Math.min(end - this.#begin, tail.limit);
    tail.skip(end - this.#begin - wanted);
    for (let position = end - wanted; position < end; ) {
      const chunk = Buffer.allocUnsafe(Math.min(end - position, 1024 * 1024));
      const count = readSync(this.fd, chunk, 0, chunk.length, position);
      if (count === 0) break;
      tail.push(chunk.subarray(0, count));
      position += count;
    }
  }
}
