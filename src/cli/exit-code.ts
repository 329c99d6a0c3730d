import type { RunStatus } from '../model/run-event.js';

/** What the command's exit code tells; the README lists them. */
export const EXIT = {
  /** All done. */
  done: 0,
  /** A task failed, or a threshold stopped the run. */
  failed: 1,
  /** A bad plan, bad usage, or no confirmation. */
  refused: 2,
  /** The environment: disk full, state not writable, git refused. */
  environment: 3,
  interrupted: 130,
  terminated: 143,
  hungUp: 129,
} as const;

/** The exit code of a run by how it ended and, where a signal stopped it, by which. */
export function exitCodeOf(status: RunStatus, signal: NodeJS.Signals | undefined): number {
  switch (status) {
    case 'done':
      return EXIT.done;
    case 'failed':
      return EXIT.failed;
    case 'broken':
      return EXIT.environment;
    case 'stopped':
      if (signal === 'SIGHUP') return EXIT.hungUp;
      return signal === 'SIGTERM' ? EXIT.terminated : EXIT.interrupted;
  }
}
