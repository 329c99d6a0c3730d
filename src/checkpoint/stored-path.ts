import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';

/** Whether `value` is the full id of a git object, SHA-1 or SHA-256. */
export function isObjectId(value: unknown): value is string {
  return typeof value === 'string' && /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(value);
}

/**
 * An absolute path as files of the state folder keep it. A path in the folder that contains the state folder is relative
 * to the state folder, so that it stays right when that folder is copied or moved; any other stays absolute.
 */
export function storedPath(stateDir: string, path: string): string {
  if (!isAbsolute(path) || !isWithin(dirname(stateDir), path)) return path;
  return relative(stateDir, path).split(sep).join('/') || '.';
}

/** The inverse of `storedPath`, for a state folder that may be in another place by now. */
export function locatedPath(stateDir: string, stored: string): string {
  return isAbsolute(stored) ? stored : resolve(stateDir, stored);
}

/** Whether `path` is `folder` or inside it; both absolute. */
export function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return !isAbsolute(way) && way !== '..' && !way.startsWith(`..${sep}`);
}
