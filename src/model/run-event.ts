import type { Checkpoint } from './checkpoint.js';
import type { Failure } from './failure.js';
import type { FailureAssessment } from './failure-assessment.js';
import type { ScalingDecision } from './scaling-decision.js';
import type { SkipCause } from './skip.js';

/** How a run ended. */
export type RunStatus = 'done' | 'failed' | 'stopped' | 'broken';

/** The verdict between two waves, in the methodology's words. */
export type WaveVerdict = 'READY' | 'INCOMPLETE' | 'FAILED';

/** What the check between waves found in the checkpoints, against what was expected. */
export interface WaveCheck {
  readonly verdict: WaveVerdict;
  readonly expected: number;
  /** Checkpoints found when the wave's records were read back. */
  readonly recorded: number;
  readonly failed: number;
  readonly reason: string;
}

/** What a wave took, beside its duration. Seconds. */
export interface WaveMeasures {
  /** Processor time of the coordinator, its threads and its commands. */
  readonly cpuSeconds: number;
  /** Sum of the subtasks' durations. */
  readonly busySeconds: number;
  /** Agent seconds without work at the barrier, while others still worked. */
  readonly idleSeconds: number;
  /** From the last subtask's end to the end of the wave: its checkpoints on disk and checked. Absent in earlier records. */
  readonly checkSeconds?: number;
  /** Agent seconds from the wave's begin until each agent's first subtask began. Absent in earlier records. */
  readonly leadSeconds?: number;
  /** From the wave's begin until its first subtask began: what the first threads loaded for it. Absent in earlier records. */
  readonly firstBeginSeconds?: number;
}

/** What was seen of a pool, against its limits. */
export interface PoolUse {
  readonly name: string;
  readonly max?: number;
  readonly ratePerMinute?: number;
  /** The most that was held at one moment, by weight. */
  readonly peak: number;
  readonly starts: number;
}

/** The state to which `restore` brings the tree back. */
export type Backup =
  | { readonly mode: 'none' }
  | { readonly mode: 'commit'; readonly commit: string; readonly created: boolean; readonly branch: string }
  | { readonly mode: 'ref'; readonly commit: string; readonly ref: string };

/** A task of a wave as the run will execute it; `subtasks` is absent until its fan-out expands. */
export interface TaskOutline {
  readonly id: string;
  readonly phase: string | undefined;
  readonly fanOut: boolean;
  readonly subtasks: number | undefined;
  /** What it does, for people: its command or its module. */
  readonly work: string;
  /** The tasks that must end before it. */
  readonly needs?: readonly string[];
  /** Those of `needs` that may be skipped without this task being skipped too; absent: none. */
  readonly optionalNeeds?: readonly string[];
  /** Why it will not run, as far as that is known before the run, in words that follow 'skipped because'. */
  readonly skipped?: string;
}

/** A wave as planned: number 1 and up; wave 0 is the backup. */
export interface WaveOutline {
  readonly number: number;
  readonly name: string;
  readonly tasks: readonly TaskOutline[];
}

/** Facts that no record holds: subtasks are recorded when they end, not when they start. */
export interface RunObservations {
  readonly events: number;
  /** Agents at work at one moment. */
  readonly peakAgents: number;
}

/**
 * Everything that happens in a run, in order. Reports are folds over these, live or from disk.
 * `at` is in milliseconds since the epoch; durations come from a monotonic clock.
 */
export type RunEvent =
  | {
      readonly type: 'run-started';
      readonly at: number;
      readonly run: string;
      readonly plan: string;
      readonly task: string;
      readonly methodologyHash: string;
      readonly waves: readonly WaveOutline[];
      readonly decision: ScalingDecision;
      /** Absent: wave. */
      readonly sync?: 'wave' | 'eager';
      /** What the plan was expected to take, in seconds; absent while a fan-out's size is not known. */
      readonly predictedSeconds: number | undefined;
      /** How the user agreed: at the prompt, by `--yes`, or through the library. */
      readonly confirmed: 'prompt' | 'flag' | 'library';
      /** Of the machine; absent where nobody says. */
      readonly cores?: number;
      /** Whether the analysis was shown before; absent where nobody says. */
      readonly planShown?: boolean;
    }
  | {
      readonly type: 'run-resumed';
      readonly at: number;
      readonly run: string;
      /** Subtasks that are finished by the record of the run so far. */
      readonly finished: number;
      /** Of those, the failed; they count as finished unless they were asked to run again. */
      readonly failed: number;
      readonly failedRunAgain: boolean;
      /** Tasks of which nothing counts any more, with the reason. */
      readonly outdated: readonly { readonly task: string; readonly reason: string }[];
      /** Processes that the run had left behind and that were ended. */
      readonly leftovers: number;
    }
  | { readonly type: 'backup-made'; readonly at: number; readonly durationMs: number; readonly backup: Backup }
  | { readonly type: 'decision-taken'; readonly at: number; readonly wave: number; readonly decision: ScalingDecision }
  | {
      readonly type: 'wave-started';
      readonly at: number;
      readonly wave: number;
      readonly name: string;
      readonly agents: number;
      /** 0: in the coordinator's own thread, with no pool. */
      readonly threads: number;
      readonly subtasks: number;
      /** What it is expected to take; absent where nobody predicts. */
      readonly predictedSeconds?: number;
    }
  | {
      readonly type: 'agents-changed';
      readonly at: number;
      readonly wave: number;
      readonly from: number;
      readonly to: number;
      readonly reason: string;
      /** More agents were tried and brought no more throughput. */
      readonly settled?: boolean;
      /** The throughput grew nearly as much as the number of agents had. */
      readonly grew?: boolean;
    }
  | {
      readonly type: 'task-expanded';
      readonly at: number;
      readonly wave: number;
      readonly task: string;
      readonly subtasks: number;
    }
  | {
      /** Of a run that was resumed: records of earlier parts no longer count, because the plan has no such subtasks any more. */
      readonly type: 'records-dropped';
      readonly at: number;
      readonly wave: number;
      readonly task: string;
      /** The keys of those subtasks; a task may have several such events. */
      readonly keys: readonly string[];
    }
  | {
      readonly type: 'subtask-started';
      readonly at: number;
      readonly wave: number;
      readonly task: string;
      readonly subtask: string;
      readonly agent: string;
      readonly attempt: number;
    }
  | {
      /** Subtasks in a row were handed to an agent, which begins the first of them. */
      readonly type: 'subtasks-started';
      readonly at: number;
      readonly wave: number;
      readonly task: string;
      readonly agent: string;
      /** Index of the first. */
      readonly first: number;
      readonly count: number;
    }
  | {
      /** Subtasks that were handed to an agent and not begun were taken back. */
      readonly type: 'subtasks-returned';
      readonly at: number;
      readonly wave: number;
      readonly task: string;
      readonly agent: string;
      readonly first: number;
      readonly count: number;
      readonly reason: string;
    }
  | {
      /** Subtasks of a fan-out that succeeded at the first attempt and said nothing, in the order of their ends. */
      readonly type: 'subtasks-finished';
      readonly at: number;
      readonly wave: number;
      readonly task: string;
      readonly agent: string;
      readonly count: number;
      /** Their checkpoints as the journal holds them, in blocks of whole lines; see `parseCheckpoints`. */
      readonly lines: readonly Uint8Array[];
      readonly durationsMs: readonly number[];
    }
  | {
      /** An attempt failed. Whether there is another is decided when the pass is over; until then its agent is free. */
      readonly type: 'attempt-failed';
      readonly at: number;
      readonly wave: number;
      readonly task: string;
      readonly subtask: string;
      readonly agent: string;
      readonly attempt: number;
      readonly failure: Failure;
    }
  | {
      readonly type: 'subtask-retried';
      readonly at: number;
      readonly wave: number;
      readonly task: string;
      readonly subtask: string;
      readonly agent: string;
      readonly attempt: number;
      readonly delayMs: number;
      readonly failure: Failure;
      /** The attempt was told of before, by `attempt-failed`. */
      readonly late?: true;
    }
  | {
      readonly type: 'subtask-finished';
      readonly at: number;
      readonly task: string;
      readonly checkpoint: Checkpoint;
      /** What it said, bounded; absent when it said nothing. */
      readonly log?: string;
      /**
       * Finished before the run was resumed; it did not run again. 'moved': its name or its wave are others now, so that its
       * record is written again. 'up-to-date': an earlier run did it, and nothing that it hangs on has changed since.
       */
      readonly resumed?: 'as-is' | 'moved' | 'up-to-date';
      /** It failed before, as `attempt-failed` told, and is not tried again. */
      readonly late?: true;
    }
  | {
      /** A subtask was ended with its run. It is not over: a resume runs it again. */
      readonly type: 'subtask-cancelled';
      readonly at: number;
      readonly task: string;
      /** A failure of kind `cancelled`; `partial` is what the work returned. */
      readonly checkpoint: Checkpoint;
      /** Its log, bounded; absent when it is empty. */
      readonly log?: string;
    }
  | {
      /** Subtasks of a fan-out did not run: an earlier run did them, and nothing that they hang on has changed since. */
      readonly type: 'subtasks-up-to-date';
      readonly at: number;
      readonly wave: number;
      readonly task: string;
      readonly count: number;
      /** Their checkpoints of then as this run's journal holds them, in blocks of whole lines. */
      readonly lines: readonly Uint8Array[];
    }
  | ({ readonly type: 'failure-assessed'; readonly at: number } & FailureAssessment)
  | {
      readonly type: 'subtask-skipped';
      readonly at: number;
      readonly wave: number;
      readonly task: string;
      readonly subtask: string;
      /** The agent that it was handed to; absent where it never came so far. */
      readonly agent?: string;
      /** Absent in records of earlier versions. */
      readonly skip?: SkipCause;
      /** The same in words, to follow 'skipped because'. */
      readonly reason: string;
    }
  | {
      readonly type: 'wave-finished';
      readonly at: number;
      readonly wave: number;
      readonly durationMs: number;
      readonly check: WaveCheck;
      /** Absent where nobody measures. */
      readonly measured?: WaveMeasures;
    }
  | {
      readonly type: 'finally-finished';
      readonly at: number;
      readonly task: string;
      readonly checkpoint: Checkpoint;
      readonly log?: string;
    }
  | { readonly type: 'pools-observed'; readonly at: number; readonly pools: readonly PoolUse[] }
  | { readonly type: 'warning'; readonly at: number; readonly message: string }
  | {
      readonly type: 'run-finished';
      readonly at: number;
      readonly status: RunStatus;
      readonly reason: string;
      readonly durationMs: number;
      /** What only those who watched the run know; a report that is made again takes it from here. */
      readonly observed?: RunObservations;
    };
