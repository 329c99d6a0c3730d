import type { ActionOutcome } from '../actions/action.js';
import { LazyJson } from '../model/lazy-json.js';
import { createMask, type Mask, maskFailure, NO_MASK } from '../model/mask.js';

/**
 * The outcome without secrets, before it is a checkpoint or anything else. Later tasks read masked results too: in a run
 * that is resumed they come from masked checkpoints, and both must be the same.
 */
export function maskOutcome(outcome: ActionOutcome, mask: Mask): ActionOutcome {
  if (mask === NO_MASK) return outcome;
  return {
    ...outcome,
    failure: outcome.failure && maskFailure(outcome.failure, mask),
    results: LazyJson.ofValue(mask.json(outcome.results.value)),
    ...(outcome.partial && { partial: LazyJson.ofValue(mask.json(outcome.partial.value)) }),
    log: mask.text(outcome.log),
  };
}

let last: { readonly values: readonly string[]; readonly mask: Mask } = { values: [], mask: NO_MASK };

/** The mask for secrets by the values that an environment has; kept from task to task, since a run has one. */
export function maskFor(names: readonly string[], env: Readonly<Record<string, string>>): Mask {
  const values = names.map((name) => env[name] ?? '').filter((value) => value !== '');
  const same = values.length === last.values.length && values.every((value, i) => value === last.values[i]);
  if (!same) last = { values, mask: createMask(values) };
  return last.mask;
}
