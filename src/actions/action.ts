import type { Failure } from '../model/failure.js';
import type { JsonValue } from '../model/json.js';
import type { LazyJson } from '../model/lazy-json.js';
import type { BuiltInAction } from '../plan/built-in.js';

/** How a command's standard output becomes part of its result. */
export type OutputForm = 'text' | 'lines' | 'json';

/** One subtask's work with every expression already evaluated: all that a thread needs to know. */
export type Action =
  | { readonly kind: 'command'; readonly argv: readonly string[]; readonly output: OutputForm }
  | { readonly kind: 'module'; readonly file: string; readonly exportName: string; readonly input: JsonValue }
  /**
   * `key` is the same in every attempt of one subtask of one run, and another for every other; `success` is the
   * definition of done as the plan has it, for those who are asked to bring it about.
   */
  | {
      readonly kind: 'builtin';
      readonly name: BuiltInAction;
      readonly input: JsonValue;
      readonly key: string;
      readonly success: readonly string[];
    };

/** One attempt at a subtask, as it is handed to an agent. */
export interface SubtaskRequest {
  /** The chunk that it belongs to. */
  readonly id: number;
  readonly subtask: string;
  readonly action: Action;
  readonly item: JsonValue | undefined;
  readonly index: number | undefined;
  /** From 1. */
  readonly attempt: number;
  /** Laid over the process environment of a command; made when it is asked for. */
  readonly env: () => Readonly<Record<string, string>>;
  /** Absolute. */
  readonly cwd: string;
  /** The folder that the run works in, absolute. */
  readonly folder: string;
  readonly timeoutMs: number | undefined;
}

/** What came of one attempt. */
export interface ActionOutcome {
  /** `undefined` on success. */
  readonly failure: Failure | undefined;
  /** What there is of it, also after a failure; null where there is nothing. */
  readonly results: LazyJson;
  /** What the work returned after it was asked to stop; absent where it was not, or returned nothing. */
  readonly partial?: LazyJson | undefined;
  /** What the subtask said: a module's log and console, bounded. */
  readonly log: string;
  /** When the attempt started, in milliseconds since the epoch, on the run's one monotonic time line. */
  readonly started: number;
  readonly durationMs: number;
  /** The work did not end when it was told to and still runs: its thread must not be given more. */
  readonly leaked: boolean;
}

/** An attempt that failed, as its coordinator is told of it. */
export interface FailedAttempt extends Omit<ActionOutcome, 'failure' | 'results' | 'partial'> {
  readonly failure: Failure;
  readonly results: JsonValue;
  readonly partial?: JsonValue;
}

/** The grace between asking work to end and ending it, in milliseconds. */
export const STOP_GRACE_MS = 2000;
