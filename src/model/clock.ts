/** Time as the coordinator sees it; tests put one in its place that they turn by hand. */
export interface Clock {
  /** Milliseconds since the epoch, never backwards within a run. */
  readonly now: () => number;
  /** Calls `fire` once after `ms`; the returned function cancels it. */
  readonly after: (ms: number, fire: () => void) => () => void;
}

/** The run's time line: the wall clock read once, carried on by the monotonic clock, which all threads share. */
export interface TimeLine {
  readonly epochMs: number;
  readonly monotonicNs: bigint;
}

/** Starts a time line at this moment. */
export function startTimeLine(): TimeLine {
  return { epochMs: Date.now(), monotonicNs: process.hrtime.bigint() };
}

/** The moment on a time line, in milliseconds since the epoch. */
export function timeOn(timeLine: TimeLine): number {
  return timeLine.epochMs + Number(process.hrtime.bigint() - timeLine.monotonicNs) / 1e6;
}

/** Reads a time line again and again: milliseconds since the epoch, with less effort than `timeOn` takes each time. */
export function clockOn(timeLine: TimeLine): () => number {
  const offset = timeOn(timeLine) - performance.now();
  return () => offset + performance.now();
}

/** The real clock, on a time line. */
export function systemClock(timeLine: TimeLine): Clock {
  return {
    now: clockOn(timeLine),
    after: (ms, fire) => {
      const timer = setTimeout(fire, ms);
      return () => clearTimeout(timer);
    },
  };
}

/**
 * Milliseconds until the next whole multiple of `ms`: what looks at something at the same pace, or at half of it, wakes the process once
 * and not one after the other. On a machine whose cores all compute, each time takes one from the work.
 */
export function untilTick(now: number, ms: number): number {
  return ms - (now % ms);
}
