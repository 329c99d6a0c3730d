import type { TaskGraph } from '../graph/task-graph.js';
import type { Dispatcher } from './dispatcher.js';
import type { SubtaskOver, TaskWork } from './task-work.js';

/** How a subtask ended, for the one that waits for it. */
type End = Parameters<SubtaskOver>[1];

/** Tasks that follow others item by item, under `foreach: { each }`: a subtask starts, or is left out, when its pair is over. */
export class Pairs {
  /** Ends of subtasks, by index, of tasks that others follow. */
  readonly #ends = new Map<string, (End | undefined)[]>();
  /** The works of such tasks. */
  readonly #sources = new Map<string, TaskWork>();
  /** Positions in the dispatcher of the tasks that follow them. */
  readonly #followers = new Map<string, number[]>();

  constructor({ nodes }: TaskGraph) {
    for (const { task } of nodes) if (task.foreach?.kind === 'each') this.#followers.set(task.foreach.task, []);
  }

  /** The work of a task that others follow; undefined before it is handed to a dispatcher. */
  source(task: string): TaskWork | undefined {
    return this.#sources.get(task);
  }

  /** Hands a task to a dispatcher; its position there. Subtasks that follow others item by item start as those end. */
  dispatch(dispatcher: Dispatcher, work: TaskWork): number {
    const { task } = work;
    const isFollowed = this.#followers.has(task.id);
    if (isFollowed) {
      this.#ends.set(task.id, new Array<End | undefined>(work.count));
      this.#sources.set(task.id, work);
    }
    const position = dispatcher.add(
      work,
      isFollowed ? (index, end) => this.#subtaskOver(dispatcher, task.id, index, end) : undefined,
    );
    if (work.oneByOne === true) this.#follow(dispatcher, position, work);
    return position;
  }

  #follow(dispatcher: Dispatcher, position: number, { task: { foreach }, count }: TaskWork): void {
    if (foreach?.kind !== 'each') throw new Error('Internal error: only pairs go one by one');
    this.#followers.get(foreach.task)?.push(position);
    const ends = this.#ends.get(foreach.task) ?? [];
    for (let index = 0; index < count; index++) {
      const end = ends[index];
      if (end !== undefined) start(dispatcher, position, foreach.task, index, end);
    }
  }

  #subtaskOver(dispatcher: Dispatcher, task: string, index: number, end: End): void {
    const ends = this.#ends.get(task);
    if (ends !== undefined) ends[index] = end;
    for (const position of this.#followers.get(task) ?? []) start(dispatcher, position, task, index, end);
  }
}

function start(dispatcher: Dispatcher, position: number, source: string, index: number, end: End): void {
  switch (end) {
    case 'done':
      dispatcher.ready(position, index);
      return;
    case 'failed':
      dispatcher.skip(position, index, { cause: 'need-failed', need: `${source}[${index}]` });
      return;
    case 'left-out':
      dispatcher.skip(position, index, { cause: 'need-skipped', need: `${source}[${index}]` });
      return;
  }
}
