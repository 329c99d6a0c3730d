import type { Failure, FailureKind } from '../model/failure.js';
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

/**
 * How long to wait before the attempt after number `attempt`, in milliseconds; `undefined` when there is none.
 * Exponential back-off: `backoff * factor ** (attempt - 1)`; full jitter takes a random share of that
 * (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015), so that retries do not come in step.
 * @param random a number from 0 up to 1.
 */
export function retryDelayMs(policy: RetryPolicy, failure: Failure, attempt: number, random: () => number): number | undefined {
  if (attempt > policy.max || !isWorthRepeating(policy, failure)) return undefined;
  const backoff = Math.min(policy.backoffMs * policy.factor ** (attempt - 1), MAX_BACKOFF_MS);
  return policy.jitter === 'full' ? random() * backoff : backoff;
}

/** No wait is longer than an hour, whatever the factor says. */
const MAX_BACKOFF_MS = 3_600_000;

/** Whether another attempt could end otherwise, and the policy does not rule it out. */
export function isWorthRepeating({ on }: RetryPolicy, failure: Failure): boolean {
  return WORTH_REPEATING[failure.kind] && (on === undefined || on.some((cause) => isCause(cause, failure)));
}

function isCause(cause: RetryCause, { kind, exitCode, message }: Failure): boolean {
  switch (cause.kind) {
    case 'exit-code':
      return exitCode === cause.code;
    case 'failure-kind':
      return kind === cause.failure;
    case 'pattern':
      return new RegExp(cause.source, cause.flags).test(message);
  }
}
