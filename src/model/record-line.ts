import { crc32 } from 'node:zlib';
import type { Checkpoint } from './checkpoint.js';

/*
 * A checkpoint as one line: its JSON, whose last key is a checksum (CRC-32) of all bytes before it.
 *
 *     {"wave":1,"task_id":"scan",…,"duration_ms":12,"crc":"1c291ca3"}\n
 *
 * Without it, a flipped bit in a name or a number would still be JSON, and one subtask's result would count as another's.
 * Still a line of plain JSON, so that any tool can read it.
 */

/** Bytes of the checksum at a record's end: `,"crc":"` and eight digits and `"}`. */
export const TAIL_BYTES = 18;

/** The line of a checkpoint, with its line end. */
export function toRecordLine(checkpoint: Checkpoint): string {
  return closedRecord(JSON.stringify(checkpoint).slice(0, -1));
}

/** The line of a record whose JSON lacks its last bracket. */
export function closedRecord(open: string): string {
  return `${open},"crc":"${checksum(open)}"}\n`;
}

/** What `closedRecord` adds. */
export const CLOSING_BYTES = TAIL_BYTES + 1;

/** The JSON of a checkpoint without its checksum, from a line without its line end that was made in this very process. */
export function withoutChecksum(line: string): string {
  return `${line.slice(0, -TAIL_BYTES)}}`;
}

/** The checksum of a record's bytes up to it. */
export function checksum(data: string | Buffer): string {
  return crc32(data).toString(16).padStart(8, '0');
}
