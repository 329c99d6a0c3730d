import { FileError, readRegular } from '../../data/files.js';
import { atPlace } from '../../data/place.js';
import { decodeUtf8 } from '../../data/text.js';
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
  let bytes: Buffer;
  try {
    bytes = await readRegular(path.value, most, signal);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    const hint = error.code === 'EFBIG' ? ": raise 'maxBytes', or read it in a module or a command" : '';
    return err(inputFailure(`${shown(input.path)}: ${error.message}${hint}`));
  }
  if (input.encoding === 'base64') return ok({ path: input.path, text: bytes.toString('base64'), bytes: bytes.length });
  // The mark is kept: the text may be written back.
  const text = decodeUtf8(bytes, { keepMark: true });
  if (text.ok) return ok({ path: input.path, text: text.value, bytes: bytes.length });
  return err(actionFailure(`${atPlace(shown(input.path), text.error)}; 'encoding: base64' reads any bytes`));
};
