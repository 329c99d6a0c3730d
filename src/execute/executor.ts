import type { JsonValue } from '../model/json.js';
import type { Chunk, SubtaskOutcome } from '../worker/chunk.js';

/** How many agents there are, and on how many threads. */
export interface AgentLayout {
  readonly agents: number;
  readonly threads: number;
  /** The threads are those of other machines; absent: of this one. */
  readonly elsewhere?: true;
}

/** Who is told of a chunk. */
export interface ChunkListener {
  /** A subtask ended. Each position comes at most once. */
  readonly outcome: (outcome: SubtaskOutcome) => void;
  /** All outcomes that there are for now were told. */
  readonly flushed: () => void;
  /**
   * Nothing of the chunk runs any more. What had no outcome was not begun, or was taken back, or cancelled. Comes once.
   * `reason` says why what was taken back was, where nobody had asked for that.
   */
  readonly ended: (reason?: string) => void;
  /** What a running subtask may ask: the results of a task that it may read; `undefined` where it may not. */
  readonly readResults: (task: string) => JsonValue | undefined | Promise<JsonValue | undefined>;
}

/** How many agents there are elsewhere, which changes while work runs. */
export interface Capacity {
  readonly agents: number;
  /** Why it last changed, for people. */
  readonly reason: string;
  /** Calls `listener` after each change; the returned function ends that. */
  listen(listener: () => void): () => void;
}

/** A chunk that runs. */
export interface ChunkHandle {
  /** Takes back what was not begun; the first such position, or the chunk's count. */
  reclaim(): number;
  /** How many subtasks were begun. */
  readonly claimed: number;
  /** When the last of them began, in milliseconds on the run's time line; 0 before the first. */
  readonly startedAt: number;
  /** Takes the rest back and ends the subtask that runs; it fails as cancelled, or succeeds if it was just done. */
  cancel(): void;
}

/**
 * The one seam of execution: where subtasks run. The scheduler decides what runs when and on which
 * agent; an executor carries it out. Tests put a fake in its place.
 */
export interface Executor {
  /** Makes room for the layout's agents. Called before each wave; earlier rooms stay warm. */
  open(layout: AgentLayout): Promise<void>;
  /**
   * The layout's threads will most likely be wanted next: begins to start them, and waits for nothing. What `open` then does not
   * ask for is ended there. Absent: nothing has to be started.
   */
  prepare?(layout: AgentLayout): void;
  /** Runs a chunk on agent `agent` (from 0, below the layout's count). */
  run(chunk: Chunk, agent: number, listener: ChunkListener): ChunkHandle;
  /** Of an executor that runs work on other machines: what there is of them. */
  readonly capacity?: Capacity | undefined;
  /**
   * Waits until something that runs has ended, for so many milliseconds at most, and does nothing else meanwhile: the event loop
   * does not turn. Absent: what runs needs the event loop.
   */
  hold?(ms: number): void;
  /** No chunk of these programs, by their `ref`, comes any more. Absent: nothing is kept of them. */
  forget?(programs: readonly number[]): void;
  /** Ends all threads. What runs must have ended or been cancelled before. */
  close(): Promise<void>;
}

/** The executor could not make room for agents: a thread did not start. */
export class ExecutorStartError extends Error {}
