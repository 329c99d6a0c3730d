import type { JsonObject } from '../model/json.js';
import { subtaskKey } from '../worker/subtask-key.js';
import type { FinishedSubtasks } from './finished.js';
import type { FinishedPart, TaskWork } from './task-work.js';

/**
 * The subtasks of a task that were finished earlier; a bit of memory for each, their records stay where they are. undefined: none.
 * @param resultsBefore the results of every task before this one; asked for only where a module may read them.
 */
export function finishedPartOf(
  { task, count, itemAt, previousAt, occurrences, scope, oneByOne }: TaskWork,
  finished: FinishedSubtasks | undefined,
  resultsBefore: () => JsonObject,
): FinishedPart | undefined {
  if (finished?.knows(task.id) !== true) return undefined;
  const occurrenceOf = (index: number) => occurrences.get(index) ?? 0;
  // Kept where they will be asked for again: to make one takes as long as to look at a file.
  const keys: string[] | undefined = task.inputs === undefined ? undefined : [];
  const makeKey = (index: number) => subtaskKey(task.hash, itemAt?.(index), occurrenceOf(index));
  const keyOf = (index: number) => {
    const key = keys?.[index] ?? makeKey(index);
    if (keys !== undefined) keys[index] = key;
    return key;
  };
  const isFinished = (index: number) =>
    finished.has(task.id, keyOf(index), {
      task,
      index: itemAt === undefined ? undefined : index,
      item: itemAt?.(index),
      occurrence: occurrenceOf(index),
      previous: previousAt?.(index),
      tasks: scope,
      resultsBefore,
    });
  const read = (index: number) => finished.find(task.id, keyOf(index));
  const isOfEarlierRun = (index: number) => finished.isOfEarlierRun?.(task.id, keyOf(index)) === true;
  const line = (index: number) => finished.line?.(task.id, keyOf(index));
  // What the paired subtask returned is not known yet, and may decide whether this one is up to date.
  if (oneByOne === true && task.inputs !== undefined) return { count: 0, has: isFinished, read, line, isOfEarlierRun };
  const flags = new Uint8Array(count);
  let known = 0;
  for (let index = 0; index < count; index++) {
    if (!isFinished(index)) continue;
    flags[index] = 1;
    known += 1;
  }
  return known === 0 ? undefined : { count: known, has: (index) => flags[index] === 1, read, line, isOfEarlierRun };
}
