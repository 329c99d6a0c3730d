import type { FailedAttempt } from '../actions/action.js';
import type { FailureKind } from '../model/failure.js';
import { isJsonObject } from '../model/json.js';
import type { RetryCause, RetryPolicy } from '../plan/valid-plan.js';

/** Whether another attempt can change the outcome: a module that does not load will not load the next time either. */
const WORTH_REPEATING: Readonly<Record<FailureKind, boolean>> = {
  command: true,
  spawn: true,
  module: true,
  'module-load': false,
  action: true,
  input: false,
  timeout: true,
  success: true,
  expression: false,
  items: false,
  output: true,
  'agent-lost': true,
  cancelled: false,
};

/** A failed attempt, as far as a retry policy looks at it. */
export type Retried = Pick<FailedAttempt, 'failure' | 'results'>;

/**
 * How long to wait before the attempt after number `attempt`, in milliseconds; `undefined` when there is none.
 * Exponential back-off: `backoff * factor ** (attempt - 1)`; full jitter takes a random share of that
 * (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015), so that retries do not come in step.
 * @param random a number from 0 up to 1.
 */
export function retryDelayMs(policy: RetryPolicy, failed: Retried, attempt: number, random: () => number): number | undefined {
  if (attempt > policy.max || !isWorthRepeating(policy, failed)) return undefined;
  const backoff = Math.min(policy.backoffMs * policy.factor ** (attempt - 1), MAX_BACKOFF_MS);
  return policy.jitter === 'full' ? random() * backoff : backoff;
}

/** No wait is longer than an hour, whatever the factor says. */
const MAX_BACKOFF_MS = 3_600_000;

/** Whether another attempt could end otherwise, and the policy does not rule it out. */
export function isWorthRepeating({ on }: RetryPolicy, failed: Retried): boolean {
  return WORTH_REPEATING[failed.failure.kind] && (on === undefined || on.some((cause) => isCause(cause, failed)));
}

function isCause(cause: RetryCause, { failure, results }: Retried): boolean {
  switch (cause.kind) {
    case 'exit-code':
      return failure.exitCode === cause.code;
    case 'failure-kind':
      return failure.kind === cause.failure;
    case 'pattern': {
      const pattern = new RegExp(cause.source, cause.flags);
      // What a command printed, too: its message is one line of that.
      const { stdout, stderr } = isJsonObject(results) ? results : {};
      return [failure.message, stderr, stdout].some((text) => typeof text === 'string' && pattern.test(text));
    }
  }
}
