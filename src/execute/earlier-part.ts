import type { DispatcherPorts } from './dispatcher-ports.js';
import type { SubtaskEnds } from './subtask-ends.js';
import type { TaskState } from './task-state.js';
import type { WaitingWork } from './waiting-work.js';

/** Records that are read in one turn. */
const AT_A_TIME = 2000;

/** What telling of an earlier part of a run works with. */
interface EarlierPartPorts extends Pick<DispatcherPorts, 'clock' | 'control'> {
  readonly ends: SubtaskEnds;
  readonly waiting: WaitingWork;
  /** Told when everything that a task had finished was told. */
  readonly onTold: (state: TaskState) => void;
  /** Told when the next turn has come: `tell` must follow. */
  readonly onTurn: () => void;
}

/** Tells of what an earlier part of the run, or an earlier run, finished, so much at a time that signals and timers get their turn. */
export class EarlierPart {
  readonly #ports: EarlierPartPorts;
  /** Tasks with finished subtasks that were not told yet. */
  readonly #tasks: TaskState[] = [];
  #timer: (() => void) | undefined;

  constructor(ports: EarlierPartPorts) {
    this.#ports = ports;
  }

  add(state: TaskState): void {
    this.#tasks.push(state);
  }

  /** Tells of as much as may be told in one turn; a task's other subtasks may run meanwhile. */
  tell(): void {
    const { ends, waiting, control, onTold } = this.#ports;
    let turn = AT_A_TIME;
    for (let state = this.#tasks[0]; state !== undefined && control.state === 'running'; state = this.#tasks[0]) {
      const { work } = state;
      while (state.nextFinished < work.count && turn > 0) {
        const index = state.nextFinished++;
        if (work.finished?.has(index) !== true) continue;
        turn--;
        if (!ends.takeOver(state, index) && !ends.resume(state, index)) state.queue.add(index, 1);
      }
      ends.tellUpToDate(state);
      if (state.nextFinished < work.count) {
        this.#nextTurn();
        return;
      }
      this.#tasks.shift();
      waiting.enqueue(state);
      onTold(state);
    }
  }

  /** Nothing is told any more. */
  stop(): void {
    this.#timer?.();
  }

  #nextTurn(): void {
    const { clock, onTurn } = this.#ports;
    this.#timer ??= clock.after(0, () => {
      this.#timer = undefined;
      onTurn();
    });
  }
}
