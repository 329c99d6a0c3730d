import { displayText } from '../data/text.js';
import { Attribution } from './attribution.js';
import { describeError, stackOf } from './module.js';
import { Tail } from './tail.js';

/** Bytes of a subtask's log that are kept. */
export const LOG_BYTES = 64 * 1024;

const subtasks = new Attribution<SubtaskLog>();

/** The subtask whose code runs now; undefined where it is no subtask's, or not known. */
export function subtaskOf(): SubtaskLog | undefined {
  return subtasks.owner;
}

/** An error that nobody caught. In an object, because a promise takes anything that has a `then` for a promise. */
interface Stray {
  readonly reason: unknown;
}

/** What one subtask says: by `context.log`, or by the console. */
export class SubtaskLog {
  readonly subtask: string;
  #tail: Tail | undefined;
  #closed = false;
  /** What went wrong before anybody waited for it. */
  #early: Stray | undefined;
  #fail: ((stray: Stray) => void) | undefined;

  constructor(subtask: string) {
    this.subtask = subtask;
  }

  /** Resolves with what went wrong beside the subtask's own promise, if anything did while it ran. */
  stray(): Promise<Stray> {
    return new Promise((resolve) => {
      this.#fail = resolve;
      if (this.#early !== undefined) resolve(this.#early);
    });
  }

  /** The subtask is over: what goes wrong from now on is no longer its outcome. */
  close(): void {
    this.#closed = true;
    subtasks.release(this);
  }

  /** Tells the subtask of an error that nobody caught; false when it is over. */
  fail(reason: unknown): boolean {
    if (this.#closed) return false;
    if (this.#fail === undefined) this.#early ??= { reason };
    else this.#fail({ reason });
    return true;
  }

  write(text: string): void {
    this.#tail ??= new Tail(LOG_BYTES);
    this.#tail.push(Buffer.from(text));
  }

  /** Everything written so far, bounded; empty when nothing was. */
  text(): string {
    return this.#tail?.text() ?? '';
  }

  /** Runs `work` so that whatever it writes to the console, also later and asynchronously, lands in this log, until `close`. */
  attribute<Value>(work: () => Value): Value {
    return subtasks.follow(this, work);
  }

  /**
   * The same for what is over when it returns, at a smaller cost; `goesOn` must follow where it was not. What it leaves behind is
   * known to be of such a call, and not of which.
   */
  attributeCall<Value>(work: () => Value): Value {
    return subtasks.call(this, work);
  }

  /** What was called returned a promise. */
  goesOn(): void {
    subtasks.goesOn(this);
  }
}

/**
 * Keeps an error that nobody caught, such as a promise that is rejected later, from ending this thread and all that it
 * hosts. It fails the subtask that it comes from; where that is over, or not known, `report` is told.
 */
export function catchStrays(report: (message: string) => void): void {
  const handle = (reason: unknown) => {
    const log = subtasks.owner;
    if (log?.fail(reason) === true) return;
    const { lastCalled } = subtasks;
    const whose = log?.subtask ?? (lastCalled === undefined ? 'a module' : `${lastCalled.subtask}, or one before it,`);
    const { stack } = stackOf(reason);
    report(`${whose} left an error behind that nobody caught: ${stack ?? describeError(reason)}`);
  };
  process.on('unhandledRejection', handle).on('uncaughtException', handle);
}

/**
 * Sends what subtasks write to this thread's standard streams to their logs; it would tear the live view and the events
 * of `--json`. What nobody's subtask writes is dropped in a thread of its own; in the coordinator's it passes.
 */
export function captureConsole(unattributed: 'drop' | 'pass'): void {
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
    stream.write = (chunk: string | Uint8Array, ...rest: unknown[]) => {
      const log = subtasks.owner;
      if (log === undefined && unattributed === 'pass') return write(chunk, ...rest);
      log?.write(typeof chunk === 'string' ? chunk : displayText(Buffer.from(chunk)));
      const done = rest.find((argument) => typeof argument === 'function');
      if (typeof done === 'function') queueMicrotask(() => done());
      return true;
    };
  }
}
