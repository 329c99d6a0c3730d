import type { WavesEnd } from '../../execute/ports.js';
import type { RunEvent } from '../../model/run-event.js';
import { figure } from '../../report/figures.js';
import { inertLine } from '../../report/inert.js';

/** Failures of a round beyond these are counted and not told. */
const MOST_FAILURES = 5;

/** What a round of watch came to so far, and its lines. */
export class RoundReport {
  readonly #say: (line: string) => void;
  #ran = 0;
  #failed = 0;
  #upToDate = 0;

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  /** Subtasks that ran. */
  get ran(): number {
    return this.#ran;
  }

  /** Takes the next event, and tells of warnings and failures. */
  take(event: RunEvent): void {
    if (event.type === 'warning') this.#say(`watch: ${inertLine(event.message)}`);
    if (event.type === 'subtasks-finished') this.#ran += event.count;
    if (event.type === 'subtasks-up-to-date') this.#upToDate += event.count;
    if (event.type !== 'subtask-finished') return;
    const { checkpoint, resumed } = event;
    if (resumed === 'up-to-date') this.#upToDate += 1;
    else this.#ran += 1;
    if (checkpoint.status === 'success') return;
    this.#failed += 1;
    if (this.#failed <= MOST_FAILURES) this.#say(`FAILED ${checkpoint.task_id}: ${inertLine(checkpoint.error?.message ?? '')}`);
  }

  /**
   * Tells how round `number` ended, after so many milliseconds.
   * @param upToDate subtasks that were, where events do not tell.
   */
  tellEnd(number: number, end: WavesEnd, tookMs: number, upToDate = this.#upToDate): void {
    const took = `${figure(Math.max(1, tookMs))} ms`;
    const counts = `${figure(this.#ran)} ran, ${figure(this.#failed)} failed, ${figure(upToDate)} up to date`;
    this.#say(`Round ${number} ${end.status === 'stopped' ? 'was stopped' : end.status}: ${counts} (${took})`);
    if (end.status !== 'done' && end.status !== 'stopped') this.#say(`waveplan: ${inertLine(end.reason)}`);
  }
}
