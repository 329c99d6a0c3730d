import { createHook } from 'node:async_hooks';
import { type SubtaskLog, subtaskOf } from './subtask-log.js';

/** An attempt whose code may take the thread. Times are by `performance.now()`. */
export interface ThreadUse {
  /** Its code began to run, or returned. */
  readonly onHold: (holding: boolean) => void;
  /** Its code had the thread, and nothing else could run there. */
  readonly used: (from: number, to: number) => void;
}

const watched = new Map<SubtaskLog, ThreadUse>();
let since = 0;

/*
 * Attributes each stretch of running code to the subtask that it belongs to. Promises and timers cost more while it is on, so
 * it is on only while modules with a time-out are pending.
 */
const hook = createHook({
  before() {
    since = performance.now();
    useOf()?.onHold(true);
  },
  after() {
    const use = useOf();
    if (use === undefined) return;
    use.onHold(false);
    use.used(since, performance.now());
  },
});

function useOf(): ThreadUse | undefined {
  const subtask = subtaskOf();
  return subtask === undefined ? undefined : watched.get(subtask);
}

/** Tells when a subtask's code runs after it has returned a promise; the returned function ends that. */
export function watchThreadUse(log: SubtaskLog, use: ThreadUse): () => void {
  watched.set(log, use);
  if (watched.size === 1) hook.enable();
  return () => {
    watched.delete(log);
    if (watched.size === 0) hook.disable();
  };
}
