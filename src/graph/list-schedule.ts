import { PriorityQueue } from './priority-queue.js';

/** A task as a schedule sees it. */
export interface ScheduledTask {
  /** Positions of the tasks that must end first. */
  readonly needs: readonly number[];
  /** Its subtasks, all of which take `ms`. */
  readonly count: number;
  readonly ms: number;
}

/** More pieces than this are put together, so that a million subtasks are not played one by one. */
const MOST_PIECES = 20_000;

/**
 * The makespan, in milliseconds, of list scheduling on so many agents: whenever one is free, it takes a subtask of the ready
 * task with the longest path behind it (R. L. Graham, "Bounds on Multiprocessing Timing Anomalies", 1969). Needs must be
 * acyclic and name earlier or later positions in the list.
 */
export function listSchedule(tasks: readonly ScheduledTask[], agents: number): number {
  const dependents: number[][] = tasks.map(() => []);
  for (const [position, { needs }] of tasks.entries()) for (const need of needs) dependents[need]?.push(position);
  const priorities = pathsBehind(tasks, dependents);
  const total = tasks.reduce((sum, { count }) => sum + count, 0);
  const pieceSize = Math.max(1, Math.ceil(total / MOST_PIECES));
  const needsLeft = tasks.map(({ needs }) => needs.length);
  const waiting = tasks.map(({ count }) => count);
  const open = tasks.map(({ count }) => count);
  const ready = new PriorityQueue<number>();
  // The next end first.
  const ends = new PriorityQueue<{ readonly at: number; readonly task: number; readonly count: number }>();
  let free = agents;
  let now = 0;

  const over: number[] = [];
  const makeReady = (position: number) => {
    if ((waiting[position] ?? 0) > 0) ready.push(position, priorities[position] ?? 0);
    else over.push(position);
  };
  const settle = () => {
    for (let position = over.pop(); position !== undefined; position = over.pop()) {
      for (const dependent of dependents[position] ?? []) {
        const left = (needsLeft[dependent] ?? 0) - 1;
        needsLeft[dependent] = left;
        if (left === 0) makeReady(dependent);
      }
    }
  };
  for (const position of tasks.keys()) if (needsLeft[position] === 0) makeReady(position);
  settle();
  for (;;) {
    for (let task = ready.peek(); task !== undefined && free > 0; task = ready.peek()) {
      const left = waiting[task] ?? 0;
      const count = Math.min(left, pieceSize, Math.max(1, Math.ceil(left / agents)));
      const at = now + count * (tasks[task]?.ms ?? 0);
      ends.push({ at, task, count }, -at);
      free -= 1;
      waiting[task] = left - count;
      if (left === count) ready.pop();
    }
    const next = ends.pop();
    if (next === undefined) return now;
    now = next.at;
    free += 1;
    const left = (open[next.task] ?? 0) - next.count;
    open[next.task] = left;
    if (left === 0) over.push(next.task);
    settle();
  }
}

function pathsBehind(tasks: readonly ScheduledTask[], dependents: readonly (readonly number[])[]): readonly number[] {
  const lengths = tasks.map(() => 0);
  const left = dependents.map(({ length }) => length);
  const done = left.flatMap((count, position) => (count === 0 ? [position] : []));
  for (let head = 0; head < done.length; head++) {
    const position = done[head] ?? 0;
    const task = tasks[position];
    if (task === undefined) continue;
    const behind = (dependents[position] ?? []).reduce((longest, dependent) => Math.max(longest, lengths[dependent] ?? 0), 0);
    lengths[position] = behind + task.ms;
    for (const need of task.needs) {
      const open = (left[need] ?? 0) - 1;
      left[need] = open;
      if (open === 0) done.push(need);
    }
  }
  return lengths;
}
