import type { FailedAttempt } from '../actions/action.js';
import type { CheckpointText } from '../model/checkpoint.js';
import type { JsonValue } from '../model/json.js';
import type { TaskDefinition } from '../plan/valid-plan.js';
import type { TaskSurroundings } from './prepare.js';

/** What the thread side needs to know of a task; sent once to each thread that runs its subtasks. */
export interface TaskProgram {
  /** Unique among the programs of a run. */
  readonly ref: number;
  readonly wave: number;
  /** Without the items of its fan-out. */
  readonly task: TaskDefinition;
  readonly fanOut: boolean;
  /** `env`, and with it the values of secrets, is left to the thread, which has the same. */
  readonly surroundings: Omit<TaskSurroundings, 'env'>;
}

/** Subtasks in a row that one agent runs one after the other. */
export interface Chunk {
  /** Unique among the chunks of a run. */
  readonly id: number;
  readonly program: TaskProgram;
  /** The name of the agent, for checkpoints. */
  readonly agent: string;
  /** The index of the first subtask; 0 for a task without `foreach`. */
  readonly first: number;
  readonly count: number;
  /** One for each subtask; undefined for a task without `foreach`. */
  readonly items: readonly JsonValue[] | undefined;
  /** The paired subtasks' results under `foreach: { each }`. */
  readonly previous?: readonly JsonValue[] | undefined;
  /** How often an equal item came before, by position in the chunk; absent ones are the first of their kind. */
  readonly occurrences?: Readonly<Record<number, number>> | undefined;
  /** In place of the task's; where the time of the whole subtask leaves less for this attempt. */
  readonly timeoutMs?: number | undefined;
  /** From 1; more than one attempt is made of single subtasks only. */
  readonly attempt: number;
}

/** What came of subtasks of a chunk. Positions count from 0 in the chunk. */
export type SubtaskOutcome =
  | {
      /** So many in a row that succeeded, from `position` on. */
      readonly kind: 'success';
      readonly position: number;
      readonly count: number;
      /** Their checkpoints as the journal holds them, each with its line end. */
      readonly lines: Uint8Array;
      /** For each, where its results stand in `lines`: begin and end, in bytes. */
      readonly results: readonly number[];
      readonly durationsMs: readonly number[];
      /** What it said; empty where there is more than one. */
      readonly log: string;
    }
  | {
      readonly kind: 'failure';
      readonly position: number;
      readonly key: string;
      readonly outcome: FailedAttempt;
    }
  /** Its `if` is false. */
  | { readonly kind: 'left-out'; readonly position: number };

/** Where a runner puts outcomes; the thread's is shared memory, so that none is lost when the thread ends. */
export interface OutcomeSink {
  success(position: number, record: CheckpointText, started: number, durationMs: number, log: string): void;
  failure(position: number, key: string, outcome: FailedAttempt): void;
  leftOut(position: number): void;
}
