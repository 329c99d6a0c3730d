import type { FailedAttempt } from '../actions/action.js';
import { assessPass, type PassVerdict } from './assess-pass.js';
import type { DiagnosedTask, FailedSubtask } from './diagnosis.js';
import type { FailureRules } from './failure-policy.js';

/** How failures are answered. */
export interface FailureHandling {
  readonly rules: FailureRules;
  /** No share of failures stops the run. */
  readonly keepGoing: boolean;
  /** The first failure that its task does not try again ends the run and its running work. */
  readonly failFast: boolean;
}

/** A failed subtask whose pass goes on: it may be tried again when the pass is over. */
export interface HeldFailure {
  readonly key: string;
  readonly outcome: FailedAttempt;
  readonly attempt: number;
  readonly agent: string;
  /** When its first attempt began. */
  readonly begun: number;
}

/** A failure of the pass that goes on. */
export interface PassFailure extends FailedSubtask {
  readonly index: number;
  /** Absent where it is over already, because nothing could be gained by another attempt. */
  readonly held?: HeldFailure;
}

/** A pass that ended, and what is to be done. */
export interface EndedPasses {
  readonly failures: readonly PassFailure[];
  readonly verdict: PassVerdict;
}

/** Subtasks that wait for the end of their pass at most; those beyond are over at once. */
const MOST_HELD = 100_000;

/**
 * The failures of one wave, pass by pass.
 *
 *     pass 1: every subtask ──▶ failures ──assess──▶ over
 *                                   │
 *                                   └─ again ─▶ pass 2: those alone ──▶ failures ──assess──▶ …
 */
export class FailurePasses {
  readonly #handling: FailureHandling;
  #pass = 1;
  #failures: PassFailure[] = [];
  #held = 0;
  /** Failed for good in earlier passes and not set apart. */
  #stayed = 0;
  #isolated = { subtasks: 0, failed: 0 };

  constructor(handling: FailureHandling) {
    this.#handling = handling;
  }

  /** Subtasks that wait for the end of the pass. */
  get held(): number {
    return this.#held;
  }

  /** What was set apart, which the check of the wave leaves out. */
  get isolated(): { readonly subtasks: number; readonly failed: number } {
    return this.#isolated;
  }

  /** Whether something failed in the pass that goes on. */
  get hasFailures(): boolean {
    return this.#failures.length > 0;
  }

  get hasRoom(): boolean {
    return this.#held < MOST_HELD;
  }

  add(failure: PassFailure): void {
    this.#failures.push(failure);
    if (failure.held !== undefined) this.#held += 1;
  }

  /** To be called when nothing but what is held is left. undefined where nothing failed in the pass. */
  endPass(
    wave: number,
    at: {
      readonly tasks: readonly DiagnosedTask[];
      readonly agents: number;
      readonly mayRepeat: (failed: PassFailure) => boolean;
    },
  ): EndedPasses | undefined {
    const failures = this.#failures;
    const repeatable = new Set<FailedSubtask>(failures.filter(at.mayRepeat));
    const verdict = assessPass(
      {
        wave,
        pass: this.#pass,
        agents: at.agents,
        tasks: at.tasks,
        failed: failures,
        stayed: this.#stayed,
        mayRepeat: (failed) => repeatable.has(failed),
        isolated: this.#isolated,
        keepGoing: this.#handling.keepGoing,
      },
      this.#handling.rules,
    );
    if (verdict === undefined) return undefined;
    const newlyIsolated = verdict.isolated.failed - this.#isolated.failed;
    this.#stayed += failures.filter((failed) => !verdict.runsAgain(failed)).length - newlyIsolated;
    this.#isolated = verdict.isolated;
    this.#pass += 1;
    this.#failures = [];
    this.#held = 0;
    return { failures, verdict };
  }
}
