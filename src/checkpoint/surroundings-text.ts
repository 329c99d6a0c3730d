import { isJsonObject, type JsonValue } from '../model/json.js';
import { err, ok, type Result } from '../model/result.js';
import { jsonOf } from './state-file.js';
import { isObjectId } from './stored-path.js';

/**
 * What a restore needs to know of the tree and git does not keep: the `.gitignore` files that ignore themselves (a tool's
 * cache folder has one), the empty folders, the modes, and which ignored files there were. Without the first, nobody could
 * tell files that were ignored before the run from files that the run hid by writing a `.gitignore`.
 *
 * Paths are relative to the root, as `namesOf` gives them; those of folders end in `/`.
 */
export interface Surroundings {
  /** Contents are in base64. */
  readonly ignoreFiles: readonly { readonly path: string; readonly content: string }[];
  readonly emptyFolders: readonly string[];
  /** Permission bits by path, where they are not those of a new file or folder; absent in records of earlier versions. */
  readonly modes?: Readonly<Record<string, number>>;
  /** By which new files and folders had their modes. */
  readonly umask?: number;
  /** Absent in records of earlier versions. */
  readonly ignored?: readonly IgnoredNote[];
  /** Undefined on a detached HEAD. */
  readonly branch?: string | undefined;
  /** The tree of the files' own bytes, where the backup's commit holds what git makes of them. */
  readonly bytes?: string | undefined;
}

/** An ignored file, or an ignored folder, of which nothing but its presence is known. */
export interface IgnoredNote {
  readonly path: string;
  /** Bytes. */
  readonly size?: number;
  readonly mtimeMs?: number;
}

/** Whether a path stays in its folder: relative, without `.` and `..`, and not in a `.git`, however that is written. */
export function staysInside(path: unknown): path is string {
  if (typeof path !== 'string' || path === '' || path.includes('\0')) return false;
  if (process.platform === 'win32' && /[\\:]/.test(path)) return false;
  // Trailing dots and spaces, and letters that some disks leave out, as git refuses them.
  return path
    .replace(/\/$/, '')
    .split('/')
    .every((part) => part !== '' && part !== '.' && part !== '..' && !/^(\.git|git~\d)([ .]|:.*)*$/i.test(part));
}

/** Reads what `JSON.stringify` made of `Surroundings`. The error completes 'it is damaged: '. */
export function readSurroundingsText(text: string): Result<Surroundings, string> {
  const value = jsonOf(text);
  if (value === undefined) return err('it is not JSON');
  if (!isJsonObject(value)) return err('it is not an object');
  for (const [key, field] of Object.entries(value)) {
    const check = Object.hasOwn(CHECKS, key) ? CHECKS[key as keyof Surroundings] : () => false;
    if (!check(field)) return err(`its field ${key.slice(0, 50)} is wrong`);
  }
  if (!Object.hasOwn(value, 'ignoreFiles') || !Object.hasOwn(value, 'emptyFolders')) return err('a field is missing');
  // Every field was looked at, so the value has the type; the compiler cannot follow that through the table.
  return ok(value as unknown as Surroundings);
}

type Check = (value: JsonValue) => boolean;

const isFile: Check = (value) => isJsonObject(value) && staysInside(value['path']) && !String(value['path']).endsWith('/');
const isMode: Check = (value) => typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0o777;
const isCount: Check = (value) => typeof value === 'number' && Number.isFinite(value);

const CHECKS: Readonly<Record<keyof Surroundings, Check>> = {
  ignoreFiles: (value) =>
    Array.isArray(value) &&
    value.every(
      (file) =>
        isFile(file) &&
        isJsonObject(file) &&
        typeof file['content'] === 'string' &&
        /(^|\/)\.gitignore$/.test(String(file['path'])),
    ),
  emptyFolders: (value) => Array.isArray(value) && value.every(staysInside),
  modes: (value) => isJsonObject(value) && Object.entries(value).every(([path, mode]) => staysInside(path) && isMode(mode)),
  umask: (value) => isMode(value),
  ignored: (value) =>
    Array.isArray(value) &&
    value.every(
      (note) =>
        isJsonObject(note) &&
        staysInside(note['path']) &&
        (note['size'] === undefined || isCount(note['size'])) &&
        (note['mtimeMs'] === undefined || isCount(note['mtimeMs'])),
    ),
  branch: (value) => typeof value === 'string',
  bytes: isObjectId,
};
