import type { RunEvent } from '../../model/run-event.js';
import { statusOf } from './changes.js';

/** Of thousands of changed files, the number whose times are read. */
const MOST_FILES = 100;

/** When a round and its work ran, and when files changed meanwhile; in milliseconds since the epoch. */
export class RoundTimes {
  #from = 0;
  #to = 0;
  /** When the last subtask ended. */
  #workedTo = 0;
  #isRunning = false;
  readonly #changedAt = new Map<string, number>();

  begin(): void {
    this.#from = Date.now();
    this.#workedTo = 0;
    this.#changedAt.clear();
  }

  /** Work begins; twice in a round that could not go on with the run that there was. */
  work(): void {
    this.#isRunning = true;
  }

  take(event: RunEvent): void {
    if (event.type === 'subtasks-finished') this.#workedTo = Date.now();
    if (event.type !== 'subtask-finished' || event.resumed !== undefined) return;
    const { started, duration_ms } = event.checkpoint;
    this.#workedTo = Math.max(this.#workedTo, started + duration_ms);
  }

  /** What was cut short worked until now. */
  end(isCutShort: boolean): void {
    this.#to = Date.now();
    if (isCutShort) this.#workedTo = this.#to;
    this.#isRunning = false;
  }

  get tookMs(): number {
    return this.#to - this.#from;
  }

  /** Those of the files that changed while the round's work ran, as far as that is known now. */
  own(files: readonly string[]): ReadonlySet<string> {
    const own = new Set<string>();
    for (const file of files.slice(0, MOST_FILES)) {
      const status = statusOf(file);
      const at = status === undefined ? Date.now() : Math.max(status.mtimeMs, status.ctimeMs);
      if (this.#isRunning) this.#changedAt.set(file, at);
      if (at >= this.#from && (this.#isRunning || at <= this.#workedTo)) own.add(file);
    }
    return own;
  }

  /** Whether a file of which `own` was asked changed while the round's work ran; known when the round is over. */
  isOwn(file: string): boolean {
    return (this.#changedAt.get(file) ?? 0) <= this.#workedTo;
  }
}
