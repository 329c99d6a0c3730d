import type { Clock } from '../model/clock.js';
import type { RunEvent } from '../model/run-event.js';
import type { RunSurroundings } from '../worker/prepare.js';
import type { Executor } from './executor.js';
import type { FailureHandling } from './failure-passes.js';
import type { Pacer } from './pacer.js';
import type { Pools } from './pools.js';
import type { ResultsStore } from './results-store.js';
import type { RunControl } from './run-control.js';
import type { TaskWork } from './task-work.js';

/** Whoever keeps the records of what is over. */
export interface RecordKeeper {
  /** Whether so much waits to be written that nothing more should start. */
  readonly behind: boolean;
  /** Resolves when it is behind no more, or when it keeps nothing any more. */
  readonly caughtUp: () => Promise<void>;
}

/** What a dispatcher works with. */
export interface DispatcherPorts {
  readonly executor: Executor;
  readonly clock: Clock;
  readonly random: () => number;
  readonly control: RunControl;
  readonly pacer: Pacer | undefined;
  /** Absent: tasks hold nothing. */
  readonly pools?: Pools;
  readonly surroundings: RunSurroundings;
  readonly results: ResultsStore;
  readonly emit: (event: RunEvent) => void;
  /** Absent: records take no time. */
  readonly records?: RecordKeeper;
  /** Numbers for chunks and programs; unique in the run. */
  readonly nextId: () => number;
  /** The most subtasks of a chunk; 8192 by default. 1 hands subtasks out one by one. */
  readonly mostInChunk?: number;
  /** What a chunk should take, in milliseconds: more where it goes a long way; 20 by default. */
  readonly chunkMs?: (() => number) | undefined;
  /** What a subtask is expected to take, in milliseconds; undefined where nobody knows. */
  readonly expectedMs?: (task: TaskWork['task']) => number | undefined;
  /** Absent: what its task does not try again has failed for good. */
  readonly failure?: FailureHandling;
  /** What makes a pass of the failure policy: a wave, which is all that this dispatcher has, or each task for itself. */
  readonly passOf?: 'wave' | 'task';
  /** Told after outcomes of the task at this position came in, when their agent is idle again. */
  readonly onAttemptEnded?: (position: number) => void;
  /** Told when all subtasks of the task at this position are over; may add more tasks. */
  readonly onTaskOver?: (position: number) => void;
}
