import type { Checkpoint } from '../model/checkpoint.js';
import { checksum, TAIL_BYTES } from '../model/record-line.js';
import { isTooDeep, MAX_RECORD_DEPTH } from './json.js';
import { displayText } from './text.js';

/** The checkpoint of a line without its line end; undefined where the line is not whole, or not as it was written. */
export function fromRecordLine(line: Buffer): Checkpoint | undefined {
  const end = line.length - TAIL_BYTES;
  if (end < 2) return undefined;
  const body = line.subarray(0, end);
  if (line.toString('latin1', end) !== `,"crc":"${checksum(body)}"}`) return undefined;
  const text = `${displayText(body)}}`;
  // Anybody can compute the checksum, so the file may come from elsewhere.
  if (isTooDeep(text, MAX_RECORD_DEPTH)) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isCheckpoint(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isCheckpoint(value: unknown): value is Checkpoint {
  return (
    typeof value === 'object' &&
    value !== null &&
    'wave' in value &&
    typeof value.wave === 'number' &&
    'task_id' in value &&
    typeof value.task_id === 'string' &&
    'status' in value &&
    (value.status === 'success' || value.status === 'failure') &&
    'results' in value &&
    'timestamp' in value &&
    typeof value.timestamp === 'string' &&
    'agent_id' in value &&
    typeof value.agent_id === 'string' &&
    'key' in value &&
    typeof value.key === 'string'
  );
}
