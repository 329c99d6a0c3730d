import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';

/** What is told of the file system. */
export interface WatcherOptions {
  readonly roots: readonly string[];
  /** What is not looked at, nor anything in it; absolute paths. */
  readonly ignored: (path: string) => boolean;
  /** Whether a file was read, so that a change of what is in it counts. */
  readonly isRead: (path: string) => boolean;
  /** Told at once of every change, with the absolute path. */
  readonly onEvent: (path: string, isNew: boolean) => void;
  /** Told when changes have come to rest, and at once of one that comes alone. */
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
/** So many times as long must nothing more come after git was at work: it changes thousands, and chokidar looks at each. */
const GIT_RESTS = 4;
/** Changes that never rest are told after this time all the same. */
const MOST_WAIT_MS = 3000;

/** For this long after a change, chokidar tells of no other of the same file; with a margin. */
const DROPPED_MS = 120;

function signOf(path: string): string {
  try {
    const status = statSync(path, { bigint: true, throwIfNoEntry: false });
    return status === undefined ? '' : `${status.ino} ${status.size} ${status.mtimeNs}`;
  } catch {
    return '';
  }
}

/** undefined where there is no such file. */
function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size;
}

function isAboutFolder(about: unknown): about is { readonly watchedPath: string } {
  return typeof about === 'object' && about !== null && 'watchedPath' in about && typeof about.watchedPath === 'string';
}

/** Watches files and folders, and tells of changes in one go: a branch switch of thousands of files is one. */
export class Watcher {
  readonly #watcher: FSWatcher;
  readonly #options: WatcherOptions;
  #roots: ReadonlySet<string>;
  #timer: NodeJS.Timeout | undefined;
  #since: number | undefined;
  #last = Number.NEGATIVE_INFINITY;
  /** How often nothing came while it was waited for more. */
  #rests = 0;
  #gitWorks = false;
  readonly #gitFolder: string | undefined;
  /** Files that changed just now, the first first: when, and what `stat` said of them. */
  readonly #lookAgain = new Map<string, { readonly at: number; readonly sign: string }>();
  #lookTimer: NodeJS.Timeout | undefined;

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#gitFolder = options.gitRoot === undefined ? undefined : gitFolderOf(options.gitRoot);
    this.#roots = new Set(options.roots);
    this.#watcher = watch([...options.roots], {
      ignoreInitial: true,
      ignored: options.ignored,
      // Editors that save by rename: a removal that is followed by an addition is a change.
      atomic: 20,
      followSymlinks: false,
      ignorePermissionErrors: true,
    });
    this.#watcher.on('all', (event, path) => {
      if (event === 'addDir' || event === 'unlinkDir') return;
      this.#lookAgainLater(path);
      this.#options.onEvent(path, event === 'add');
    });
    this.#watcher.on('raw', (event, name, about) => {
      if (event === 'change') this.#tellEarly(name, about);
    });
    this.#watcher.on('error', (error) => options.onError(error instanceof Error ? error.message : String(error)));
  }

  /** Resolves when every file is being watched. */
  ready(): Promise<void> {
    return new Promise((resolve) => this.#watcher.once('ready', () => resolve()));
  }

  /** Watches these instead; what stays is not read again. */
  setRoots(roots: readonly string[]): void {
    const now = new Set(roots);
    const gone = [...this.#roots].filter((root) => !now.has(root));
    if (gone.length > 0) this.#watcher.unwatch(gone);
    const fresh = roots.filter((root) => !this.#roots.has(root));
    if (fresh.length > 0) this.#watcher.add(fresh);
    this.#roots = now;
  }

  /** Watches a folder that was ignored so far. */
  add(folder: string): void {
    this.#watcher.add(folder);
  }

  /**
   * chokidar tells of a save after it looked at the whole folder. What changed in a file that was read is told before that, where
   * nothing else changes; of everything else, and of a file that most likely is yet to be written, chokidar tells.
   * @param about what the system told of: a folder, in which `name` is, or a file, of which it is the name.
   */
  #tellEarly(name: string, about: unknown): void {
    if (!this.#isAlone(performance.now()) || !isAboutFolder(about) || typeof name !== 'string') return;
    const path = join(about.watchedPath, name);
    const { isRead, ignored, onEvent } = this.#options;
    if (!isRead(path) || this.#lookAgain.has(path) || ignored(path) || !sizeOf(path)) return;
    this.#lookAgainLater(path);
    onEvent(path, false);
  }

  #isAlone(now: number): boolean {
    return now - this.#last > REST_MS && this.#timer === undefined;
  }

  /**
   * Something was changed that counts: `onRest` follows when no more of that comes. A save that comes alone does not wait for
   * others: what follows it is gathered while it is answered. A file that is empty is most likely being written.
   */
  changed(path: string): void {
    const now = performance.now();
    const alone = this.#isAlone(now);
    this.#last = now;
    this.#since ??= now;
    if (alone && !this.#isGitAtWork() && sizeOf(path) !== 0) {
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
    const more = this.#gitWorks;
    this.#gitWorks = false;
    this.#timer = undefined;
    this.#since = undefined;
    this.#options.onRest({ atOnce, more });
  }

  /** git locks its index while it changes files; where it was quick, its index is young. */
  #isGitAtWork(): boolean {
    if (this.#gitFolder === undefined) return false;
    const index = statSync(join(this.#gitFolder, 'index'), { throwIfNoEntry: false });
    const works = this.#isGitLocked() || (index !== undefined && Date.now() - index.mtimeMs < GIT_MS);
    this.#gitWorks ||= works;
    return works;
  }

  #isGitLocked(): boolean {
    return this.#gitFolder !== undefined && existsSync(join(this.#gitFolder, 'index.lock'));
  }

  /** chokidar drops a change that follows another of the same file too soon, so that its file is looked at once more. */
  #lookAgainLater(path: string): void {
    this.#lookAgain.delete(path);
    this.#lookAgain.set(path, { at: performance.now(), sign: signOf(path) });
    this.#lookTimer ??= setTimeout(() => this.#look(), DROPPED_MS);
  }

  /** Looks at the files whose time has come; the others are looked at when theirs has. */
  #look(): void {
    this.#lookTimer = undefined;
    const now = performance.now();
    for (const [file, { at, sign }] of [...this.#lookAgain]) {
      if (now - at < DROPPED_MS) {
        this.#lookTimer ??= setTimeout(() => this.#look(), DROPPED_MS - (now - at));
        return;
      }
      this.#lookAgain.delete(file);
      if (signOf(file) === sign) continue;
      this.#lookAgainLater(file);
      this.#options.onEvent(file, false);
    }
  }

  async close(): Promise<void> {
    clearTimeout(this.#lookTimer);
    clearTimeout(this.#timer);
    await this.#watcher.close();
  }
}

/** Where git keeps a work tree's index: in `.git`, or, of a linked work tree, where that file says. */
function gitFolderOf(gitRoot: string): string {
  const marker = join(gitRoot, '.git');
  try {
    if (statSync(marker).isDirectory()) return marker;
    return resolve(
      gitRoot,
      readFileSync(marker, 'utf8')
        .replace(/^gitdir:/, '')
        .trim(),
    );
  } catch {
    return marker;
  }
}
