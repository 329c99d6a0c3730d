/** Why a subtask did not succeed. The kind decides the diagnosis; the message is for people. */
export type FailureKind =
  /** A command ended with an exit code other than 0, or by a signal. */
  | 'command'
  /** A command could not be started (not found, not executable, no such folder). */
  | 'spawn'
  /** A module threw or rejected. */
  | 'module'
  /** A module could not be loaded: syntax error, missing export, throws on import. */
  | 'module-load'
  /** A built-in action could not do its work, such as a file that is not there or a status that was not expected. */
  | 'action'
  /** What a built-in action was given does not fit its schema, or is a path outside the run's folder. */
  | 'input'
  /** The subtask's time was up. */
  | 'timeout'
  /** The work ended, but an expression of `success` does not hold. */
  | 'success'
  /** An expression of the plan could not be evaluated for this subtask. */
  | 'expression'
  /** The items of a fan-out could not be had: no such file, a broken line in it, too many of them. */
  | 'items'
  /** The output is not of the form that `output` asks for, or is larger than the bound. */
  | 'output'
  /** The thread that hosted the subtask ended (`process.exit`, heap exhausted). */
  | 'agent-lost'
  /** The run was stopped while the subtask ran. */
  | 'cancelled';

/** A subtask's failure, as checkpoints and reports hold it. */
export interface Failure {
  readonly kind: FailureKind;
  /** One line or a few; never a stack of ours. */
  readonly message: string;
  /** Of a command that ended by itself. */
  readonly exitCode?: number;
  /** Of a command that ended by a signal, such as `SIGKILL`. */
  readonly signal?: string;
  /** Where a module failed: its stack, without our own frames. */
  readonly stack?: string;
  /** What a server asked for before it is asked again, in milliseconds. */
  readonly retryAfterMs?: number;
}
