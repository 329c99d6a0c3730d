import type { FailedAttempt } from '../actions/action.js';
import { type Checkpoint, isoTime, toMicroseconds } from '../model/checkpoint.js';

/** The record of a subtask that failed. */
export function failureCheckpoint(
  wave: number,
  subtask: string,
  { key, attempt, agent }: { readonly key: string; readonly attempt: number; readonly agent: string },
  outcome: Omit<FailedAttempt, 'leaked' | 'log'>,
): Checkpoint {
  return {
    wave,
    task_id: subtask,
    status: 'failure',
    results: outcome.results,
    ...(outcome.partial !== undefined && { partial: outcome.partial }),
    timestamp: isoTime(outcome.started + outcome.durationMs),
    agent_id: agent,
    key,
    attempt,
    started: toMicroseconds(outcome.started),
    duration_ms: toMicroseconds(outcome.durationMs),
    error: outcome.failure,
  };
}
