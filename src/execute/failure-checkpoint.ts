import type { ActionOutcome } from '../actions/action.js';
import { type Checkpoint, isoTime, toMicroseconds } from '../model/checkpoint.js';
import type { Failure } from '../model/failure.js';

/** The record of a subtask that failed. */
export function failureCheckpoint(
  wave: number,
  subtask: string,
  { key, attempt, agent }: { readonly key: string; readonly attempt: number; readonly agent: string },
  outcome: Omit<ActionOutcome, 'leaked' | 'log'>,
): Checkpoint {
  const failure: Failure | undefined = outcome.failure;
  return {
    wave,
    task_id: subtask,
    status: 'failure',
    results: outcome.results,
    timestamp: isoTime(outcome.started + outcome.durationMs),
    agent_id: agent,
    key,
    attempt,
    started: toMicroseconds(outcome.started),
    duration_ms: toMicroseconds(outcome.durationMs),
    ...(failure === undefined ? {} : { error: failure }),
  };
}
