import type { RecordOptions } from '../data/record-format.js';
import type { Diagnostic, SourceRange } from '../model/diagnostic.js';
import type { FailureKind } from '../model/failure.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import type { ScalingMode, TaskType } from '../model/scaling-decision.js';
import type { BuiltInAction } from './built-in.js';
import type { ItemFilter } from './item-filter.js';

/** What the user asked for in words, and the mode that the words select. */
export type PlanRequest =
  | { readonly mode: 'AUTOMATIC_SCALING'; readonly task: string }
  | { readonly mode: 'USER_OVERRIDE'; readonly task: string; readonly agents: number };

/** How many agents the user wants: left to us, a count, or a share of the capacity (0 to 1, above 0). */
export type AgentsSetting =
  | { readonly kind: 'auto' }
  | { readonly kind: 'count'; readonly agents: number }
  | { readonly kind: 'share'; readonly share: number };

/** Declared limits of the plan's surroundings; absent ones fall back to the methodology's. */
export interface PlanLimits {
  readonly ratePerMinute: number | undefined;
  readonly connections: number | undefined;
  readonly iops: number | undefined;
  readonly memoryPerAgentBytes: number | undefined;
}

/** A pool: how many subtasks may hold it at once, counted by their weights, and how often one may start. */
export interface PoolLimits {
  readonly max?: number;
  readonly ratePerMinute?: number;
}

/** What each subtask of a task holds of a pool while it runs. */
export interface PoolShare {
  readonly pool: string;
  readonly weight: number;
}

/** How often and when a failed attempt is made again. */
export interface RetryPolicy {
  /** Attempts beyond the first. */
  readonly max: number;
  readonly backoffMs: number;
  /** The back-off of attempt k is `backoffMs * factor ** (k - 1)`. */
  readonly factor: number;
  /** `full`: a random share of the back-off; `none`: all of it. */
  readonly jitter: 'full' | 'none';
  /** The failures that are retried; absent: all that another attempt could mend. */
  readonly on?: readonly RetryCause[];
  /** The user wrote `max: 0`: what may not be done twice is not repeated by the failure policy either. */
  readonly never?: true;
}

/** A failure that is worth another attempt. */
export type RetryCause =
  | { readonly kind: 'exit-code'; readonly code: number }
  | { readonly kind: 'failure-kind'; readonly failure: FailureKind }
  /** Found in the failure's message: a regular expression's source and flags. */
  | { readonly kind: 'pattern'; readonly source: string; readonly flags: string };

/** What the plan says of failures; absent shares, from 0 to 1, are the methodology's. */
export interface PlanFailure {
  readonly minor: number | undefined;
  readonly major: number | undefined;
  readonly critical: number | undefined;
  readonly onMajor: 'sequential' | 'abort';
}

/** What one subtask does. */
export type Work =
  /** Text for `sh -c`; never templated. */
  | { readonly kind: 'shell'; readonly command: string }
  /** A program and its arguments, no shell; each may hold expressions. */
  | { readonly kind: 'argv'; readonly argv: readonly string[] }
  /** A module's function: absolute path of the file, and the export's name (`default` unless `file.ts#name`). */
  | { readonly kind: 'module'; readonly uses: string; readonly file: string; readonly exportName: string }
  /** Something that waveplan itself does, such as `files/glob`; `with` fits its schema as far as it is known. */
  | { readonly kind: 'builtin'; readonly action: BuiltInAction };

/** Whether work runs somebody's command, in a process of its own. */
export function startsCommand(work: Work): boolean {
  return work.kind === 'shell' || work.kind === 'argv' || (work.kind === 'builtin' && work.action === 'agent/prompt');
}

/** Where a fan-out's items come from. */
export type FanOutSource =
  | { readonly kind: 'list'; readonly items: readonly JsonValue[] }
  /** One whole expression; `tasks` names the tasks whose results it reads (none: it is known before the run). */
  | { readonly kind: 'expression'; readonly expression: string; readonly tasks: readonly string[] }
  /** A cross product; each item is an object with a key for each axis. `tasks` as above. */
  | {
      readonly kind: 'matrix';
      readonly axes: readonly MatrixAxis[];
      readonly exclude: readonly JsonObject[];
      readonly include: readonly JsonObject[];
      readonly tasks: readonly string[];
    }
  /** A file that is read when the fan-out expands; its path, relative to the work folder, may hold expressions. */
  | { readonly kind: 'file'; readonly path: string; readonly options: RecordOptions; readonly tasks: readonly string[] }
  /** One subtask for each of that task's, with the same item; `prev` is what the paired one returned. */
  | { readonly kind: 'each'; readonly task: string };

/** One axis of a matrix: its values, or one whole expression whose value is a list of them. */
export interface MatrixAxis {
  readonly name: string;
  readonly values: readonly JsonValue[] | { readonly expression: string };
}

/** One entry under `tasks` or `finally`, with the plan's defaults filled in. */
export interface TaskDefinition {
  readonly id: string;
  readonly phase: string | undefined;
  readonly needs: readonly string[];
  /** Those of `needs` that may be skipped without this task being skipped too; absent: none. */
  readonly optionalNeeds?: readonly string[];
  readonly work: Work;
  /** Input of a module; strings in it may hold expressions. */
  readonly with: JsonValue | undefined;
  readonly foreach: FanOutSource | undefined;
  /** Of the items of `foreach`, those that pass are wanted; absent: all. */
  readonly filters?: readonly ItemFilter[];
  /** Items per subtask; absent: one item, handed over bare rather than as a list. */
  readonly batch: number | undefined;
  /** The plan's `env` and the task's own; values may hold expressions. */
  readonly env: Readonly<Record<string, string>>;
  /** Relative to the workspace folder; may hold expressions. */
  readonly cwd: string | undefined;
  /** For one attempt. */
  readonly timeoutMs: number | undefined;
  /** For all attempts at one subtask, and the waits between them. */
  readonly subtaskTimeoutMs?: number | undefined;
  readonly retries: RetryPolicy;
  readonly output: 'text' | 'lines' | 'json';
  /** A bare expression: where it is false, the task is skipped, or the subtask where it is about an item. See `conditions.ts`. */
  readonly if: string | undefined;
  /** Bare expressions over the outcome; all must hold. */
  readonly success: readonly string[];
  /** What each subtask holds while it runs; absent: nothing. */
  readonly pool?: PoolShare;
  /** Expected duration of one subtask. */
  readonly estimateMs: number | undefined;
  /** Earlier tasks whose results any expression of this task reads. */
  readonly reads: readonly string[];
  /** Paths and patterns of the files that it reads, as written; absent: not known, and it always runs. */
  readonly inputs?: readonly string[];
  /** Paths and patterns of the files that it makes, as written. */
  readonly outputs?: readonly string[];
  /** Variables of the environment that it names; there with `inputs`. */
  readonly envReads?: readonly string[];
  /** Canonical hash of what the task does, for checkpoint keys. */
  readonly hash: string;
  /** Where the task's name stands, in the plan or in a file that it includes. */
  readonly range: SourceRange;
}

/** Which part of a plan is to run. At most one of `only` and `until`. */
export interface Selection {
  /** Just these tasks. */
  readonly only?: readonly string[] | undefined;
  /** These tasks and all that they need, direct and indirect. */
  readonly until?: readonly string[] | undefined;
  /** Of fan-outs, the items that pass. */
  readonly filters?: readonly ItemFilter[] | undefined;
}

/** A file that a plan includes, as it was when the plan was read. */
export interface IncludedFile {
  /** Absolute. */
  readonly file: string;
  readonly text: string;
}

/**
 * A plan in which nothing is left to check: names are unique, needs exist and are acyclic,
 * expressions parse, modules exist, defaults are filled in. Only `parsePlan` makes one.
 */
export interface ValidPlan {
  /** Absolute. */
  readonly file: string;
  /** The source, kept so that a run can store what it ran. */
  readonly text: string;
  /** The files that it includes, direct and indirect. */
  readonly includes: readonly IncludedFile[];
  readonly name: string;
  readonly description: string | undefined;
  readonly request: PlanRequest;
  readonly type: TaskType;
  readonly agents: AgentsSetting;
  readonly sync: 'wave' | 'eager';
  readonly backup: 'commit' | 'ref' | 'none';
  /** Declared defaults with `--param` values laid over them. */
  readonly params: JsonObject;
  /** Names of the environment variables whose values are masked in everything that is told or stored. */
  readonly secrets: readonly string[];
  readonly limits: PlanLimits;
  /** By name. */
  readonly pools: Readonly<Record<string, PoolLimits>>;
  readonly failure: PlanFailure;
  /** In file order. */
  readonly tasks: readonly TaskDefinition[];
  /** Run after the waves, in file order, whatever happened. */
  readonly finally: readonly TaskDefinition[];
  /** What is probably not meant, although it is valid. */
  readonly warnings: readonly Diagnostic[];
  /** Absent where all of the plan is to run. */
  readonly selection?: Selection;
}

/** The mode that a plan starts in: `agents` beats `request`. */
export function scalingMode(plan: ValidPlan): ScalingMode {
  return plan.agents.kind === 'auto' ? plan.request.mode : 'USER_OVERRIDE';
}
