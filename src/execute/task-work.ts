import type { Checkpoint } from '../model/checkpoint.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import type { TaskDefinition } from '../plan/valid-plan.js';
import type { TaskProgram } from '../worker/chunk.js';

/** A task with its fan-out expanded: what a dispatcher hands out. */
export interface TaskWork {
  readonly task: TaskDefinition;
  readonly wave: number;
  readonly count: number;
  /** The item of subtask i; undefined for a task without `foreach`. */
  readonly itemAt: ((i: number) => JsonValue) | undefined;
  /** The results of the paired subtask under `foreach: { each }`. */
  readonly previousAt?: (i: number) => JsonValue;
  /** How often an equal item came before, by index; see `occurrencesOf`. */
  readonly occurrences: ReadonlyMap<number, number>;
  /** Tasks whose results its modules may ask for. */
  readonly readable: Pick<ReadonlySet<string>, 'has'>;
  /** `{results}` of the tasks that its expressions read. */
  readonly scope: JsonObject;
  /** Whether anybody may read its results. */
  readonly keepResults: boolean;
  /** Higher goes first: the longest remaining path in an eager run. */
  readonly priority: number;
  /** Those of its subtasks that an earlier part of the run finished; absent: none. */
  readonly finished?: FinishedPart;
  /** Its subtasks become ready one by one, by `Dispatcher.ready`; absent: all at once. */
  readonly oneByOne?: boolean;
  /** Of its subtasks, those that are to run; the others succeeded in an earlier round, which told of them. Absent: all. */
  readonly only?: readonly number[];
  /** What threads know of the task since an earlier round; absent: it is made. */
  readonly program?: TaskProgram;
}

/** The finished subtasks of a task, by index. */
export interface FinishedPart {
  readonly count: number;
  readonly has: (index: number) => boolean;
  /** The record; undefined where it can be read no more, and the subtask runs after all. */
  readonly read: (index: number) => Checkpoint | undefined;
  /** The record as a line of another run that may be taken over as it is. */
  readonly line: (index: number) => string | undefined;
  /** Whether the record is of another run, so that this run has to write it again. */
  readonly isOfEarlierRun: (index: number) => boolean;
}

/** How a task's subtasks ended so far. */
export interface TaskTally {
  readonly total: number;
  succeeded: number;
  failed: number;
  leftOut: number;
  /** Of the attempts that ended a subtask, in milliseconds, the first few of them one by one. */
  busyMs: number;
  readonly firstMs: number[];
}

/** Durations that a tally keeps one by one, for the probe: more than what goes before it and itself. */
const FIRST_DURATIONS = 1024;

/** A tally before anything ended. */
export function newTally(total: number): TaskTally {
  return { total, succeeded: 0, failed: 0, leftOut: 0, busyMs: 0, firstMs: [] };
}

/** Subtasks that are not over yet. */
export function leftOf({ total, succeeded, failed, leftOut }: TaskTally): number {
  return total - succeeded - failed - leftOut;
}

/** Counts the times of attempts that ended their subtasks; their sum. */
export function addDurations(tally: TaskTally, durationsMs: readonly number[]): number {
  let sum = 0;
  for (const ms of durationsMs) {
    sum += ms;
    if (tally.firstMs.length < FIRST_DURATIONS) tally.firstMs.push(ms);
  }
  tally.busyMs += sum;
  return sum;
}

/** Told when a subtask is over, for what waits for it item by item. */
export type SubtaskOver = (index: number, end: 'done' | 'failed' | 'left-out') => void;
