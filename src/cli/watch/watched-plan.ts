import { existsSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import picomatch from 'picomatch';
import { moduleFiles } from '../../checkpoint/fingerprint-modules.js';
import type { WatchMemory } from '../../checkpoint/watch-memory.js';
import type { AffectedSubtasks } from '../../execute/run-again.js';
import type { ValidPlan } from '../../plan/valid-plan.js';
import { inertLine } from '../../report/inert.js';
import { hashOfFile, isAsSeen, type PlanFiles, planFiles, statusOf } from './changes.js';

/** A larger file is compared when it is at rest: one that is being copied changes a thousand times. */
const MOST_BYTES_AT_ONCE = 1024 * 1024;

/** The files that a plan depends on, by its text and by what its subtasks were seen to read: what a changed file means to it. */
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
    this.#files = this.#filesOf(plan, []);
  }

  /** The plan is another one now. */
  become(plan: ValidPlan): void {
    // A module that was removed is still imported; when it comes back it counts.
    const missing = [...this.#files.modules].filter((file) => !existsSync(file));
    this.#files = this.#filesOf(plan, missing);
  }

  /** Files and folders to watch. */
  get roots(): readonly string[] {
    return this.#files.roots;
  }

  /** The files that subtasks read for the first time since this was last asked, absolute. */
  takeNewlyRead(): readonly string[] {
    return this.#memory.takeNewlyRead().map((path) => resolve(this.#folder, path));
  }

  /** The files that changed, other than by the plan, between two looks of the last round. */
  torn(): readonly string[] {
    return [...this.#memory.torn].filter((path) => !this.#isOutput(path)).map((path) => resolve(this.#folder, path));
  }

  /** Whether a change of this file can change what the plan would do; a large file that was read may have changed. */
  mayCount(file: string, isNew: boolean): boolean {
    const size = statusOf(file)?.size ?? 0;
    if (size > MOST_BYTES_AT_ONCE && this.#memory.isRead(this.#path(file))) return true;
    return this.counts(file, isNew);
  }

  /** Whether a change of this file can change what the plan would do. */
  counts(file: string, isNew: boolean): boolean {
    if (this.isCode(file)) return true;
    const path = this.#path(file);
    // What the plan itself wrote, and a save that changed nothing.
    if (this.#memory.isRead(path)) return !isAsSeen(file, this.#memory.seen.get(path));
    // Another item, most likely. What was read before, and was gone when the plan looked, may be back.
    return (isNew || this.#memory.wasRead(path)) && existsSync(file) && this.#isInput(path) && !this.#isOutput(path);
  }

  /** Whether the file is the plan's text or one of its modules. */
  isCode(file: string): boolean {
    return this.#files.plan.has(file) || this.#files.modules.has(file);
  }

  /** Whether the plan declares the file as an output. */
  isOutput(file: string): boolean {
    return this.#isOutput(this.#path(file));
  }

  /** The tasks that have this file among their inputs, with the subtasks. */
  readersOf(file: string): AffectedSubtasks {
    return this.#memory.readersOf(this.#path(file));
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
    return inertLine(this.#path(file));
  }

  #path(file: string): string {
    return relative(this.#folder, file);
  }

  #filesOf(plan: ValidPlan, missing: readonly string[]): PlanFiles {
    const modules = plan.tasks.flatMap(({ work }) => (work.kind === 'module' ? moduleFiles(work.file) : []));
    const files = planFiles(plan, [...modules, ...missing], this.#folder);
    const matcher = (patterns: readonly string[]) =>
      patterns.length === 0 ? () => false : picomatch([...patterns], { dot: true });
    this.#isInput = matcher(files.inputs);
    this.#isOutput = matcher(files.outputs);
    return files;
  }
}
