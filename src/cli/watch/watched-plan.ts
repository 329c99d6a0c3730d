import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import picomatch from 'picomatch';
import { moduleFiles } from '../../checkpoint/fingerprint-modules.js';
import type { WatchMemory } from '../../checkpoint/watch-memory.js';
import type { AffectedSubtasks } from '../../execute/run-again.js';
import type { ValidPlan } from '../../plan/valid-plan.js';
import { inertLine } from '../../report/inert.js';
import { hashOfFile, isAsSeen, type PlanFiles, pathIn, planFiles } from './changes.js';

/** The files that a plan hangs on, by its text and by what its subtasks were seen to read: what a changed file means to it. */
export class WatchedPlan {
  /** Work folder: paths in the memory are relative to it. */
  readonly #folder: string;
  readonly #memory: WatchMemory;
  #files: PlanFiles;
  #isInput: (path: string) => boolean = () => false;
  #isOutput: (path: string) => boolean = () => false;

  constructor(plan: ValidPlan, folder: string, memory: WatchMemory) {
    this.#folder = folder;
    this.#memory = memory;
    this.#files = this.#filesOf(plan);
  }

  /** The plan is another one now. */
  become(plan: ValidPlan): void {
    this.#files = this.#filesOf(plan);
  }

  /** Folders to watch. */
  get roots(): readonly string[] {
    return this.#files.roots;
  }

  /** Folders that the plan itself fills. */
  get ownFolders(): readonly string[] {
    return this.#files.ownFolders;
  }

  /** Whether a subtask was seen to read this file. */
  isRead(file: string): boolean {
    return this.#memory.isRead(this.#path(file));
  }

  /** Whether a change of this file can change what the plan would do. */
  counts(file: string, isNew: boolean): boolean {
    if (this.isCode(file)) return true;
    const path = this.#path(file);
    const read = this.#memory.isRead(path);
    if (!read && (!isNew || this.#isOutput(path) || !this.#isInput(path))) return false;
    // What the plan itself wrote, and a save that changed nothing.
    return !isAsSeen(file, this.#memory.seen.get(path));
  }

  /** Whether the file is the plan's text or one of its modules. */
  isCode(file: string): boolean {
    return this.#files.plan.has(file) || this.#files.modules.has(file);
  }

  /** The tasks that have this file among their inputs, with the subtasks. */
  readersOf(file: string): AffectedSubtasks {
    return this.#memory.readersOf(this.#path(file));
  }

  /** Whether subtasks were seen to read files in this folder. */
  readsIn(folder: string): boolean {
    return this.#memory.readsIn(this.#path(folder));
  }

  /** The subtasks that have these files among their inputs; undefined where more is affected, such as a list of items. */
  affectedBy(files: readonly string[] | undefined): AffectedSubtasks | undefined {
    if (files === undefined) return undefined;
    const affected = new Map<string, Set<number> | 'all'>();
    for (const file of files) {
      if (this.isCode(file) || !existsSync(file)) return undefined;
      const readers = this.readersOf(file);
      if (readers.size === 0) return undefined;
      for (const [task, subtasks] of readers) {
        const before = affected.get(task);
        if (subtasks === 'all' || before === 'all') affected.set(task, 'all');
        else affected.set(task, new Set([...(before ?? []), ...subtasks]));
      }
    }
    return affected;
  }

  /** The file's content is taken for known, so that it sets nothing off until it changes again. */
  take(file: string): void {
    this.#memory.seen.set(this.#path(file), hashOfFile(file));
  }

  /** The file's name as a user knows it. */
  shown(file: string): string {
    return inertLine(relative(this.#folder, file));
  }

  #path(file: string): string {
    return pathIn(this.#folder, file) ?? file;
  }

  #filesOf(plan: ValidPlan): PlanFiles {
    const modules = plan.tasks.flatMap(({ work }) => (work.kind === 'module' ? moduleFiles(work.file) : []));
    const files = planFiles(plan, modules, this.#folder);
    const matcher = (patterns: readonly string[]) =>
      patterns.length === 0 ? () => false : picomatch([...patterns], { dot: true });
    this.#isInput = matcher(files.inputs);
    this.#isOutput = matcher(files.outputs);
    return files;
  }
}
