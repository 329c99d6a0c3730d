import type { Failure } from './failure.js';
import { type JsonValue, ownJson } from './json.js';
import { withoutChecksum } from './record-line.js';

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
  /** What the work returned after it was asked to stop, by a time-out or with the run; absent in any other record. */
  readonly partial?: JsonValue;
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

/** Whether a record is of a subtask that was ended with its run, and so is not over. */
export function isCancelled({ error }: Pick<Checkpoint, 'error'>): boolean {
  return error?.kind === 'cancelled';
}

/** A checkpoint's line in three parts, `before + results + after`, up to where its checksum is to stand (`record-line.ts`). */
export interface CheckpointText {
  readonly before: string;
  /** The results as JSON. */
  readonly results: string;
  readonly after: string;
}

/**
 * The record of a success, made of texts: what `JSON.stringify` would write of the whole record takes three times as long,
 * and there are millions. Names and ids hold nothing that JSON escapes. Times are kept to the microsecond.
 */
export function checkpointText(
  record: Omit<Checkpoint, 'status' | 'results' | 'timestamp' | 'error'>,
  results: string,
): CheckpointText {
  const { wave, task_id, agent_id, key, attempt, started, duration_ms } = record;
  return {
    before: `{"wave":${wave},"task_id":"${task_id}","status":"success","results":`,
    results,
    after: `,"timestamp":"${isoTime(started + duration_ms)}","agent_id":"${agent_id}","key":"${key}","attempt":${attempt},"started":${toMicroseconds(started)},"duration_ms":${toMicroseconds(duration_ms)}`,
  };
}

/** Milliseconds, rounded to the microsecond: more digits say nothing and take room in every record. */
export function toMicroseconds(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** The second that was told last, up to its point: most moments lie in the second of the one before. */
let lastSecond = { ms: Number.NaN, text: '' };

/** A moment in ISO 8601, UTC; `ms` is since the epoch. */
export function isoTime(ms: number): string {
  const whole = Math.floor(ms);
  const rest = whole - Math.floor(whole / 1000) * 1000;
  const second = whole - rest;
  if (lastSecond.ms !== second) lastSecond = { ms: second, text: new Date(second).toISOString().slice(0, -4) };
  return `${lastSecond.text}${rest < 10 ? '00' : rest < 100 ? '0' : ''}${rest}Z`;
}

/** The checkpoints in blocks of whole lines, parsed one by one as they are asked for. */
export function* parseCheckpoints(blocks: readonly Uint8Array[]): Generator<Checkpoint, void, undefined> {
  for (const block of blocks) {
    const text = Buffer.from(block.buffer, block.byteOffset, block.byteLength).toString('utf8');
    for (let start = 0; start < text.length; ) {
      const end = text.indexOf('\n', start);
      yield ownJson(withoutChecksum(text.slice(start, end))) as Checkpoint;
      start = end + 1;
    }
  }
}
