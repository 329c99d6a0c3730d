import { err, ok, type Result } from '../model/result.js';
import type { Report } from './problems.js';
import { parseDuration } from './quantities.js';
import { numberOf, type SourceNode, textOf, valueAt } from './source-node.js';
import type { RetryPolicy } from './valid-plan.js';

/** Node's timers hold no more milliseconds than this, about 24 days. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** How long a task is given, and how often. */
export interface Patience {
  readonly timeoutMs: number | undefined;
  readonly retries: RetryPolicy;
}

/** What holds where a plan says nothing: one attempt, no time-out. */
const NO_PATIENCE: Patience = { timeoutMs: undefined, retries: { max: 0, backoffMs: 200, factor: 2, jitter: 'full' } };

/** `timeout` and `retries` of a task or of `defaults`; key by key, what is absent is as in `fallback`. */
export function readPatience(node: SourceNode | undefined, fallback: Patience | undefined, report: Report): Patience {
  const base = fallback ?? NO_PATIENCE;
  const retries = valueAt(node, 'retries');
  const jitter = textOf(valueAt(retries, 'jitter'));
  return {
    timeoutMs: readDuration(valueAt(node, 'timeout'), { positive: true, most: MAX_TIMER_MS }, report) ?? base.timeoutMs,
    retries: {
      max: numberOf(valueAt(retries, 'max')) ?? base.retries.max,
      backoffMs:
        readDuration(valueAt(retries, 'backoff'), { positive: false, most: MAX_TIMER_MS }, report) ?? base.retries.backoffMs,
      factor: numberOf(valueAt(retries, 'factor')) ?? base.retries.factor,
      jitter: jitter === 'full' || jitter === 'none' ? jitter : base.retries.jitter,
    },
  };
}

interface DurationBounds {
  readonly positive: boolean;
  /** In milliseconds. */
  readonly most?: number;
}

/** A duration in milliseconds; `undefined` where it is absent, or was reported. */
export function readDuration(node: SourceNode | undefined, bounds: DurationBounds, report: Report): number | undefined {
  const text = textOf(node);
  if (node === undefined || text === undefined) return undefined;
  const duration = parseBounded(text, bounds);
  if (duration.ok) return duration.value;
  report({ code: 'VALUE', message: duration.error, span: node });
  return undefined;
}

function parseBounded(text: string, bounds: DurationBounds): Result<number, string> {
  const duration = parseDuration(text);
  if (!duration.ok) return duration;
  if (bounds.positive && duration.value <= 0) return err('the duration must be more than 0');
  if (bounds.most !== undefined && duration.value > bounds.most) return err('the duration must be at most 24 days');
  return ok(duration.value);
}
