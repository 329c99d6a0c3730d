import { type BigIntStats, type FSWatcher, lstatSync, readdirSync, readlinkSync, statSync, watch } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { errnoOf } from '../../checkpoint/problem.js';

/** The ports of a tree. */
export interface FolderTreeOptions {
  /** Folders below a root that are left out. */
  readonly ignored: (path: string) => boolean;
  /** A file was made, changed or removed. */
  readonly onEvent: (path: string, isNew: boolean) => void;
  /** There are no notifications: the owner calls `compareAll` from time to time. */
  readonly isPolled: boolean;
  /** The system cannot notify of more folders: a message. */
  readonly onExhausted: (message: string) => void;
}

/** A folder that is watched, or will be when it exists. */
interface Folder {
  close: (() => void) | undefined;
  /** Whether everything in it is watched; else only the names in `wanted`. */
  deep: boolean;
  readonly wanted: Set<string>;
  /** By name, with what tells whether the file changed. */
  readonly files: Map<string, string>;
  /** Names of the folders in it that are watched. */
  readonly folders: Set<string>;
}

/** Swap and backup files of editors. */
const EDITORS_OWN = /^\..*\.sw[px]$|~$|\.subl.*\.tmp$/;
/** Inotify has no more watches, or the process no more files. */
const EXHAUSTED: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EMFILE', 'ENFILE']);

/**
 * Watches files and whole folders by their paths, whether they exist or not. A notification is bound to the folder that had the
 * path at the time, so each folder above a path is watched as well, and whatever appears under a watched name is watched and
 * compared with what was there before. A symbolic link is watched together with its target.
 */
export class FolderTree {
  readonly #options: FolderTreeOptions;
  readonly #folders = new Map<string, Folder>();
  readonly #roots = new Set<string>();
  /** By the target, the links that lead to it. */
  readonly #links = new Map<string, Set<string>>();
  readonly #telling = new Set<string>();
  /** Where paths begin. */
  readonly #tops = new Set<string>();
  #isPolled: boolean;

  constructor(options: FolderTreeOptions) {
    this.#options = options;
    this.#isPolled = options.isPolled;
  }

  /** Watches a file, or a folder with all that is in it. */
  addRoot(path: string): void {
    if (this.#roots.has(path)) return;
    this.#roots.add(path);
    if (!this.#want(path)) this.#look(dirname(path), basename(path), { tell: false });
  }

  /** Watches one more file; false: it was watched before. */
  addFile(path: string): boolean {
    const folder = this.#folders.get(dirname(path));
    const covered = folder?.deep === true && folder.close !== undefined && !EDITORS_OWN.test(basename(path));
    return !covered && this.#want(path);
  }

  /** Compares all that is watched with what it was. */
  compareAll(): void {
    for (const top of this.#tops) this.#scan(top, true);
  }

  close(): void {
    for (const folder of this.#folders.values()) folder.close?.();
    this.#folders.clear();
  }

  /** Makes sure that a path is watched; false: it was. */
  #want(path: string): boolean {
    const above = dirname(path);
    if (above === path) {
      this.#tops.add(path);
      return false;
    }
    const known = this.#folders.get(above);
    if (known?.wanted.has(basename(path)) === true) return false;
    const folder = known ?? this.#newFolder(above);
    folder.wanted.add(basename(path));
    if (known !== undefined) this.#look(above, basename(path), { tell: false });
    else {
      this.#want(above);
      if (folder.close === undefined) this.#scan(above, false);
    }
    return true;
  }

  #newFolder(path: string): Folder {
    const folder: Folder = { close: undefined, deep: false, wanted: new Set(), files: new Map(), folders: new Set() };
    this.#folders.set(path, folder);
    return folder;
  }

  /** Watches a folder from now on, and looks at each thing in it. `tell`: also of what was not known. */
  #scan(path: string, tell: boolean): void {
    const folder = this.#folders.get(path);
    if (folder === undefined) return;
    // First: what changes while the folder is read is seen.
    this.#listen(path, folder);
    const names = new Set([...folder.files.keys(), ...folder.folders, ...folder.wanted]);
    if (folder.deep) for (const name of namesIn(path)) names.add(name);
    for (const name of names) this.#look(path, name, { tell });
  }

  #listen(path: string, folder: Folder): void {
    folder.close?.();
    folder.close = undefined;
    if (statOf(path)?.isDirectory() !== true) return;
    if (this.#isPolled) {
      folder.close = () => {};
      return;
    }
    try {
      const watcher: FSWatcher = watch(path, (event, name) => {
        if (name === null) this.#scan(path, true);
        // Of a folder, a changed mode.
        else if (event === 'rename' || !folder.folders.has(name)) this.#look(path, name, { tell: true, changed: true });
      });
      watcher.on('error', () => this.#scan(path, true));
      folder.close = () => watcher.close();
    } catch (error) {
      if (!EXHAUSTED.has(errnoOf(error))) return;
      this.#isPolled = true;
      this.#options.onExhausted(error instanceof Error ? error.message : String(error));
    }
  }

  /** Compares one name in a folder with what it was. `changed`: it changed, even where it looks the same. */
  #look(path: string, name: string, { tell, changed = false }: { readonly tell: boolean; readonly changed?: boolean }): void {
    const folder = this.#folders.get(path);
    if (folder === undefined) return;
    const isWanted = folder.wanted.has(name);
    if (!isWanted && (!folder.deep || EDITORS_OWN.test(name))) return;
    const child = join(path, name);
    const status = lstatOf(child);
    if (status?.isSymbolicLink() === true) this.#follow(child);
    const isKnown = folder.files.has(name);
    if (status !== undefined && this.#isWatchedFolder(child, folder, status)) {
      folder.folders.add(name);
      const inner = this.#folders.get(child) ?? this.#newFolder(child);
      inner.deep ||= this.#roots.has(child) || (folder.deep && status.isDirectory() && !this.#options.ignored(child));
      this.#scan(child, tell);
      if (folder.files.delete(name)) this.#tell(child, false);
      return;
    }
    if (folder.folders.delete(name)) this.#gone(child, tell);
    if (status?.isDirectory() === true && !isWanted) return;
    const sign = signOf(child);
    const isSame = folder.files.get(name) === sign;
    if (status === undefined) folder.files.delete(name);
    else folder.files.set(name, sign);
    if ((tell || isKnown) && (status === undefined ? isKnown : changed || !isSame)) {
      this.#tell(child, status !== undefined && !isKnown);
    }
  }

  #isWatchedFolder(path: string, above: Folder, status: BigIntStats): boolean {
    const isAsked = this.#folders.has(path) || this.#roots.has(path);
    if (status.isSymbolicLink()) return isAsked && statOf(path)?.isDirectory() === true;
    return status.isDirectory() && (isAsked || (above.deep && !this.#options.ignored(path)));
  }

  /** A folder was removed: so was all that was in it. */
  #gone(path: string, tell: boolean): void {
    this.#scan(path, tell);
    const folder = this.#folders.get(path);
    if (folder?.wanted.size === 0 && folder.folders.size === 0 && !this.#roots.has(path)) this.#folders.delete(path);
  }

  #follow(link: string): void {
    const target = targetOf(link);
    if (target === undefined) return;
    const links = this.#links.get(target) ?? new Set();
    this.#links.set(target, links);
    if (links.has(link)) return;
    links.add(link);
    this.#want(target);
  }

  #tell(path: string, isNew: boolean): void {
    // Links may lead to one another.
    if (this.#telling.has(path)) return;
    this.#telling.add(path);
    this.#options.onEvent(path, isNew);
    for (const link of this.#links.get(path) ?? []) {
      if (this.#folders.has(link)) this.#scan(link, true);
      else this.#tell(link, isNew);
    }
    this.#telling.delete(path);
  }
}

function namesIn(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function lstatOf(path: string): BigIntStats | undefined {
  try {
    return lstatSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function statOf(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function signOf(path: string): string {
  const status = statOf(path);
  return status === undefined ? '' : `${status.ino} ${status.size} ${status.mtimeNs} ${status.ctimeNs}`;
}

function targetOf(link: string): string | undefined {
  try {
    return resolve(dirname(link), readlinkSync(link));
  } catch {
    return undefined;
  }
}
