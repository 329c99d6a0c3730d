import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { openToAppend } from '../data/files.js';
import { err, ok, type Result } from '../model/result.js';
import type { RunEvent } from '../model/run-event.js';
import { type EnvironmentProblem, systemProblem } from './problem.js';

/** What happened in a run beside its checkpoints, one event a line. With the wave files, a report can be made again from it. */
export const EVENTS_FILE = 'events.ndjson';

/** A failure that was tried again is told in full by its last attempt; of the others the start is enough. */
const MOST_MESSAGE = 300;

/**
 * Keeps a run's events on disk, all but those of single subtasks that the wave files hold already. It is a help for
 * reports, not a record that a run depends on: a log that breaks stays so, says why when it is closed, and stops nothing.
 */
export class EventLog {
  readonly #path: string;
  #waiting: string[] = [];
  #file: FileHandle | undefined;
  #writing: Promise<void> | undefined;
  #problem: EnvironmentProblem | undefined;

  constructor(runDir: string) {
    this.#path = join(runDir, EVENTS_FILE);
  }

  /** Takes an event; what is to be kept is on its way to the file at once. */
  record(event: RunEvent): void {
    const kept = keptOf(event);
    if (kept === undefined || this.#problem !== undefined) return;
    this.#waiting.push(JSON.stringify(kept));
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
  }

  /** Waits until everything is written. The error is the first thing that went wrong. */
  async close(): Promise<Result<void, EnvironmentProblem>> {
    await this.#writing;
    await this.#guard('close', async () => this.#file?.close());
    return this.#problem === undefined ? ok(undefined) : err(this.#problem);
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0 && this.#problem === undefined) {
      const lines = this.#waiting;
      this.#waiting = [];
      await this.#guard('write', async () => {
        this.#file ??= await openToAppend(this.#path);
        await this.#file.appendFile(`${lines.join('\n')}\n`);
      });
    }
  }

  async #guard(doing: string, step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.#problem ??= systemProblem(`${doing} ${this.#path}`, error);
    }
  }
}

/** The event as it is kept; `undefined` where the wave files tell it, or where it is over as soon as it is shown. */
function keptOf(event: RunEvent): RunEvent | undefined {
  switch (event.type) {
    case 'subtask-started':
    case 'subtasks-started':
    case 'subtasks-returned':
    case 'attempt-failed':
    case 'subtask-finished':
    case 'subtask-cancelled':
    case 'subtasks-finished':
    case 'subtasks-up-to-date':
    case 'finally-finished':
      return undefined;
    case 'subtask-retried': {
      const { stack: _, message, ...failure } = event.failure;
      return { ...event, failure: { ...failure, message: message.slice(0, MOST_MESSAGE) } };
    }
    default:
      return event;
  }
}
