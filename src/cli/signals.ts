import type { RunControl } from '../execute/run-control.js';

/** Signals turned into requests to a run. */
export interface SignalWatch {
  /** The first signal that came. */
  readonly received: () => NodeJS.Signals | undefined;
  readonly close: () => void;
}

/** Ctrl-C, a polite kill, and a terminal that was closed. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The first signal lets running work end; a second one ends it. `finally` tasks run in both cases. */
export function stopOnSignals(control: RunControl, say: (message: string) => void): SignalWatch {
  let first: NodeJS.Signals | undefined;
  const handle = (signal: NodeJS.Signals) => {
    const stop = { status: 'stopped', reason: `stopped by ${first ?? signal}` } as const;
    if (first === undefined) {
      first = signal;
      say(`\n${signal}: stopping; running work may end. Again to end it now.`);
      control.drain(stop);
    } else {
      say(`\n${signal}: ending running work.`);
      control.abort(stop);
    }
  };
  for (const signal of SIGNALS) process.on(signal, handle);
  return {
    received: () => first,
    close: () => {
      for (const signal of SIGNALS) process.off(signal, handle);
    },
  };
}
