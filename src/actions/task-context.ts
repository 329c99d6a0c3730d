import type { JsonValue } from '../model/json.js';

/** What `context.exec` resolves with. */
export interface ExecResult {
  /** null when a signal ended the command. */
  readonly exitCode: number | null;
  /** Standard output, whole up to 32 MiB. */
  readonly stdout: string;
  /** The last 16 KiB of standard error. */
  readonly stderr: string;
}

/** What a task module's function gets as its second argument. */
export interface TaskContext {
  /** Aborts when the subtask's time is up or the run is stopped. */
  readonly signal: AbortSignal;
  /** Adds a line to the subtask's log. `console.log` does the same. */
  readonly log: (text: string) => void;
  /** The fan-out's item (a list of items under `batch`); undefined without `foreach`. */
  readonly item: JsonValue | undefined;
  /** The position in the fan-out; undefined without `foreach`. */
  readonly index: number | undefined;
  /** From 1; above 1 in a retry. */
  readonly attempt: number;
  /** The folder that the run works in, absolute: the plan's git root, or `--cwd`. */
  readonly folder: string;
  /** The results of an earlier task; of a fan-out, the list in item order. Rejects for a task that is not among the needs. */
  readonly results: (task: string) => Promise<JsonValue>;
  /** Runs a program without a shell, in a process group that ends with the subtask. Rejects only when it cannot be started. */
  readonly exec: (
    argv: readonly string[],
    options?: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> },
  ) => Promise<ExecResult>;
}

/** A task module's function. What it returns must be representable as JSON; `undefined` becomes null. */
export type TaskFunction = (input: JsonValue, context: TaskContext) => unknown;
