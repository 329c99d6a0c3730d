import type { ActionOutcome, SubtaskRequest } from '../actions/action.js';
import { type Mask, maskFailure, NO_MASK } from '../model/mask.js';
import type { AgentLayout, Executor, ReadResults } from './executor.js';

/**
 * Another executor, with secrets taken out of every outcome before anybody sees it. Later tasks read masked results too:
 * in a run that is resumed they come from masked checkpoints, and both must be the same.
 */
export function maskingExecutor(executor: Executor, mask: Mask): Executor {
  if (mask === NO_MASK) return executor;
  return {
    open: (layout: AgentLayout) => executor.open(layout),
    execute: async (request: SubtaskRequest, agent: number, readResults: ReadResults) =>
      maskOutcome(await executor.execute(request, agent, readResults), mask),
    cancel: (id: number) => executor.cancel(id),
    close: () => executor.close(),
  };
}

function maskOutcome(outcome: ActionOutcome, mask: Mask): ActionOutcome {
  return {
    ...outcome,
    failure: outcome.failure && maskFailure(outcome.failure, mask),
    results: mask.json(outcome.results),
    log: mask.text(outcome.log),
  };
}
