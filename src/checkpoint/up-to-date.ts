import type { FinishedSubtasks, SubtaskAbout } from '../execute/finished.js';
import type { Checkpoint } from '../model/checkpoint.js';
import { canonicalJson, contentHash } from '../model/ids.js';
import type { JsonObject } from '../model/json.js';
import { err, ok, type Result } from '../model/result.js';
import type { ExpressionScope } from '../plan/expressions.js';
import type { TaskDefinition } from '../plan/valid-plan.js';
import { subtaskKey } from '../worker/subtask-key.js';
import { FileHashes } from './fingerprint-files.js';
import type { FingerprintIndex, KeptSubtask } from './fingerprint-index.js';
import { mayAskForResults, moduleFiles } from './fingerprint-modules.js';
import { changeText, type FingerprintParts, MISSING, MOST_NAMED_FILES } from './fingerprint-parts.js';
import { filePatterns } from './fingerprint-patterns.js';
import { taskOf } from './finished-index.js';

/** What it takes to say whether subtasks are up to date. */
export interface UpToDateOptions {
  readonly index: FingerprintIndex;
  readonly tasks: readonly TaskDefinition[];
  /** The work folder, absolute. */
  readonly folder: string;
  readonly params: JsonObject;
  readonly env: Readonly<Record<string, string>>;
  /** Variables whose values leave no trace in the index, not as a hash either. */
  readonly secrets: readonly string[];
  /** Everything runs; what succeeds is taken down all the same. */
  readonly force: boolean;
  /** In a session of several runs: what its runs so far did; tasks without `inputs` are skipped as well where nothing asks for them. */
  readonly session?: WatchMemory | undefined;
  /** Told, once, why the index can be written no more. What is not in it runs again. */
  readonly onProblem: (message: string) => void;
}

/** What a session remembers from run to run. */
export class WatchMemory {
  /** Subtasks of tasks without `inputs`. */
  readonly kept = new Map<string, KeptSubtask>();
  /** Tasks of which something ran in this round and may have changed something. */
  readonly affected = new Set<string>();
  /** Files that were read or written by name, with the hash that they had then. */
  readonly seen = new Map<string, string>();
  /** The tasks that have a file among their inputs. */
  readonly readers = new Map<string, Set<string>>();

  /** A round begins. */
  begin(): void {
    this.affected.clear();
  }
}

/** A subtask that was asked for in this run. */
interface Asked {
  readonly id: string;
  readonly about: SubtaskAbout;
  readonly parts: FingerprintParts;
  readonly kept: KeptSubtask | undefined;
}

interface ModuleFacts {
  readonly hash: string;
  readonly asksForResults: boolean;
}

/**
 * The subtasks of tasks with `inputs` that need not run: they succeeded in an earlier run, since when nothing changed that they are
 * known to hang on, and their outputs are as they left them. A subtask's fingerprint is taken before it runs and kept after it
 * succeeded, so that a file that changes in between makes it run again.
 */
export class UpToDate implements FinishedSubtasks {
  readonly #options: UpToDateOptions;
  readonly #hashes: FileHashes;
  readonly #tasks: ReadonlySet<string>;
  readonly #asked = new Map<string, Asked>();
  readonly #modules = new Map<string, ModuleFacts>();
  /** Hashes of what all subtasks of a task read alike. */
  readonly #shared = new WeakMap<object, string>();
  #flushing = false;
  #broken = false;

  constructor(options: UpToDateOptions) {
    this.#options = options;
    const { index, folder, tasks } = options;
    this.#hashes = new FileHashes(folder, index.files, (path, file) => index.setFile(path, file));
    const all = options.session !== undefined;
    this.#tasks = new Set(tasks.flatMap(({ id, inputs }) => (inputs === undefined && !all ? [] : [id])));
  }

  knows(task: string): boolean {
    return this.#tasks.has(task);
  }

  has(task: string, key: string, about?: SubtaskAbout): boolean {
    if (!this.#tasks.has(task)) return false;
    if (about === undefined) return this.#asked.get(`${task} ${key}`)?.kept !== undefined;
    const { index, force, session } = this.#options;
    const id = idOf(about);
    const parts = this.#parts(about);
    const named = about.task.inputs !== undefined;
    const kept = named ? index.subtasks.get(id) : session?.kept.get(id);
    const mayRest = named || (about.task.needs.length > 0 && !about.task.needs.some((need) => session?.affected.has(need)));
    const current = !force && mayRest && parts.ok && this.#why(kept, parts.value) === undefined;
    if (parts.ok) this.#asked.set(`${task} ${key}`, { id, about, parts: parts.value, kept: current ? kept : undefined });
    if (!current) {
      // Should the run be killed half way through it, it must not count as done.
      index.drop(id);
      this.#flushSoon();
    }
    return current;
  }

  find(task: string, key: string): Checkpoint | undefined {
    const asked = this.#asked.get(`${task} ${key}`);
    return asked?.kept && { ...asked.kept.checkpoint, key };
  }

  isOfEarlierRun(task: string, key: string): boolean {
    return this.#asked.get(`${task} ${key}`)?.kept !== undefined;
  }

  /** Why a subtask would run, in words; undefined where it is up to date. Changes nothing in the index of subtasks. */
  explain(about: SubtaskAbout): string | undefined {
    const parts = this.#parts(about);
    return parts.ok ? this.#why(this.#options.index.subtasks.get(idOf(about)), parts.value) : parts.error;
  }

  /** Takes down a subtask that ended in this run, and its outputs as they are now. A failed one is not up to date. */
  ended(checkpoint: Checkpoint): void {
    const name = `${taskOf(checkpoint.task_id)} ${checkpoint.key}`;
    const asked = this.#asked.get(name);
    const { index, session } = this.#options;
    if (asked === undefined || checkpoint.status !== 'success') {
      session?.affected.add(taskOf(checkpoint.task_id));
      return;
    }
    const outputs = this.#outputsOf(asked.about);
    const { id, parts, about } = asked;
    if (session !== undefined) {
      for (const [path, hash] of Object.entries(outputs.ok ? outputs.value : {})) session.seen.set(path, hash);
      // What needs nothing and names no inputs ran to look, and affects others by its results alone.
      const looked = about.task.inputs === undefined && about.task.needs.length === 0;
      const before = looked ? session.kept.get(id) : undefined;
      if (before === undefined || canonicalJson(before.checkpoint.results) !== canonicalJson(checkpoint.results))
        session.affected.add(about.task.id);
    }
    if (!outputs.ok) return;
    const kept = { parts, outputs: outputs.value, checkpoint };
    if (about.task.inputs === undefined) session?.kept.set(id, kept);
    else index.set(id, kept);
    this.#flushSoon();
  }

  /** Writes what is not written yet. */
  close(): void {
    this.#flush();
  }

  #why(kept: KeptSubtask | undefined, parts: FingerprintParts): string | undefined {
    if (kept === undefined) return 'it has not succeeded before, or failed since';
    const change = changeText(kept.parts, parts);
    if (change !== undefined) return change;
    for (const [path, hash] of Object.entries(kept.outputs)) {
      if (hash === MISSING) return `it did not make its output ${path}`;
      const now = this.#hashes.hash(path);
      if (now !== hash) return `its output ${path} is ${now === MISSING ? 'gone' : 'not what it wrote'}`;
    }
    return undefined;
  }

  #parts(about: SubtaskAbout): Result<FingerprintParts, string> {
    const { task, previous } = about;
    const patterns = filePatterns(task.inputs ?? [], this.#scope(about));
    if (!patterns.ok) return err(`its inputs cannot be found: ${patterns.error}`);
    const files = this.#hashes.matching(patterns.value);
    const module = this.#module(task);
    const { session } = this.#options;
    if (session !== undefined) {
      for (const [path, hash] of files) {
        session.seen.set(path, hash);
        const readers = session.readers.get(path);
        if (readers === undefined) session.readers.set(path, new Set([task.id]));
        else readers.add(task.id);
      }
    }
    const text = [...files].map(([path, hash]) => `${hash} ${path}`).join('\n');
    return ok({
      definition: contentHash(canonicalJson([task.hash, task.success, task.if ?? null])),
      module: module?.hash ?? '',
      env: this.#env(task),
      results: this.#results(about, module) + (previous === undefined ? '' : contentHash(canonicalJson(previous))),
      files: contentHash(text),
      ...(files.size <= MOST_NAMED_FILES && { fileHashes: Object.fromEntries(files) }),
    });
  }

  #results({ tasks, resultsBefore }: SubtaskAbout, module: ModuleFacts | undefined): string {
    const before = this.#shared.get(tasks);
    if (before !== undefined) return before;
    const read = module?.asksForResults === true ? resultsBefore() : tasks;
    const hash = contentHash(canonicalJson(read));
    this.#shared.set(tasks, hash);
    return hash;
  }

  #env({ envReads = [] }: TaskDefinition): string {
    const before = this.#shared.get(envReads);
    if (before !== undefined) return before;
    const { env, secrets } = this.#options;
    const seen = envReads.filter((name) => !secrets.includes(name)).map((name) => [name, env[name] ?? null]);
    const hash = contentHash(canonicalJson(seen));
    this.#shared.set(envReads, hash);
    return hash;
  }

  #module({ work }: TaskDefinition): ModuleFacts | undefined {
    if (work.kind !== 'module') return undefined;
    const before = this.#modules.get(work.file);
    if (before !== undefined) return before;
    const files = moduleFiles(work.file);
    const hash = contentHash(files.map((file) => this.#hashes.hash(file)).join('\n'));
    const facts = { hash, asksForResults: mayAskForResults(files) };
    this.#modules.set(work.file, facts);
    return facts;
  }

  #outputsOf(about: SubtaskAbout): Result<Readonly<Record<string, string>>, string> {
    const patterns = filePatterns(about.task.outputs ?? [], this.#scope(about));
    if (!patterns.ok) return patterns;
    return ok(Object.fromEntries(this.#hashes.matching(patterns.value)));
  }

  #scope({ tasks, item, index, previous }: SubtaskAbout): ExpressionScope {
    const { params, env } = this.#options;
    return {
      params,
      env,
      tasks,
      ...(index !== undefined && { index, item: item ?? null }),
      ...(previous !== undefined && { prev: previous }),
    };
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#broken) return;
    try {
      this.#options.index.flush();
    } catch (error) {
      this.#broken = true;
      this.#options.onProblem(`what is up to date cannot be kept: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

function idOf({ task, item, occurrence }: SubtaskAbout): string {
  return subtaskKey(contentHash(`task ${task.id}`), item, occurrence);
}
