import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { decodeUtf8 } from '../data/text.js';
import { err, ok, type Result } from '../model/result.js';
import { didYouMean } from './closest.js';
import type { Problem } from './problems.js';

/** Room for 100,000 tasks. Parsed YAML takes some 150 times its bytes, and a larger plan would exhaust the heap. */
export const MAX_FILE_BYTES = 10 * 1024 * 1024;

/**
 * The text of a UTF-8 file of bounded size. Pipes and devices are read up to the bound too, so that
 * `<(generate-plan)` works and `/dev/zero` ends.
 */
export function readSource(file: string): Result<string, Problem> {
  const bytes = readBounded(file);
  if (!bytes.ok) return bytes;
  if (bytes.value.length > MAX_FILE_BYTES) {
    return err({ code: 'FILE', message: `the file is larger than ${MAX_FILE_BYTES / 1024 / 1024} MiB`, span: undefined });
  }
  const text = decodeUtf8(bytes.value);
  if (text.ok) return text;
  const { line, column } = text.error;
  const message = `the file is not UTF-8 text (line ${line}, column ${column})`;
  return err({ code: 'FILE', message, span: undefined, hint: 'save it as UTF-8' });
}

function readBounded(file: string): Result<Buffer, Problem> {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (error) {
    return err(unreadable(error, file));
  }
  try {
    const chunks: Buffer[] = [];
    let total = 0;
    while (total <= MAX_FILE_BYTES) {
      const chunk = Buffer.allocUnsafe(256 * 1024);
      const count = readSync(descriptor, chunk, 0, chunk.length, null);
      if (count === 0) break;
      chunks.push(chunk.subarray(0, count));
      total += count;
    }
    return ok(Buffer.concat(chunks));
  } catch (error) {
    return err(unreadable(error, file));
  } finally {
    closeSync(descriptor);
  }
}

function unreadable(error: unknown, file: string): Problem {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  switch (code) {
    case 'ENOENT':
      return { code: 'FILE', message: 'there is no such file', span: undefined, hint: neighbour(file) };
    case 'EISDIR':
      return { code: 'FILE', message: 'this is a folder, not a file', span: undefined };
    case 'EACCES':
      return { code: 'FILE', message: 'the file must not be read (permission denied)', span: undefined };
    default: {
      const message = error instanceof Error ? error.message : String(error);
      return { code: 'FILE', message: `the file cannot be read: ${message}`, span: undefined };
    }
  }
}

/** 'did you mean' among the files of the same folder. */
export function neighbour(file: string): string | undefined {
  try {
    return didYouMean(basename(file), readdirSync(dirname(file)));
  } catch {
    return undefined;
  }
}
