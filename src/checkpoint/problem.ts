/** Something outside the plan that ends a run with exit code 3: the disk, a permission, git. */
export interface EnvironmentProblem {
  /** What went wrong, for a user; names the errno where the system gave one. */
  readonly message: string;
  /** The way out. */
  readonly hint: string;
}

const EXPLANATIONS: ReadonlyMap<string, { readonly meaning: string; readonly hint: string }> = new Map([
  [
    'ENOSPC',
    { meaning: 'no space left on the device', hint: 'free some space, or keep the state on another disk with --state-dir DIR' },
  ],
  ['EDQUOT', { meaning: 'disk quota exceeded', hint: 'free some space, or keep the state on another disk with --state-dir DIR' }],
  ['EROFS', { meaning: 'read-only file system', hint: 'keep the state in a writable folder with --state-dir DIR' }],
  ['EACCES', { meaning: 'permission denied', hint: 'make the folder writable, or name another with --state-dir DIR' }],
  ['EPERM', { meaning: 'operation not permitted', hint: 'make the folder writable, or name another with --state-dir DIR' }],
  ['EIO', { meaning: 'input/output error', hint: 'check the disk, or keep the state on another one with --state-dir DIR' }],
  ['EMFILE', { meaning: 'too many open files', hint: 'raise the limit (ulimit -n) or use fewer agents (--agents N)' }],
  ['ENFILE', { meaning: 'too many open files in the system', hint: 'close other programs or use fewer agents (--agents N)' }],
  ['ENXIO', { meaning: 'it is not a regular file', hint: 'remove it, or name another folder with --state-dir DIR' }],
  ['EFTYPE', { meaning: 'it is not a regular file', hint: 'remove it, or name another folder with --state-dir DIR' }],
  [
    'EFBIG',
    { meaning: 'it is too large to be what it should be', hint: 'remove it, or name another folder with --state-dir DIR' },
  ],
  ['ENOENT', { meaning: 'no such file or folder', hint: 'check the path' }],
  [
    'ENOTDIR',
    { meaning: 'a part of the path is not a folder', hint: 'check the path, or name another folder with --state-dir DIR' },
  ],
  ['EISDIR', { meaning: 'it is a folder', hint: 'move the folder away' }],
  ['EEXIST', { meaning: 'it exists already', hint: 'move it away' }],
  ['ENAMETOOLONG', { meaning: 'the name is too long', hint: 'keep the state under a shorter path with --state-dir DIR' }],
]);

/** The errno name of an error from the system, such as `ENOSPC`; undefined for any other value. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/**
 * The problem behind a failed system call. `doing` completes 'cannot …'.
 * An error that is not the system's is a bug and is thrown on.
 */
export function systemProblem(doing: string, error: unknown): EnvironmentProblem {
  const code = errnoOf(error);
  if (code === undefined) throw error;
  const known = EXPLANATIONS.get(code);
  const meaning = known?.meaning ?? (error instanceof Error ? error.message : '');
  return {
    message: `cannot ${doing}: ${code} (${meaning})`,
    hint: known?.hint ?? 'put right what the system reports, then run again',
  };
}
