import type { Failure } from '../../model/failure.js';
import type { JsonValue } from '../../model/json.js';
import { err, ok, type Result } from '../../model/result.js';
import { actionFailure } from './failures.js';
import { type Bounds, resolvePath, shown } from './paths.js';
import type { BuiltInContext } from './perform-built-in.js';

/** `with` of `files/move` and `files/copy`; the schemas say more. */
export interface PairsInput {
  readonly from?: string;
  readonly to?: string;
  readonly pairs?: readonly { readonly from: string; readonly to: string }[];
  readonly overwrite?: boolean;
  readonly ifMissing?: 'fail' | 'skip';
  readonly outside?: boolean;
}

/** Two real paths, and how messages name them. */
export interface Pair {
  readonly from: string;
  readonly to: string;
  readonly given: { readonly from: string; readonly to: string };
}

/** What became of one pair. */
export type PairOutcome = 'done' | 'skipped';

/**
 * Does the work for each pair in order. All are tried: a failure names the first few that failed, and what was done
 * stays done.
 */
export async function forEachPair(
  input: PairsInput,
  { cwd, folder, signal }: BuiltInContext,
  work: (pair: Pair) => Promise<Result<PairOutcome, Failure>>,
): Promise<Result<JsonValue, Failure>> {
  const pairs = input.pairs ?? (input.from === undefined || input.to === undefined ? [] : [{ from: input.from, to: input.to }]);
  const bounds = { cwd, folder, outside: input.outside };
  const files: string[] = [];
  const failures: Failure[] = [];
  let skipped = 0;
  for (const given of pairs) {
    signal.throwIfAborted();
    const outcome = await workOn(given, bounds, work);
    if (!outcome.ok) failures.push(outcome.error);
    else if (outcome.value === 'skipped') skipped += 1;
    else files.push(given.to);
  }
  return summed(failures, pairs.length) ?? ok({ files, count: files.length, skipped });
}

async function workOn(
  given: { readonly from: string; readonly to: string },
  bounds: Bounds,
  work: (pair: Pair) => Promise<Result<PairOutcome, Failure>>,
): Promise<Result<PairOutcome, Failure>> {
  const from = await resolvePath(given.from, bounds, 'entry');
  if (!from.ok) return from;
  const to = await resolvePath(given.to, bounds, 'entry');
  if (!to.ok) return to;
  try {
    return await work({ from: from.value, to: to.value, given });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return err(actionFailure(`${shown(given.from)}: ${reason}`));
  }
}

/** Several failures as one; `undefined` where there is none. */
export function summed(failures: readonly Failure[], of: number): Result<never, Failure> | undefined {
  const [first] = failures;
  if (first === undefined) return undefined;
  if (of === 1) return err(first);
  const told = failures.slice(0, MOST_TOLD).map(({ message }) => message);
  const rest = failures.length > MOST_TOLD ? [`and ${failures.length - MOST_TOLD} more`] : [];
  const kind = failures.every((failure) => failure.kind === 'input') ? 'input' : 'action';
  return err({ kind, message: `${failures.length} of ${of} failed: ${[...told, ...rest].join('; ')}` });
}

const MOST_TOLD = 5;
