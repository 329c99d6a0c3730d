import { figure, humanDuration } from './figures.js';

/** Counts of the wave that runs, and the line that shows them. */
export class WaveProgress {
  /** When the wave started, by the clock of the view. */
  readonly startedAt: number;
  readonly wave: number;
  readonly #planned: number;
  #running = 0;
  #known = 0;
  #succeeded = 0;
  #failed = 0;
  #skipped = 0;
  #retries = 0;

  constructor(wave: number, subtasks: number, now: number) {
    this.wave = wave;
    this.#planned = subtasks;
    this.startedAt = now;
  }

  /** Tells how many subtasks the wave's tasks have, as far as their sizes are known by now. */
  knows(subtasks: number): void {
    this.#known = subtasks;
  }

  /** Subtasks were handed to an agent. */
  started(subtasks = 1): void {
    this.#running += subtasks;
  }

  /** Subtasks were taken back from an agent. */
  returned(subtasks: number): void {
    this.#running -= subtasks;
  }

  /** @param began whether it was counted as running until now. */
  retried(began = true): void {
    if (began) this.#running -= 1;
    this.#retries += 1;
  }

  /** @param began whether they were with an agent: a subtask may fail before it comes so far. */
  finished(success: boolean, subtasks = 1, began = true): void {
    if (began) this.#running -= subtasks;
    if (success) this.#succeeded += subtasks;
    else this.#failed += subtasks;
  }

  skipped(began: boolean): void {
    if (began) this.#running -= 1;
    this.#skipped += 1;
  }

  get succeeded(): number {
    return this.#succeeded;
  }

  get failed(): number {
    return this.#failed;
  }

  get skippedCount(): number {
    return this.#skipped;
  }

  get retries(): number {
    return this.#retries;
  }

  /** That ended, in any way. */
  get done(): number {
    return this.#succeeded + this.#failed + this.#skipped;
  }

  /** As far as is known. */
  get total(): number {
    return Math.max(this.#planned, this.#known, this.done);
  }

  /** Milliseconds until it ends, by its throughput; by its prediction while nothing has ended. Absent where neither tells. */
  left(now: number, predictedMs: number | undefined): number | undefined {
    const { done, total } = this;
    const elapsed = Math.max(0, now - this.startedAt);
    if (done > 0 && elapsed > 0) return ((total - done) * elapsed) / done;
    return predictedMs === undefined ? undefined : Math.max(0, predictedMs - elapsed);
  }

  /** `wave 2: 120 of 796 done, 1 failed, 8 running, 45/s, about 15 s left`. */
  text(now: number): string {
    const { done, total } = this;
    const elapsed = Math.max(0, now - this.startedAt) / 1000;
    const parts = [`wave ${this.wave}: ${figure(done)} of ${figure(total)} done`];
    if (this.#failed > 0) parts.push(`${figure(this.#failed)} failed`);
    if (this.#retries > 0) parts.push(`${figure(this.#retries)} retried`);
    parts.push(`${figure(Math.max(0, this.#running))} running`);
    if (done === 0 || elapsed === 0)
      return [...parts, `${humanDuration(elapsed * 1000)} so far`, 'time left not known yet'].join(', ');
    const rate = done / elapsed;
    parts.push(rate >= 1 ? `${figure(rate)}/s` : `${figure(rate * 60)}/min`);
    if (done < total) parts.push(`about ${humanDuration(Math.ceil((total - done) / rate) * 1000)} left`);
    return parts.join(', ');
  }
}

/** Sizes of the tasks by wave; a fan-out's is 0 until it expands, which may be before its wave starts or after. */
export class TaskSizes {
  readonly #byWave = new Map<number, Map<string, number>>();

  set(wave: number, task: string, subtasks: number): void {
    const tasks = this.#byWave.get(wave);
    if (tasks === undefined) this.#byWave.set(wave, new Map([[task, subtasks]]));
    else tasks.set(task, subtasks);
  }

  inWave(wave: number): number {
    let sum = 0;
    for (const subtasks of this.#byWave.get(wave)?.values() ?? []) sum += subtasks;
    return sum;
  }
}
