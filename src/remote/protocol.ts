import type { FailedAttempt } from '../actions/action.js';
import type { JsonObject, JsonValue } from '../model/json.js';

/**
 * What a coordinator and a worker on another machine say to each other, over Redis.
 *
 *   coordinator                        worker
 *                                   <- beat         every two seconds: a worker is there (a key that expires)
 *   beat                            ->              the same of the coordinator
 *   hello                           ->              which run, and the plan by its digests
 *                                   <- ready        it has that plan, and so many agents; or
 *                                   <- refused      why not
 *   program                         ->              once for each task of which jobs follow: its data, no command
 *   job (BullMQ)                    ->              a chunk of a task's subtasks
 *                                   <- accepted     it has the job in its own memory
 *                                   <- ask          a module wants earlier results
 *   answer                          ->
 *   reclaim                         ->              what was not begun goes back
 *   cancel                          ->              the same, and the subtask that runs is ended
 *                                   <- outcome      of a subtask, or of some in a row
 *                                   <- ended        exactly one for each accepted job, after its outcomes
 *                                   <- rejected     a job that was not as it must be
 *                                   <- stray        an error that no subtask owns any more
 *                                   <- leaving      it takes no more jobs, and ends when those are done that it has
 *   bye                             ->              the run is over
 *                                   <- bye          the worker ends
 *
 * Beats, jobs and messages are sealed with the shared key (`seal.ts`). Messages arrive once and in order (`channel.ts`). Jobs are
 * bound to one session of a worker and numbered, so that a worker knows one that is sent a second time (`replays.ts`); a job
 * that was not accepted after a while is sent again with a higher `delivery`.
 *
 * No message holds a command: a worker takes what a task does from the plan in its own checkout, and its environment from
 * its own process. Params, items and earlier results travel as data.
 */
export type ToWorker =
  | Hello
  | Program
  | { readonly type: 'answer'; readonly ask: number; readonly found: boolean; readonly results: JsonValue }
  | { readonly type: 'reclaim'; readonly chunk: number }
  | { readonly type: 'cancel'; readonly chunk: number }
  | { readonly type: 'bye' };

export type ToCoordinator =
  /** `beat`: the worker's last beat before it began to serve the run; later ones list the run's session. */
  | { readonly type: 'ready'; readonly agents: number; readonly beat: number }
  | { readonly type: 'refused'; readonly reason: string }
  | { readonly type: 'accepted'; readonly chunk: number }
  | { readonly type: 'ask'; readonly ask: number; readonly chunk: number; readonly task: string }
  | ({ readonly type: 'outcome'; readonly chunk: number } & SentOutcome)
  /** `cpuSeconds`: what the worker and its commands took since it serves this run. */
  | { readonly type: 'ended'; readonly chunk: number; readonly begun: number; readonly cpuSeconds: number }
  | { readonly type: 'rejected'; readonly reason: string }
  | { readonly type: 'stray'; readonly message: string }
  | { readonly type: 'leaving' }
  | { readonly type: 'bye' };

/** A file of a plan, by its path relative to the plan's folder, with the SHA-256 of its content. */
export type FileDigest = readonly [path: string, digest: string];

/** Which plan is meant. */
export interface PlanIdentity {
  readonly name: string;
  /** Of the plan's file, relative to the folder in which the run works. */
  readonly path: string;
  /** SHA-256 of the plan's own text. */
  readonly text: string;
  /** Of the files that it includes, and of the modules that it names with what they import. */
  readonly files: readonly FileDigest[];
  /** Over all of these. */
  readonly digest: string;
}

/** A file that only who sees the coordinator's own checkout can read. */
export interface CheckoutToken {
  /** Relative to the folder in which the run works. */
  readonly path: string;
  readonly token: string;
}

/** The first message to a worker. */
export interface Hello {
  readonly type: 'hello';
  readonly run: string;
  /** The coordinator's waveplan; another version may make other keys of the same plan. */
  readonly version: string;
  readonly plan: PlanIdentity;
  /** Without those that hold a secret. */
  readonly params: JsonObject;
  /** Params that are a secret, and the environment variable of the worker's own that has it. */
  readonly secretParams: Readonly<Record<string, string>>;
  /** There where only a worker that sees the coordinator's checkout may take part. */
  readonly checkout?: CheckoutToken;
}

/** What a worker needs to know of a task beyond its plan. */
export interface Program {
  readonly type: 'program';
  /** Unique among the programs of the coordinator. */
  readonly ref: number;
  readonly task: string;
  /** As the coordinator compiled it. */
  readonly hash: string;
  readonly wave: number;
  readonly fanOut: boolean;
  readonly timeoutMs?: number;
  /** `{results}` of the earlier tasks that its expressions read. */
  readonly tasks: JsonObject;
}

/** The text of a job, which is sealed as it stands. */
export interface JobText {
  readonly run: string;
  /** The sessions at both ends. */
  readonly coordinator: string;
  readonly worker: string;
  /** Counts the jobs of this coordinator for this worker from 1. */
  readonly serial: number;
  /** How often this job was sent, from 1. */
  readonly delivery: number;
  /** The plan's digest. */
  readonly plan: string;
  readonly task: string;
  readonly program: number;
  /** SHA-256 of the program as it was sent. */
  readonly programDigest: string;
  readonly chunk: number;
  readonly agent: string;
  readonly first: number;
  readonly count: number;
  readonly items?: readonly JsonValue[];
  readonly previous?: readonly JsonValue[];
  readonly occurrences?: Readonly<Record<number, number>>;
  readonly attempt: number;
  readonly timeoutMs?: number;
}

/** An outcome as a message holds it. The lines of successes, and the figures on each, are bytes behind it (`success-bytes.ts`). */
export type SentOutcome =
  | {
      readonly kind: 'success';
      readonly position: number;
      readonly count: number;
      readonly log: string;
      /** Where they were too long for a message: the file in the shared folder that has them, and its SHA-256. */
      readonly file?: SharedFile;
    }
  | { readonly kind: 'failure'; readonly position: number; readonly key: string; readonly outcome: FailedAttempt }
  | { readonly kind: 'left-out'; readonly position: number };

/** A file in the folder that both sides see. */
export interface SharedFile {
  readonly name: string;
  readonly digest: string;
}

/** What a worker says of itself in each beat. */
export interface WorkerBeat {
  readonly session: string;
  /** Grows from beat to beat. */
  readonly beat: number;
  readonly host: string;
  readonly pid: number;
  readonly agents: number;
  /** The sessions of the coordinators that it serves. One that is missing was given up, and starts again with a new session. */
  readonly serves: readonly string[];
  /** Of its machine, or the part of it that it may use. */
  readonly cores: number;
  readonly memoryBytes: number;
  readonly root: string;
  readonly version: string;
}

/** What a coordinator says of itself in each beat. */
export interface CoordinatorBeat {
  readonly session: string;
  readonly beat: number;
  readonly run: string;
}
