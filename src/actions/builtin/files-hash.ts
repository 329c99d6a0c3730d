import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Failure } from '../../model/failure.js';
import { err, ok, type Result } from '../../model/result.js';
import { actionFailure, inputFailure } from './failures.js';
import { summed } from './pairs.js';
import { type Bounds, resolvePath, shown } from './paths.js';
import type { BuiltIn } from './perform-built-in.js';

/** `with` of `files/hash`; its schema says more. */
export interface HashInput {
  readonly path?: string;
  readonly paths?: readonly string[];
  readonly algorithm?: 'sha256' | 'sha1' | 'sha512' | 'md5';
  readonly outside?: boolean;
}

type HashedFile = { readonly path: string; readonly hash: string; readonly bytes: number };

/** Digests of files, read in pieces: a file may be larger than memory. */
export const hashFiles: BuiltIn<HashInput> = async (input, { cwd, folder, signal }) => {
  const paths = input.paths ?? (input.path === undefined ? [] : [input.path]);
  const algorithm = input.algorithm ?? 'sha256';
  const files: HashedFile[] = [];
  const failures: Failure[] = [];
  for (const path of paths) {
    signal.throwIfAborted();
    const hashed = await hashOne(path, createHash(algorithm), { cwd, folder, outside: input.outside, signal });
    if (hashed.ok) files.push(hashed.value);
    else failures.push(hashed.error);
  }
  const [first] = files;
  const hash = input.paths === undefined && first !== undefined ? first.hash : listHash(files, createHash(algorithm));
  return summed(failures, paths.length) ?? ok({ files, count: files.length, hash });
};

async function hashOne(
  given: string,
  digest: Hash,
  { signal, ...bounds }: Bounds & { readonly signal: AbortSignal },
): Promise<Result<HashedFile, Failure>> {
  const path = await resolvePath(given, bounds, 'target');
  if (!path.ok) return path;
  let bytes = 0;
  try {
    // Reading a named pipe would wait for somebody to write into it.
    if (!(await stat(path.value)).isFile()) return err(inputFailure(`${shown(given)} is not a file`));
    for await (const chunk of createReadStream(path.value, { signal })) {
      bytes += chunk.length;
      digest.update(chunk);
    }
  } catch (error) {
    signal.throwIfAborted();
    return err(actionFailure(`${shown(given)}: ${error instanceof Error ? error.message : String(error)}`));
  }
  return ok({ path: given, hash: digest.digest('hex'), bytes });
}

/** Over the lengths too, so that no two lists look alike. */
function listHash(files: readonly HashedFile[], digest: Hash): string {
  for (const { path, hash } of files) digest.update(`${hash} ${Buffer.byteLength(path)} ${path}\n`);
  return digest.digest('hex');
}
