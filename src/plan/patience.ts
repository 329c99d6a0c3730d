import type { FailureKind } from '../model/failure.js';
import { err, ok, type Result } from '../model/result.js';
import type { Report } from './problems.js';
import { parseDuration } from './quantities.js';
import { itemsOf, numberOf, type SourceNode, textOf, valueAt } from './source-node.js';
import type { RetryCause, RetryPolicy } from './valid-plan.js';

/** Node's timers hold no more milliseconds than this, about 24 days. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** How long a task is given, and how often. */
export interface Patience {
  readonly timeoutMs: number | undefined;
  readonly subtaskTimeoutMs?: number | undefined;
  readonly retries: RetryPolicy;
}

/** What holds where a plan says nothing: one attempt, no time-out. */
const NO_PATIENCE: Patience = { timeoutMs: undefined, retries: { max: 0, backoffMs: 200, factor: 2, jitter: 'full' } };

/** `timeout` and `retries` of a task or of `defaults`; key by key, what is absent is as in `fallback`. */
export function readPatience(node: SourceNode | undefined, fallback: Patience | undefined, report: Report): Patience {
  const base = fallback ?? NO_PATIENCE;
  const retries = valueAt(node, 'retries');
  const jitter = textOf(valueAt(retries, 'jitter'));
  const bounds = { positive: true, most: MAX_TIMER_MS };
  const subtaskTimeoutMs = readDuration(valueAt(node, 'subtaskTimeout'), bounds, report) ?? base.subtaskTimeoutMs;
  const max = numberOf(valueAt(retries, 'max'));
  const on = retries === undefined ? undefined : readCauses(valueAt(retries, 'on'), report);
  const causes = on ?? base.retries.on;
  return {
    timeoutMs: readDuration(valueAt(node, 'timeout'), bounds, report) ?? base.timeoutMs,
    ...(subtaskTimeoutMs !== undefined && { subtaskTimeoutMs }),
    retries: {
      max: max ?? base.retries.max,
      backoffMs:
        readDuration(valueAt(retries, 'backoff'), { positive: false, most: MAX_TIMER_MS }, report) ?? base.retries.backoffMs,
      factor: numberOf(valueAt(retries, 'factor')) ?? base.retries.factor,
      jitter: jitter === 'full' || jitter === 'none' ? jitter : base.retries.jitter,
      ...(causes !== undefined && { on: causes }),
      ...((max === undefined ? base.retries.never === true : max === 0) && { never: true as const }),
    },
  };
}

/** Kinds of failure that another attempt could mend, by name. */
const REPEATABLE: readonly FailureKind[] = ['command', 'spawn', 'module', 'timeout', 'success', 'output', 'agent-lost'];

/** `retries.on`: exit codes, kinds of failure, and patterns for the message. */
function readCauses(node: SourceNode | undefined, report: Report): readonly RetryCause[] | undefined {
  if (node === undefined) return undefined;
  return itemsOf(node).flatMap((item): readonly RetryCause[] => {
    const code = numberOf(item);
    if (code !== undefined) return [{ kind: 'exit-code', code }];
    const text = textOf(item);
    if (text === undefined) return [];
    const failure = REPEATABLE.find((kind) => kind === text);
    if (failure !== undefined) return [{ kind: 'failure-kind', failure }];
    const written = /^\/(.+)\/([imsu]*)$/s.exec(text);
    if (written === null) return [{ kind: 'pattern', source: text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), flags: '' }];
    const [, source = '', flags = ''] = written;
    try {
      new RegExp(source, flags);
      return [{ kind: 'pattern', source, flags }];
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      report({ code: 'VALUE', message: `'${text.slice(0, 60)}' is not a regular expression: ${reason}`, span: item });
      return [];
    }
  });
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
