import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Tail } from './tail.js';

/** The most that a pipe can hold; whatever comes after it was written by a process that goes on writing. */
const MOST_IN_PIPE = 1024 * 1024;

/** Of all pipes of the thread: what is read is copied before the next read. */
const buffer = Buffer.allocUnsafe(64 * 1024);

/**
 * The pipe that commands write one of their streams to, one command after the other. It has no name in any folder. Every
 * command opens it for itself, so that it is at its end as soon as no process of the command holds it any more, and a
 * command can open `/dev/stdout` as well: that is not so for a socket, which Node would make, or a file, which it would empty.
 */
export class OutputPipe {
  readonly #fd: number;
  /** Where a process of the same user opens it for writing. */
  readonly path: string;
  #follower: Socket | undefined;

  /** @param fd a pipe, open for reading without waiting. */
  private constructor(fd: number) {
    this.#fd = fd;
    this.path = `/proc/${process.pid}/fd/${fd}`;
  }

  /**
   * Opens the pipe that another process has as a descriptor, and empties it. `undefined` where it is no pipe. Throws the
   * system's error.
   */
  static ofProcess(pid: number, descriptor: number): OutputPipe | undefined {
    const fd = openForReading(`/proc/${pid}/fd/${descriptor}`);
    if (!fstatSync(fd).isFIFO()) {
      closeSync(fd);
      return undefined;
    }
    readNow(fd);
    return new OutputPipe(fd);
  }

  /** Gives `tail` what is in the pipe. Returns whether it is at its end: no process has it open for writing. */
  drain(tail: Tail): boolean {
    for (let taken = 0; taken < MOST_IN_PIPE; ) {
      const count = readNow(this.#fd);
      if (count === 0) return true;
      if (count === undefined) return false;
      tail.push(buffer.subarray(0, count));
      taken += count;
    }
    return false;
  }

  /**
   * Gives `tail` what is written from now on, as it comes, until `unfollow`. False where there is no descriptor for that:
   * then it has what was written so far.
   */
  follow(tail: Tail): boolean {
    if (this.#follower !== undefined) return true;
    let fd: number;
    try {
      fd = openForReading(this.path);
    } catch {
      this.drain(tail);
      return false;
    }
    const onread = {
      buffer,
      callback: (count: number) => {
        tail.push(buffer.subarray(0, count));
        return true;
      },
    };
    // Not in the types for a descriptor; it saves a buffer for each read.
    const options: ConstructorParameters<typeof Socket>[0] & { readonly onread: typeof onread } = {
      fd,
      readable: true,
      writable: false,
      onread,
    };
    this.#follower = new Socket(options).on('error', () => {});
    return true;
  }

  unfollow(): void {
    this.#follower?.destroy();
    this.#follower = undefined;
  }

  /** A process that still writes to it gets SIGPIPE from then on. */
  close(): void {
    this.unfollow();
    closeSync(this.#fd);
  }
}

function openForReading(path: string): number {
  return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
}

/** The number of bytes now in the buffer: 0 at the end, undefined where there is nothing yet. */
function readNow(fd: number): number | undefined {
  const { stackTraceLimit } = Error;
  // The stack is most of what an error costs, and here it is an answer.
  Error.stackTraceLimit = 0;
  try {
    return readSync(fd, buffer);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return undefined;
    throw error;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
