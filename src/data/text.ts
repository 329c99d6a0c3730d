import { isUtf8 } from 'node:buffer';
import { err, ok, type Result } from '../model/result.js';
import { type DataProblem, placeIn } from './place.js';

/**
 * Bytes as text: UTF-8, or an error with the place of the first byte that is not. A byte order mark is dropped.
 * @param options.keepMark keeps it, for a text that may be written back.
 */
export function decodeUtf8(bytes: Buffer, options: { readonly keepMark?: boolean } = {}): Result<string, DataProblem> {
  if (!isUtf8(bytes)) return err(invalidUtf8(bytes));
  return ok(bytes.toString('utf8', options.keepMark === true ? 0 : markLength(bytes)));
}

/** Bytes as text for people to look at, such as the end of a command's output: what is not UTF-8 is shown as U+FFFD. */
export function displayText(bytes: Buffer, begin = 0, end = bytes.length): string {
  return bytes.toString('utf8', begin, end);
}

/** How many bytes a byte order mark takes at the beginning of UTF-8. */
export function markLength(bytes: Buffer): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}

/** The problem of bytes that are not UTF-8. */
export function invalidUtf8(bytes: Buffer): DataProblem {
  const offset = firstInvalid(bytes);
  const before = bytes.toString('utf8', markLength(bytes), offset);
  const place = placeIn(before, before.length);
  const byte = bytes[offset] ?? 0;
  const utf16 =
    bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : undefined;
  const message = utf16 === undefined ? `not UTF-8 text: the byte 0x${hex(byte)}` : 'not UTF-8 text, but UTF-16';
  return { ...place, message, otherEncoding: utf16 ?? 'latin1' };
}

function hex(byte: number): string {
  return byte.toString(16).toUpperCase().padStart(2, '0');
}

/** The offset of the first byte that begins no UTF-8 character. By halves, with the engine's own check. */
function firstInvalid(bytes: Buffer): number {
  let valid = 0;
  let invalid = bytes.length;
  while (invalid - valid > 4) {
    const middle = characterStart(bytes, (valid + invalid) >> 1);
    if (middle <= valid) break;
    if (isUtf8(bytes.subarray(valid, middle))) valid = middle;
    else invalid = middle;
  }
  for (let length = 1; valid + length <= bytes.length && length <= 4; ) {
    if (isUtf8(bytes.subarray(valid, valid + length))) {
      valid += length;
      length = 1;
    } else length += 1;
  }
  return valid;
}

/** The last offset up to `at` at which a character may begin, if what is before it is UTF-8. */
export function characterStart(bytes: Buffer, at: number): number {
  let start = at;
  while (start > at - 3 && start > 0 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start -= 1;
  return start;
}
