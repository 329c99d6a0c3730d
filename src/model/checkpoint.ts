import type { Failure } from './failure.js';
import type { JsonValue } from './json.js';

/**
 * The record of one finished subtask: one line of `wave<N>.ndjson`. The first six fields are the
 * methodology's; the others are ours. Field names are a contract with readers outside, hence snake case.
 */
export interface Checkpoint {
  readonly wave: number;
  /** The task's name; `name[index]` for a subtask of a fan-out. */
  readonly task_id: string;
  readonly status: 'success' | 'failure';
  readonly results: JsonValue;
  /** When it ended: ISO 8601, UTC. */
  readonly timestamp: string;
  /** The slot that ran it, such as `agent_3`. */
  readonly agent_id: string;
  /** Hash of the task's definition and its item, never of the index. */
  readonly key: string;
  /** The attempt that this outcome comes from, from 1. */
  readonly attempt: number;
  /** When the attempt started, in milliseconds since the epoch. */
  readonly started: number;
  /** How long the attempt took, by a monotonic clock. */
  readonly duration_ms: number;
  /** Absent when it succeeded. */
  readonly error?: Failure;
}
