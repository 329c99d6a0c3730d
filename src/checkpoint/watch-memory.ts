/** Which subtasks of a task have a file among their inputs; 'all': one of those that have too many files to be kept by name. */
type Readers = Set<number> | number | 'all';

/** What a session remembers from run to run. Paths are in their shortest form (`shortestPath`). */
export class WatchMemory {
  /** Subtasks of tasks without `inputs`. */
  readonly kept = new Map<string, string>();
  /** Tasks of which something ran in this round and may have changed something. */
  readonly affected = new Set<string>();
  /** Files that were read or written by name, with the hash that they had then. */
  readonly seen = new Map<string, string>();
  /** Tasks that were looked at in this round: a change of their inputs comes too late for it. */
  readonly lookedAt = new Set<string>();
  /** Files that this round read with two different contents: whatever read the first one is outdated. */
  readonly torn = new Set<string>();
  /** By task and path. */
  readonly #readers = new Map<string, Map<string, Readers>>();
  /** Files that were read in any round. */
  readonly #everRead = new Set<string>();
  #newlyRead: string[] = [];
  readonly #readNow = new Map<string, string>();

  /** A round begins. */
  begin(): void {
    this.affected.clear();
    this.lookedAt.clear();
    this.torn.clear();
    this.#readNow.clear();
  }

  /** All subtasks of a task are looked at anew. */
  looksAnew(task: string): void {
    this.#readers.delete(task);
  }

  /** A subtask, by its index, has a file with this hash among its inputs. */
  reads(task: string, subtask: number | 'all', path: string, hash: string): void {
    const readNow = this.#readNow.get(path);
    if (readNow === undefined) this.#readNow.set(path, hash);
    else if (readNow !== hash) this.torn.add(path);
    this.seen.set(path, hash);
    if (!this.#everRead.has(path)) {
      this.#everRead.add(path);
      this.#newlyRead.push(path);
    }
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

  /** Whether any subtask had a file among its inputs, in this round or one before. */
  wasRead(path: string): boolean {
    return this.#everRead.has(path);
  }

  /** The files that were read for the first time since this was last asked. */
  takeNewlyRead(): readonly string[] {
    const paths = this.#newlyRead;
    this.#newlyRead = [];
    return paths;
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
