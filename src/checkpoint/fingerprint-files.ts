import { createHash, type Hash, hash as hashOf } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync, type Stats, statSync } from 'node:fs';
import { isAbsolute, relative, resolve } from 'node:path';
import { globSync } from 'tinyglobby';
import { MISSING } from './fingerprint-parts.js';
import type { FilePattern } from './fingerprint-patterns.js';

/**
 * What a file looked like when its content was hashed. Times in milliseconds with fractions: as a double they tell apart what
 * is a quarter of a microsecond apart, which no file system's clock does, and cost half of what big integers cost.
 */
export type KnownFile = readonly [size: number, mtimeMs: number, ctimeMs: number, inode: number, hash: string];

/** Paths, each once and in order, with what `hash` says of them. */
export type FoundFiles = readonly (readonly [path: string, hash: string])[];

/** A file whose times are this near to the moment of its hashing may have changed again within one tick of its clock. */
const TOO_YOUNG_MS = 100;
const STAT_OPTIONS = { throwIfNoEntry: false } as const;
const BLOCK_BYTES = 1024 * 1024;
const NEVER = ['**/.git/**', '**/.waveplan/**'];

/**
 * Hashes of files, kept with what `stat` says of them: a file is read again only if its size, times or inode differ.
 * All calls are synchronous, so that what they answer belongs to one moment of the run.
 */
export class FileHashes {
  readonly #folder: string;
  readonly #known: Map<string, KnownFile>;
  readonly #onNew: (path: string, file: KnownFile) => void;
  readonly #globs = new Map<string, readonly string[]>();
  #fresh = false;

  /** @param onNew told of every file that was hashed and can be recognised. */
  constructor(folder: string, known: Map<string, KnownFile>, onNew: (path: string, file: KnownFile) => void) {
    this.#folder = folder;
    this.#known = known;
    this.#onNew = onNew;
  }

  /** The files that the patterns stand for, by their shortest paths, with a hash of each; paths without a file are in it, too. */
  matching(patterns: readonly FilePattern[]): FoundFiles {
    const [first] = patterns;
    // Most subtasks name one file: a map of it would take as long to make as the look at the file.
    if (patterns.length === 1 && first?.kind === 'path' && !first.not) {
      const path = shortestPath(this.#folder, first.text);
      return [[path, this.hash(path)]];
    }
    const paths = new Set<string>();
    const ignore = patterns.flatMap(({ not, kind, text }) => (not ? [kind === 'path' ? escapedPath(text) : text] : []));
    for (const { kind, text, not } of patterns) {
      if (not) continue;
      if (kind === 'path') paths.add(shortestPath(this.#folder, text));
      else for (const path of this.#glob(text, ignore)) paths.add(path);
    }
    for (const { kind, text, not } of patterns) if (not && kind === 'path') paths.delete(shortestPath(this.#folder, text));
    return [...paths].sort().map((path) => [path, this.hash(path)]);
  }

  /** The hash of a file's content; of a folder, of nothing but that it is one. */
  hash(path: string): string {
    const known = this.#known.get(path);
    const file = this.#at(path);
    let status: Stats | undefined;
    try {
      status = statSync(file, STAT_OPTIONS);
    } catch {
      return MISSING;
    }
    if (status === undefined) return MISSING;
    const { size, mtimeMs, ctimeMs, ino } = status;
    if (known !== undefined && known[1] === mtimeMs && known[2] === ctimeMs && known[0] === size && known[3] === ino)
      return known[4];
    if (!status.isFile()) return status.isDirectory() ? 'folder' : 'special';
    let hash: string;
    try {
      hash = contentOf(file, size);
    } catch {
      return MISSING;
    }
    const now = Date.now();
    if (now - mtimeMs > TOO_YOUNG_MS && now - ctimeMs > TOO_YOUNG_MS) {
      const entry: KnownFile = [size, mtimeMs, ctimeMs, ino, hash];
      this.#known.set(path, entry);
      this.#onNew(path, entry);
    } else this.#known.delete(path);
    return hash;
  }

  /** `resolve` would cost as much as the look at the file itself. */
  #at(path: string): string {
    return isAbsolute(path) ? path : `${this.#folder}/${path}`;
  }

  #glob(pattern: string, ignore: readonly string[]): readonly string[] {
    // Ten thousand subtasks may name one pattern; no other code runs before the microtask, so that nothing can have changed.
    if (!this.#fresh) {
      this.#fresh = true;
      queueMicrotask(() => {
        this.#fresh = false;
        this.#globs.clear();
      });
    }
    const key = JSON.stringify([pattern, ignore]);
    const before = this.#globs.get(key);
    if (before !== undefined) return before;
    const found = globSync([pattern], {
      cwd: this.#folder,
      ignore: [...NEVER, ...ignore],
      dot: true,
      onlyFiles: true,
      expandDirectories: false,
      followSymbolicLinks: false,
    });
    this.#globs.set(key, found);
    return found;
  }
}

/**
 * The one form in which paths are compared: relative to the folder, and as short as it can be, with `../` for what is outside.
 * Patterns are expanded to the same form.
 */
export function shortestPath(folder: string, path: string): string {
  // `resolve` costs as much as the look at the file, and most paths are in this form.
  return LONGER.test(path) ? relative(folder, resolve(folder, path)) || '.' : path;
}

/** A part of a path that is empty, `.` or `..`. */
const LONGER = /(?:^|\/)\.{0,2}(?:\/|$)/;

function escapedPath(text: string): string {
  return text.replace(/[*?[\]{}()!+@\\]/g, '\\$&');
}

/** Throws what the system says where the file cannot be read. */
function contentOf(file: string, size: number): string {
  if (size <= BLOCK_BYTES) return hashOf('sha256', readFileSync(file), 'hex').slice(0, 32);
  const descriptor = openSync(file, 'r');
  try {
    const hash: Hash = createHash('sha256');
    const block = Buffer.allocUnsafe(BLOCK_BYTES);
    for (let count = readSync(descriptor, block); count > 0; count = readSync(descriptor, block)) {
      hash.update(block.subarray(0, count));
    }
    return hash.digest('hex').slice(0, 32);
  } finally {
    closeSync(descriptor);
  }
}
