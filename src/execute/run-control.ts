import type { RunStatus } from '../model/run-event.js';

/** Why a run ends before its last wave. */
export interface StopReason {
  readonly status: Exclude<RunStatus, 'done'>;
  readonly reason: string;
}

/**
 * What is asked of a running run from outside: by a signal, a full disk, a threshold.
 *
 *   running --drain--> draining --abort--> aborting
 *      \_________________abort_______________^
 *
 * draining: nothing new starts, running work may end. aborting: running work is ended too.
 */
export class RunControl {
  #state: 'running' | 'draining' | 'aborting' = 'running';
  #stop: StopReason | undefined;
  readonly #listeners = new Set<() => void>();

  get state(): 'running' | 'draining' | 'aborting' {
    return this.#state;
  }

  /** The first reason that was given; later ones do not replace it. */
  get stopReason(): StopReason | undefined {
    return this.#stop;
  }

  drain(reason: StopReason): void {
    this.#stop ??= reason;
    if (this.#state === 'running') this.#state = 'draining';
    this.#tell();
  }

  abort(reason: StopReason): void {
    this.#stop ??= reason;
    this.#state = 'aborting';
    this.#tell();
  }

  /** Calls `listener` at every request; the returned function ends that. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
