import { CHUNK_MS, ChunkSize } from '../../src/execute/chunk-size.ts';
import type { Sizing } from './model/costs.ts';

/** Subtasks of a chunk at most, as in `src/execute/task-state.ts`. */
const MOST_IN_CHUNK = 8192;
/** As in `src/cli/remote-run.ts`: how many times its way a chunk should take, and how long at most. */
const [CHUNK_TIMES, LONGEST_CHUNK_MS] = [10, 500];
/** Chunks whose way is remembered, as in `src/remote/bullmq-executor.ts`. */
const WAYS_KEPT = 32;

/** Sizes chunks as the coordinator does: by the durations of subtasks and by what chunks cost on their way. */
export function coordinatorsSizing(): Sizing {
  const ways: number[] = [];
  const chunkMs = () => {
    const least = ways.length === 0 ? 0 : Math.max(0, Math.min(...ways));
    return Math.max(CHUNK_MS, Math.min(LONGEST_CHUNK_MS, CHUNK_TIMES * least));
  };
  const size = new ChunkSize(undefined, MOST_IN_CHUNK, chunkMs);
  return {
    next: (waiting, agents) => size.next(waiting, agents),
    cameBack: (subtasks, busyMs, wayMs) => {
      size.observe(subtasks, busyMs);
      ways.push(wayMs);
      if (ways.length > WAYS_KEPT) ways.shift();
    },
  };
}
