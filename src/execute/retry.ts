import type { FailureKind } from '../model/failure.js';
import type { RetryPolicy } from '../plan/valid-plan.js';

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
export function retryDelayMs(policy: RetryPolicy, kind: FailureKind, attempt: number, random: () => number): number | undefined {
  if (attempt > policy.max || !WORTH_REPEATING[kind]) return undefined;
  const backoff = Math.min(policy.backoffMs * policy.factor ** (attempt - 1), MAX_BACKOFF_MS);
  return policy.jitter === 'full' ? random() * backoff : backoff;
}

/** No wait is longer than an hour, whatever the factor says. */
const MAX_BACKOFF_MS = 3_600_000;
