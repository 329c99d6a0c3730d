import { saveLog } from '../checkpoint/run-store.js';

/** Logs that are written at a time. */
const AT_A_TIME = 8;
/** Logs that may wait to be written before whoever makes them should stop. */
const BACKLOG = 1024;

/**
 * Writes what subtasks said into the run's `logs/`, a few at a time. Logs are a help for people, not a record:
 * one that cannot be written does not stop the run.
 */
export class SubtaskLogs {
  readonly #runDir: string;
  readonly #waiting: { readonly subtask: string; readonly log: string }[] = [];
  readonly #writers = new Set<Promise<void>>();
  readonly #waiters: (() => void)[] = [];

  constructor(runDir: string) {
    this.#runDir = runDir;
  }

  save(subtask: string, log: string): void {
    this.#waiting.push({ subtask, log });
    if (this.#writers.size >= AT_A_TIME) return;
    const writer = this.#write().finally(() => this.#writers.delete(writer));
    this.#writers.add(writer);
  }

  /** Whether so many wait to be written that no more should be made. */
  get behind(): boolean {
    return this.#waiting.length > BACKLOG;
  }

  /** Resolves when it is behind no more. */
  async caughtUp(): Promise<void> {
    if (this.behind) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  /** Resolves when everything saved so far is written. */
  async settled(): Promise<void> {
    await Promise.all(this.#writers);
  }

  async #write(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      await saveLog(this.#runDir, next.subtask, next.log);
      if (!this.behind) for (const resolve of this.#waiters.splice(0)) resolve();
    }
  }
}
