import type { Failure } from '../model/failure.js';
import { subtaskId } from '../model/ids.js';
import { taskForThreads } from '../plan/conditions.js';
import type { TaskProgram } from '../worker/chunk.js';
import { ChunkSize } from './chunk-size.js';
import type { DispatcherPorts } from './dispatcher-ports.js';
import type { FailurePasses } from './failure-passes.js';
import { shortest } from './subtask-time.js';
import { TaskQueue } from './task-queue.js';
import { newTally, type SubtaskOver, type TaskTally, type TaskWork } from './task-work.js';

/** Where a dispatcher stands with one task. */
export interface TaskState {
  readonly position: number;
  readonly work: TaskWork;
  readonly program: TaskProgram;
  readonly queue: TaskQueue;
  readonly size: ChunkSize;
  readonly tally: TaskTally;
  readonly onOver: SubtaskOver | undefined;
  /** Subtasks that are not over yet. */
  left: number;
  readonly passes: FailurePasses | undefined;
  /** Subtasks that an earlier part of the run finished and that were not told yet: from this index on. */
  nextFinished: number;
  /** It is in the queue of tasks that have something waiting. */
  queued: boolean;
  /** `onTaskOver` was told. */
  over: boolean;
}

/** A subtask that is to be tried again. */
export interface Retry {
  readonly state: TaskState;
  readonly index: number;
  readonly attempt: number;
  /** When its first attempt began. */
  readonly begun: number;
  /** How it failed in the pass before; undefined in the first pass. */
  readonly before: Failure | undefined;
}

const MOST_IN_CHUNK = 8192;

/** The state of a task of which nothing waits yet. */
export function newTaskState(
  work: TaskWork,
  about: Pick<TaskState, 'position' | 'onOver' | 'passes'>,
  ports: Pick<DispatcherPorts, 'nextId' | 'surroundings' | 'expectedMs' | 'mostInChunk' | 'chunkMs'>,
): TaskState {
  const { position, onOver, passes } = about;
  const { expectedMs, mostInChunk = MOST_IN_CHUNK, chunkMs } = ports;
  return {
    position,
    work,
    program: work.program ?? programOf(work, ports),
    queue: new TaskQueue(),
    size: new ChunkSize(expectedMs?.(work.task), mostInChunk, chunkMs),
    tally: work.only === undefined ? newTally(work.count) : { ...newTally(work.count), succeeded: work.count - work.only.length },
    onOver,
    passes,
    nextFinished: 0,
    left: work.only?.length ?? work.count,
    queued: false,
    over: false,
  };
}

/** What threads are told of a task. */
export function programOf(
  { task, wave, itemAt, scope }: Pick<TaskWork, 'task' | 'wave' | 'itemAt' | 'scope'>,
  { nextId, surroundings }: Pick<DispatcherPorts, 'nextId' | 'surroundings'>,
): TaskProgram {
  return {
    ref: nextId(),
    wave,
    task: { ...taskForThreads(task), timeoutMs: shortest(task.timeoutMs, task.subtaskTimeoutMs) },
    fanOut: itemAt !== undefined,
    surroundings: {
      params: surroundings.params,
      folder: surroundings.folder,
      secrets: surroundings.secrets ?? [],
      run: surroundings.run,
      tasks: scope,
    },
  };
}

/** The name of a task's subtask, as events and checkpoints tell it. */
export function nameOf({ work }: TaskState, index: number): string {
  return subtaskId(work.task.id, work.itemAt === undefined ? undefined : index);
}
