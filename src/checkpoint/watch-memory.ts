/** Which subtasks of a task have a file among their inputs; 'all': one of those that have too many files to be kept by name. */
type Readers = Set<number> | number | 'all';

/** What a session remembers from run to run. */
export class WatchMemory {
  /** Subtasks of tasks without `inputs`. */
  readonly kept = new Map<string, string>();
  /** Tasks of which something ran in this round and may have changed something. */
  readonly affected = new Set<string>();
  /** Files that were read or written by name, with the hash that they had then. */
  readonly seen = new Map<string, string>();
  /** Tasks that were looked at in this round: a change of their inputs comes too late for it. */
  readonly lookedAt = new Set<string>();
  /** By task and path. */
  readonly #readers = new Map<string, Map<string, Readers>>();

  /** A round begins. */
  begin(): void {
    this.affected.clear();
    this.lookedAt.clear();
  }

  /** All subtasks of a task are looked at anew. */
  looksAnew(task: string): void {
    this.#readers.delete(task);
  }

  /** A subtask, by its index, has a file among its inputs. */
  reads(task: string, subtask: number | 'all', path: string): void {
    let paths = this.#readers.get(task);
    if (paths === undefined) {
      paths = new Map();
      this.#readers.set(task, paths);
    }
    const before = paths.get(path);
    if (before === undefined || subtask === 'all') paths.set(path, subtask);
    else if (typeof before === 'object') before.add(subtask);
    else if (before !== 'all' && before !== subtask) paths.set(path, new Set([before, subtask]));
  }

  /** Whether any subtask has a file among its inputs. */
  isRead(path: string): boolean {
    for (const paths of this.#readers.values()) if (paths.has(path)) return true;
    return false;
  }

  /** Whether any subtask has a file in a folder among its inputs. */
  readsIn(folder: string): boolean {
    for (const paths of this.#readers.values()) for (const path of paths.keys()) if (path.startsWith(`${folder}/`)) return true;
    return false;
  }

  /** The subtasks that have a file among their inputs, by task. */
  readersOf(path: string): ReadonlyMap<string, ReadonlySet<number> | 'all'> {
    const found = new Map<string, ReadonlySet<number> | 'all'>();
    for (const [task, paths] of this.#readers) {
      const readers = paths.get(path);
      if (readers !== undefined) found.set(task, typeof readers === 'number' ? new Set([readers]) : readers);
    }
    return found;
  }
}
