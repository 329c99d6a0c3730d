import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';
import { readTextForDisplay } from '../../data/files.js';
import { statusOf } from './changes.js';
import { FolderTree } from './folder-tree.js';

/** What a watcher is given. */
export interface WatcherOptions {
  /** Files, and folders with all that is in them; absolute paths. */
  readonly roots: readonly string[];
  /** A folder in which nothing is looked at unless it is asked for. */
  readonly ignored: (path: string) => boolean;
  /** Called at once for each change, with the absolute path. */
  readonly onEvent: (path: string, isNew: boolean) => void;
  /** Called when changes have come to rest, and at once for one that comes alone. */
  readonly onRest: (rest: Rest) => void;
  readonly onError: (message: string) => void;
  /** Where git works; changes do not come to rest while it has its index locked. */
  readonly gitRoot: string | undefined;
}

/** How changes came to rest. */
export interface Rest {
  /** It was one change, and was told in the moment in which it came. */
  readonly atOnce: boolean;
  /** More may have changed than was told so far: git was at work. */
  readonly more: boolean;
}

/** For so long after git wrote its index, changes are taken for git's own. */
const GIT_MS = 1000;
/** Changes this near to one another are one. */
const REST_MS = 40;
/** Rests without a change before git counts as finished: it changes thousands of files, with pauses between. */
const GIT_RESTS = 4;
/** Changes that never rest are told after this time all the same. */
const MOST_WAIT_MS = 3000;
/** A larger file is most likely being written; its last change counts. */
const MOST_BYTES_AT_ONCE = 1024 * 1024;
/** Linux keeps 16,384 notifications and drops the rest: after half of them, everything is compared. */
const MANY_EVENTS = 8192;
/** How often everything is compared where folders are polled. */
const COMPARE_MS = 1000;
/** Where folders notify of changes in the content of their files. */
const NOTIFYING: ReadonlySet<string> = new Set(['linux', 'darwin', 'win32']);

/** Watches files and folders, and tells of changes in one go: a branch switch of thousands of files is one. */
export class Watcher {
  readonly #tree: FolderTree;
  readonly #options: WatcherOptions;
  readonly #roots = new Set<string>();
  /** Where folders are polled. */
  #poller: FSWatcher | undefined;
  #compareTimer: NodeJS.Timeout | undefined;
  #compareInterval: NodeJS.Timeout | undefined;
  #timer: NodeJS.Timeout | undefined;
  #since: number | undefined;
  #last = Number.NEGATIVE_INFINITY;
  /** Rests since the last change. */
  #rests = 0;
  #events = 0;
  /** So far only empty files changed. */
  #onlyEmpty = false;
  #gitWorks = false;
  readonly #gitFolder: string | undefined;

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#gitFolder = options.gitRoot === undefined ? undefined : gitFolderOf(options.gitRoot);
    this.#tree = new FolderTree({
      ignored: options.ignored,
      onEvent: (path, isNew) => {
        this.#events += 1;
        options.onEvent(path, isNew);
      },
      isPolled: asksForPolling(),
      onExhausted: (message) => {
        options.onError(`cannot watch so many folders (${message}): they are polled`);
        this.#poll();
      },
    });
    if (asksForPolling()) this.#poll();
    this.setRoots(options.roots);
  }

  /** Watches these as well. */
  setRoots(roots: readonly string[]): void {
    for (const root of roots) {
      this.#roots.add(root);
      this.#tree.addRoot(root);
    }
    this.#poller?.add([...roots]);
  }

  /** Watches these files as well. They may have changed since they were read, so each that was not watched is told of. */
  addFiles(paths: readonly string[]): void {
    const added = paths.filter((path) => this.#tree.addFile(path));
    for (const path of added) this.#options.onEvent(path, false);
    this.#poller?.add(added);
  }

  /** On network disks and in containers, the system may notify of nothing. */
  #poll(): void {
    if (this.#poller !== undefined) return;
    this.#poller = watch([...this.#roots], {
      usePolling: true,
      ignoreInitial: true,
      ignored: this.#options.ignored,
      atomic: false,
    });
    const compare = () => {
      this.#compareTimer ??= setTimeout(() => {
        this.#compareTimer = undefined;
        this.#tree.compareAll();
      }, REST_MS);
    };
    this.#poller.on('raw', compare).on('all', compare).on('error', compare);
    // chokidar misses some of what is removed and made again between two looks.
    this.#compareInterval = setInterval(compare, COMPARE_MS);
  }

  /**
   * Something was changed that counts: `onRest` follows when no more of that comes. A save that comes alone does not wait for
   * others: what follows it is gathered while it is answered. A new file may be an editor's that is about to be renamed, and an
   * empty or a large one is most likely being written.
   */
  changed(path: string, isNew: boolean): void {
    const now = performance.now();
    const alone = now - this.#last > REST_MS && (this.#timer === undefined || this.#onlyEmpty);
    const size = statusOf(path)?.size;
    this.#since ??= now;
    this.#onlyEmpty = alone && size === 0 && !isNew;
    if (!this.#onlyEmpty) this.#last = now;
    if (alone && !isNew && size !== undefined && size > 0 && size <= MOST_BYTES_AT_ONCE && !this.#isGitAtWork()) {
      this.#rest(true);
      return;
    }
    this.#rests = 0;
    this.#restSoon();
  }

  #restSoon(): void {
    clearTimeout(this.#timer);
    const due = performance.now() + REST_MS;
    this.#timer = setTimeout(() => this.#restUnlessMore(due), REST_MS);
  }

  #restUnlessMore(due: number): void {
    const now = performance.now();
    // A thread that had no time for its timer had none for what was to be told either.
    if (now - due < REST_MS) this.#rests += 1;
    const isLate = now - (this.#since ?? 0) >= MOST_WAIT_MS;
    const enough = this.#isGitAtWork() || this.#gitWorks ? GIT_RESTS : 1;
    if (!isLate && (this.#isGitLocked() || this.#rests < enough)) this.#restSoon();
    else this.#rest(false);
  }

  #rest(atOnce: boolean): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const more = this.#gitWorks;
    this.#gitWorks = false;
    this.#onlyEmpty = false;
    const many = this.#events > MANY_EVENTS;
    this.#events = 0;
    if (many) this.#tree.compareAll();
    this.#since = undefined;
    this.#options.onRest({ atOnce: atOnce && !many, more });
  }

  /** git locks its index while it changes files; where it was quick, its index is young. */
  #isGitAtWork(): boolean {
    if (this.#gitFolder === undefined) return false;
    const index = statusOf(join(this.#gitFolder, 'index'));
    const works = this.#isGitLocked() || (index !== undefined && Date.now() - index.mtimeMs < GIT_MS);
    this.#gitWorks ||= works;
    return works;
  }

  #isGitLocked(): boolean {
    return this.#gitFolder !== undefined && existsSync(join(this.#gitFolder, 'index.lock'));
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    clearTimeout(this.#compareTimer);
    clearInterval(this.#compareInterval);
    this.#tree.close();
    await this.#poller?.close();
  }
}

/** As chokidar understands its variable. */
function asksForPolling(): boolean {
  const asked = process.env['CHOKIDAR_USEPOLLING']?.toLowerCase();
  if (asked === undefined) return !NOTIFYING.has(process.platform);
  return asked !== '' && asked !== '0' && asked !== 'false';
}

/** Where git keeps a work tree's index: in `.git`, or, of a linked work tree, where that file says. */
function gitFolderOf(gitRoot: string): string {
  const marker = join(gitRoot, '.git');
  try {
    if (statSync(marker).isDirectory()) return marker;
    return resolve(
      gitRoot,
      readTextForDisplay(marker)
        .replace(/^gitdir:/, '')
        .trim(),
    );
  } catch {
    return marker;
  }
}
