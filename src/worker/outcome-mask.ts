import type { ActionOutcome } from '../actions/action.js';
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
    results: mask.json(outcome.results),
    log: mask.text(outcome.log),
  };
}

let lastMask: { readonly names: string; readonly mask: Mask } = { names: '', mask: NO_MASK };

/** The mask for some secrets; kept from chunk to chunk, since all chunks of a run have the same. */
export function maskFor(names: readonly string[], env: Readonly<Record<string, string>>): Mask {
  const joined = names.join(' ');
  if (lastMask.names !== joined) lastMask = { names: joined, mask: createMask(names.flatMap((name) => env[name] ?? [])) };
  return lastMask.mask;
}
