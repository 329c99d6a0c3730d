import type { Checkpoint } from '../model/checkpoint.js';

/**
 * What an earlier part of the run finished. The scheduler asks for each subtask before it hands it out; what is found counts
 * as finished, with the results of its checkpoint, and does not run again.
 */
export interface FinishedSubtasks {
  /** Whether any subtask of a task is finished. */
  knows(task: string): boolean;
  /** Whether the subtask of a task with this key is finished. */
  has(task: string, key: string): boolean;
  /** Its checkpoint; undefined where it is to run, also because its record can be read no more. */
  find(task: string, key: string): Checkpoint | undefined;
}
