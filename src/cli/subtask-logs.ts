import { saveLog } from '../checkpoint/run-store.js';

/** Logs that are written at a time. */
const AT_A_TIME = 8;

/**
 * Writes what subtasks said into the run's `logs/`, a few at a time. Logs are a help for people, not a record:
 * one that cannot be written does not stop the run.
 */
export class SubtaskLogs {
  readonly #runDir: string;
  readonly #waiting: { readonly subtask: string; readonly log: string }[] = [];
  readonly #writers = new Set<Promise<void>>();

  constructor(runDir: string) {
    this.#runDir = runDir;
  }

  save(subtask: string, log: string): void {
    this.#waiting.push({ subtask, log });
    if (this.#writers.size >= AT_A_TIME) return;
    const writer = this.#write().finally(() => this.#writers.delete(writer));
    this.#writers.add(writer);
  }

  /** Resolves when everything saved so far is written. */
  async settled(): Promise<void> {
    await Promise.all(this.#writers);
  }

  async #write(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      await saveLog(this.#runDir, next.subtask, next.log);
    }
  }
}
