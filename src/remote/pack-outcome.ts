import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { keyAt } from '../execute/chunks.js';
import { parseCheckpoints } from '../model/checkpoint.js';
import type { Chunk, SubtaskOutcome } from '../worker/chunk.js';
import { sha256 } from './plan-identity.js';
import type { PackedOutcome } from './served-run.js';
import { successBytes } from './success-bytes.js';

/** Results of one subtask that are longer than this do not go through Redis, in bytes. */
export const INLINE_LIMIT = 1024 * 1024;

type Success = Extract<SubtaskOutcome, { kind: 'success' }>;

/**
 * An outcome as messages can hold it: results beyond the limit go into a file of the shared folder; where there is no such
 * folder the subtask fails, and says so.
 */
export function packOutcome(chunk: Chunk, outcome: SubtaskOutcome, shared: string | undefined): readonly PackedOutcome[] {
  const { id } = chunk;
  switch (outcome.kind) {
    case 'left-out':
      return [{ message: { type: 'outcome', chunk: id, ...outcome } }];
    case 'failure': {
      const { results, ...rest } = outcome.outcome;
      const fits = JSON.stringify(results).length <= INLINE_LIMIT;
      // What there is of a failed subtask's results is a help, no more.
      return [{ message: { type: 'outcome', chunk: id, ...outcome, outcome: { ...rest, results: fits ? results : null } } }];
    }
    case 'success':
      return singles(outcome).map((success) => packSuccess(chunk, success, shared));
  }
}

/** One by one where they are too large together. */
function singles(outcome: Success): readonly Success[] {
  const { position, count, lines, results, durationsMs, log } = outcome;
  if (count === 1 || lines.byteLength <= INLINE_LIMIT) return [outcome];
  const bytes = Buffer.from(lines.buffer, lines.byteOffset, lines.byteLength);
  const all: Success[] = [];
  let begin = 0;
  for (let i = 0; i < count; i++) {
    // The line goes on behind its results.
    const end = bytes.indexOf('\n', results[2 * i + 1]) + 1;
    const own = results.slice(2 * i, 2 * i + 2).map((at) => at - begin);
    const line = bytes.subarray(begin, end);
    all.push({
      kind: 'success',
      position: position + i,
      count: 1,
      lines: line,
      results: own,
      durationsMs: durationsMs.slice(i, i + 1),
      log,
    });
    begin = end;
  }
  return all;
}

function packSuccess(chunk: Chunk, outcome: Success, shared: string | undefined): PackedOutcome {
  const { kind, position, count, lines, log } = outcome;
  const message = { type: 'outcome', chunk: chunk.id, kind, position, count, log } as const;
  const bytes = successBytes(outcome);
  if (count > 1 || lines.byteLength <= INLINE_LIMIT) return { message, bytes };
  if (shared === undefined) return tooLarge(chunk, outcome, 'give --shared DIR to the worker and to the run');
  const name = `${randomBytes(12).toString('hex')}.ndjson`;
  try {
    writeFileSync(join(shared, name), bytes, { flag: 'wx' });
  } catch (error) {
    return tooLarge(chunk, outcome, `and cannot be left in ${shared}: ${error instanceof Error ? error.message : error}`);
  }
  return { message: { ...message, file: { name, digest: sha256(bytes) } } };
}

function tooLarge(chunk: Chunk, { position, log, lines }: Success, why: string): PackedOutcome {
  const [checkpoint] = parseCheckpoints([lines]);
  const size = `${(lines.byteLength / 1024 / 1024).toFixed(1)} MiB`;
  const message = `its results are ${size}, too large to go through Redis (${INLINE_LIMIT / 1024 / 1024} MiB): ${why}`;
  return {
    message: {
      type: 'outcome',
      chunk: chunk.id,
      kind: 'failure',
      position,
      key: keyAt(chunk, position),
      outcome: {
        failure: { kind: 'output', message },
        results: null,
        log,
        started: checkpoint?.started ?? 0,
        durationMs: checkpoint?.duration_ms ?? 0,
        leaked: false,
      },
    },
  };
}
