import { readdirSync, readFileSync } from 'node:fs';

/** Time on a core, in milliseconds. */
export interface ProcessorTime {
  readonly mainThread: number;
  readonly otherThreads: number;
}

export const NO_TIME: ProcessorTime = { mainThread: 0, otherThreads: 0 };

/** What the threads of a process used so far; undefined where it has ended. Threads that have ended are not in it. */
export function processorTime(pid: number): ProcessorTime | undefined {
  try {
    let [mainThread, otherThreads] = [0, 0];
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      // Nanoseconds on a core, nanoseconds of waiting for one, and turns.
      const used = Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
      if (Number(thread) === pid) mainThread = used;
      else otherThreads += used;
    }
    return { mainThread, otherThreads };
  } catch {
    return undefined;
  }
}

/** The difference of two readings. */
export function since(before: ProcessorTime, now: ProcessorTime): ProcessorTime {
  return { mainThread: now.mainThread - before.mainThread, otherThreads: now.otherThreads - before.otherThreads };
}
