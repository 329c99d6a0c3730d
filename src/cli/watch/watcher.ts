import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';

/** What is told of the file system. */
export interface WatcherOptions {
  readonly roots: readonly string[];
  /** What is not looked at, nor anything in it; absolute paths. */
  readonly ignored: (path: string) => boolean;
  /** Told at once of every change, with the absolute path. */
  readonly onEvent: (path: string, isNew: boolean) => void;
  /** Told when changes have come to rest. */
  readonly onRest: () => void;
  readonly onError: (message: string) => void;
  /** Where git works; changes do not come to rest while it has its index locked. */
  readonly gitRoot: string | undefined;
}

/** Changes this near to one another are one. */
const REST_MS = 40;
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

/** Watches files and folders, and tells of changes in one go: a branch switch of thousands of files is one. */
export class Watcher {
  readonly #watcher: FSWatcher;
  readonly #options: WatcherOptions;
  #roots: ReadonlySet<string>;
  #timer: NodeJS.Timeout | undefined;
  #since: number | undefined;
  /** Files that changed just now, with what `stat` said of them. */
  readonly #lookAgain = new Map<string, string>();
  #lookTimer: NodeJS.Timeout | undefined;

  constructor(options: WatcherOptions) {
    this.#options = options;
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

  /** Something was changed that counts: `onRest` follows when no more of that comes. */
  changed(): void {
    this.#since ??= performance.now();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#rest(), REST_MS);
  }

  #rest(): void {
    const { gitRoot, onRest } = this.#options;
    const waited = performance.now() - (this.#since ?? 0);
    if (waited < MOST_WAIT_MS && gitRoot !== undefined && existsSync(join(gitRoot, '.git', 'index.lock'))) {
      this.#timer = setTimeout(() => this.#rest(), REST_MS);
      return;
    }
    this.#since = undefined;
    onRest();
  }

  /** chokidar drops a change that follows another of the same file too soon, so that its file is looked at once more. */
  #lookAgainLater(path: string): void {
    this.#lookAgain.set(path, signOf(path));
    this.#lookTimer ??= setTimeout(() => {
      this.#lookTimer = undefined;
      const looks = [...this.#lookAgain];
      this.#lookAgain.clear();
      for (const [file, before] of looks) {
        if (signOf(file) === before) continue;
        this.#lookAgainLater(file);
        this.#options.onEvent(file, false);
      }
    }, DROPPED_MS);
  }

  async close(): Promise<void> {
    clearTimeout(this.#lookTimer);
    clearTimeout(this.#timer);
    await this.#watcher.close();
  }
}
