import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { basename, isAbsolute, join } from 'node:path';
import { cachedDataVersionTag } from 'node:v8';
import zlib from 'node:zlib';

/*
 * The files that keep V8's compiled code between runs.
 *
 * V8 trusts such a file: it compares version, flags and the length of the source, and reads the rest unchecked. Another
 * patch release of Node, whose V8 has the same version and other built-ins, crashes on it, and so does V8 on a damaged file.
 * So a file is named by everything that it depends on, carries a checksum, and counts only if nobody else could have
 * written it. Whatever goes wrong here, the program is compiled as if there were no cache.
 */

/** Where caches are kept: in the package, for whoever owns it; else in the user's cache folder. */
interface CacheFolder {
  readonly path: string;
  /** Of the folder; its files get the same without the right to search. */
  readonly mode: number;
  /** User ids whose files count. */
  readonly trusted: readonly number[];
  readonly mayWrite: boolean;
}

/** Bytes before the data: its CRC-32. */
const HEADER_BYTES = 4;
/** Files that a folder keeps, newest first: a few for each release of Node, each build and each set of flags. 20 MB or so. */
const MOST_FILES = 32;

/** The compiled code of a file with this source, as this very Node made it; undefined where none is kept. */
export function readCache(file: string, source: Buffer): Buffer | undefined {
  try {
    const name = cacheName(file, source);
    for (const folder of foldersFor(file)) {
      const data = readFrom(folder, name);
      if (data !== undefined) return data;
    }
  } catch {
    // Compiled as if there were no cache.
  }
  return undefined;
}

/** Keeps compiled code for the next run, in the first folder that takes it. Says nothing if none does. */
export function writeCache(file: string, source: Buffer, make: () => Buffer): void {
  try {
    const name = cacheName(file, source);
    foldersFor(file).some((folder) => folder.mayWrite && writeTo(folder, name, make));
  } catch {
    // The next run compiles again.
  }
}

function cacheName(file: string, source: Buffer): string {
  // Two builds of one version of Node differ in their built-ins too.
  const { size, mtimeMs } = statSync(process.execPath);
  const build = zlib.crc32(source, zlib.crc32(`${process.execPath} ${size} ${mtimeMs}`)).toString(16);
  // The tag stands for V8's version, its flags and the features of the processor.
  const tag = cachedDataVersionTag().toString(16);
  return [basename(file), process.version, process.platform, process.arch, tag, build].join('-');
}

function foldersFor(file: string): readonly CacheFolder[] {
  const me = process.getuid?.();
  // Coverage is not recorded for functions that come from a cache.
  if (me === undefined || process.env['NODE_V8_COVERAGE'] || process.env['NODE_DISABLE_COMPILE_CACHE']) return [];
  const owner = statSync(file).uid;
  const xdg = process.env['XDG_CACHE_HOME'];
  const users = xdg !== undefined && isAbsolute(xdg) ? xdg : join(homedir(), '.cache');
  return [
    { path: join(file, '../../.code-cache'), mode: 0o755, trusted: [me, owner], mayWrite: me === owner },
    { path: join(users, 'waveplan'), mode: 0o700, trusted: [me], mayWrite: true },
  ];
}

function readFrom(folder: CacheFolder, name: string): Buffer | undefined {
  let opened: number | undefined;
  try {
    if (!isTrusted(lstatSync(folder.path), folder)) return undefined;
    opened = openSync(join(folder.path, name), constants.O_RDONLY | constants.O_NONBLOCK);
    if (!isTrusted(fstatSync(opened), folder)) return undefined;
    const bytes = readFileSync(opened);
    const data = bytes.subarray(HEADER_BYTES);
    return zlib.crc32(data) === bytes.readUInt32LE(0) ? data : undefined;
  } catch {
    return undefined;
  } finally {
    if (opened !== undefined) closeSync(opened);
  }
}

/** Whether only a trusted user can have written there. */
function isTrusted(stats: Stats, folder: CacheFolder): boolean {
  return folder.trusted.includes(stats.uid) && (stats.mode & 0o022) === 0 && (stats.isDirectory() || stats.isFile());
}

function writeTo(folder: CacheFolder, name: string, make: () => Buffer): boolean {
  const path = join(folder.path, name);
  // Several first runs at once each write a file; the last one to be renamed stays.
  const written = `${path}.${process.pid}.tmp`;
  try {
    mkdirSync(folder.path, { recursive: true, mode: folder.mode });
    const there = lstatSync(path, { throwIfNoEntry: false });
    if (![lstatSync(folder.path), there].every((stats) => stats === undefined || isTrusted(stats, folder))) return false;
    const opened = openSync(written, 'wx', folder.mode & 0o666);
    try {
      const data = make();
      const header = Buffer.alloc(HEADER_BYTES);
      header.writeUInt32LE(zlib.crc32(data));
      writeFileSync(opened, Buffer.concat([header, data]));
    } finally {
      closeSync(opened);
    }
    renameSync(written, path);
    removeOldest(folder.path);
    return true;
  } catch {
    rmSync(written, { force: true });
    return false;
  }
}

function removeOldest(folder: string): void {
  const byAge = readdirSync(folder)
    .map((name) => join(folder, name))
    .map((path) => ({ path, writtenMs: statSync(path).mtimeMs }))
    .sort((a, b) => b.writtenMs - a.writtenMs);
  for (const { path } of byAge.slice(MOST_FILES)) rmSync(path, { force: true });
}
