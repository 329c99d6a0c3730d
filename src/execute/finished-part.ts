import type { JsonObject } from '../model/json.js';
import { subtaskKey } from '../worker/subtask-key.js';
import type { FinishedSubtasks, SubtaskAbout } from './finished.js';
import type { FinishedPart, TaskWork } from './task-work.js';

/**
 * The subtasks of a task that were finished earlier; a bit of memory for each, their records stay where they are. undefined: none.
 * @param resultsBefore the results of every task before this one; asked for only where a module may read them.
 */
export function finishedPartOf(
  work: TaskWork,
  finished: FinishedSubtasks | undefined,
  resultsBefore: () => JsonObject,
): FinishedPart | undefined {
  const { task, count, oneByOne } = work;
  if (finished?.knows(task.id) !== true) return undefined;
  // Kept where they will be asked for again: to make one takes as long as to look at a file.
  const keys: string[] | undefined = task.inputs === undefined ? undefined : [];
  const keyOf = (index: number) => {
    const key = keys?.[index] ?? keyAt(work, index);
    if (keys !== undefined) keys[index] = key;
    return key;
  };
  const isFinished = (index: number) => finished.has(task.id, keyOf(index), aboutOf(work, index, resultsBefore));
  const read = (index: number) => finished.find(task.id, keyOf(index));
  const isOfEarlierRun = (index: number) => finished.isOfEarlierRun?.(task.id, keyOf(index)) === true;
  const line = (index: number) => finished.line?.(task.id, keyOf(index));
  // What the paired subtask returned is not known yet, and may decide whether this one is up to date.
  if (oneByOne === true && task.inputs !== undefined) {
    if (finished.dropRest !== undefined) {
      finished.begin?.(task.id);
      for (let index = 0; index < count; index++) finished.has(task.id, keyOf(index));
    }
    return { count: 0, has: isFinished, read, line, isOfEarlierRun };
  }
  finished.begin?.(task.id);
  const flags = new Uint8Array(count);
  let known = 0;
  for (let index = 0; index < count; index++) {
    if (!isFinished(index)) continue;
    flags[index] = 1;
    known += 1;
  }
  return known === 0 ? undefined : { count: known, has: (index) => flags[index] === 1, read, line, isOfEarlierRun };
}

/** Those of a task's subtasks in question that have to run. */
export function unfinishedOf(
  work: TaskWork,
  indexes: Iterable<number>,
  finished: FinishedSubtasks | undefined,
  resultsBefore: () => JsonObject,
): readonly number[] {
  if (finished?.knows(work.task.id) !== true) return [...indexes];
  return [...indexes].filter((index) => !finished.has(work.task.id, keyAt(work, index), aboutOf(work, index, resultsBefore)));
}

function keyAt({ task, itemAt, occurrences }: TaskWork, index: number): string {
  return subtaskKey(task.hash, itemAt?.(index), occurrences.get(index) ?? 0);
}

function aboutOf(
  { task, itemAt, previousAt, occurrences, scope }: TaskWork,
  index: number,
  resultsBefore: () => JsonObject,
): SubtaskAbout {
  return {
    task,
    index: itemAt === undefined ? undefined : index,
    item: itemAt?.(index),
    occurrence: occurrences.get(index) ?? 0,
    previous: previousAt?.(index),
    tasks: scope,
    resultsBefore,
  };
}
