import { readFile, stat } from 'node:fs/promises';
import { err, ok } from '../../model/result.js';
import { actionFailure, inputFailure } from './failures.js';
import { resolvePath, shown } from './paths.js';
import type { BuiltIn } from './perform-built-in.js';

/** `with` of `files/read`; its schema says more. */
export interface ReadInput {
  readonly path: string;
  readonly encoding?: 'utf8' | 'base64';
  readonly maxBytes?: number;
  readonly outside?: boolean;
}

/** Bytes that are read where `maxBytes` does not say: a result is kept in a checkpoint. */
const MAX_BYTES = 8 * 1024 * 1024;

/** Reads one file whole. Text that is not UTF-8 is a failure: it would come out changed. */
export const readOne: BuiltIn<ReadInput> = async (input, { cwd, folder, signal }) => {
  const path = await resolvePath(input.path, { cwd, folder, outside: input.outside }, 'target');
  if (!path.ok) return path;
  const most = input.maxBytes ?? MAX_BYTES;
  // Looked at before it is opened: opening a named pipe would wait for somebody to write into it.
  const status = await stat(path.value);
  if (!status.isFile()) return err(inputFailure(`${shown(input.path)} is not a file`));
  if (status.size > most) {
    const hint = "raise 'maxBytes', or read it in a module or a command";
    return err(inputFailure(`${shown(input.path)} has ${status.size} bytes, more than ${most}: ${hint}`));
  }
  const bytes = await readFile(path.value, { signal });
  if (input.encoding === 'base64') return ok({ path: input.path, text: bytes.toString('base64'), bytes: bytes.length });
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return ok({ path: input.path, text, bytes: bytes.length });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return err(actionFailure(`${shown(input.path)} is not UTF-8 text: 'encoding: base64' reads any bytes`));
  }
};
