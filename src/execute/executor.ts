import type { ActionOutcome, SubtaskRequest } from '../actions/action.js';
import type { JsonValue } from '../model/json.js';

/** How many agents there are, and on how many threads. */
export interface AgentLayout {
  readonly agents: number;
  readonly threads: number;
}

/** What a running subtask may ask: the results of a task that it may read; `undefined` where it may not. */
export type ReadResults = (task: string) => JsonValue | undefined;

/**
 * The one seam of execution: where subtasks run. The scheduler decides what runs when and on which
 * agent; an executor carries it out. Tests put a fake in its place.
 */
export interface Executor {
  /** Makes room for the layout's agents. Called before each wave; earlier rooms stay warm. */
  open(layout: AgentLayout): Promise<void>;
  /** Makes one attempt on agent `agent` (from 0, below the layout's count). Never rejects. */
  execute(request: SubtaskRequest, agent: number, readResults: ReadResults): Promise<ActionOutcome>;
  /** Ends a running attempt; its `execute` resolves with a failure, or with success if it was just done. */
  cancel(id: number): void;
  /** Ends all threads. Running attempts must have been awaited or cancelled before. */
  close(): Promise<void>;
}

/** The executor could not make room for agents: a thread did not start. */
export class ExecutorStartError extends Error {}
