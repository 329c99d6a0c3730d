import type { FinishedSubtasks, SubtaskAbout } from '../execute/finished.js';
import type { Checkpoint } from '../model/checkpoint.js';
import { canonicalJson, contentHash, taskOfSubtask } from '../model/ids.js';
import type { JsonObject } from '../model/json.js';
import { err, ok, type Result } from '../model/result.js';
import type { ExpressionScope } from '../plan/expression-scope.js';
import type { TaskDefinition } from '../plan/valid-plan.js';
import { FileHashes, type FoundFiles } from './fingerprint-files.js';
import type { FingerprintIndex } from './fingerprint-index.js';
import { mayAskForResults, moduleFiles } from './fingerprint-modules.js';
import { MISSING, MOST_NAMED_FILES } from './fingerprint-parts.js';
import { filePatterns } from './fingerprint-patterns.js';
import { checkpointOf, isInState, keptText, outputsOf, pairsText, recordOf, stateChange } from './kept-subtask.js';
import type { WatchMemory } from './watch-memory.js';

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

/** A subtask that was asked for in this run. */
interface Asked {
  readonly id: string;
  readonly about: SubtaskAbout;
  /** What it hangs on, as it is now. */
  readonly state: string;
  /** The line that says that it need not run. */
  readonly kept: string | undefined;
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
  /** By task and key. */
  readonly #asked = new Map<string, Map<string, Asked>>();
  readonly #sharedStates = new WeakMap<TaskDefinition, { readonly tasks: JsonObject; readonly text: string }>();
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

  begin(task: string): void {
    this.#options.session?.looksAnew(task);
    this.#asked.delete(task);
  }

  has(task: string, key: string, about?: SubtaskAbout): boolean {
    if (!this.#tasks.has(task)) return false;
    this.#options.session?.lookedAt.add(task);
    if (about === undefined) return this.#keptOf(task, key) !== undefined;
    const { index, force, session } = this.#options;
    const id = idOf(about);
    const state = this.#state(about);
    const named = about.task.inputs !== undefined;
    const kept = named ? index.subtasks.get(id) : session?.kept.get(id);
    const mayRest = named || (about.task.needs.length > 0 && !about.task.needs.some((need) => session?.affected.has(need)));
    const current = !force && mayRest && kept !== undefined && state.ok && this.#isCurrent(kept, state.value);
    if (state.ok) this.#askedOf(task).set(key, { id, about, state: state.value, kept: current ? kept : undefined });
    if (!current) {
      // Should the run be killed half way through it, it must not count as done.
      index.drop(id);
      this.#flushSoon();
    }
    return current;
  }

  find(task: string, key: string): Checkpoint | undefined {
    const kept = this.#keptOf(task, key);
    const checkpoint = kept === undefined ? undefined : checkpointOf(kept);
    return checkpoint && { ...checkpoint, key };
  }

  line(task: string, key: string): string | undefined {
    // A secret may have come to the plan since.
    if (this.#options.secrets.length > 0) return undefined;
    const kept = this.#keptOf(task, key);
    const line = kept === undefined ? undefined : recordOf(kept);
    return line?.includes(`,"key":"${key}","attempt":1,`) === true ? line : undefined;
  }

  isOfEarlierRun(task: string, key: string): boolean {
    return this.#keptOf(task, key) !== undefined;
  }

  /** Why a subtask would run, in words; undefined where it is up to date. Changes nothing in the index of subtasks. */
  explain(about: SubtaskAbout): string | undefined {
    const state = this.#state(about);
    if (!state.ok) return state.error;
    const kept = this.#options.index.subtasks.get(idOf(about));
    if (kept === undefined) return 'it has not succeeded before, or failed since';
    if (!isInState(kept, state.value)) return stateChange(kept, state.value);
    const output = this.#changedOutput(kept);
    if (output === undefined) return undefined;
    if (output.kept === MISSING) return `it did not make its output ${output.path}`;
    return `its output ${output.path} is ${output.now === MISSING ? 'gone' : 'not what it wrote'}`;
  }

  /** Takes down a subtask that ended in this run, and its outputs as they are now. A failed one is not up to date. */
  ended(checkpoint: Checkpoint): void {
    const task = taskOfSubtask(checkpoint.task_id);
    const asked = this.#asked.get(task)?.get(checkpoint.key);
    const { index, session } = this.#options;
    if (asked === undefined || checkpoint.status !== 'success') {
      session?.affected.add(task);
      return;
    }
    const outputs = this.#outputsOf(asked.about);
    const { id, state, about } = asked;
    if (session !== undefined) {
      if (outputs.ok) for (const [path, hash] of outputs.value) session.seen.set(path, hash);
      // What needs nothing and names no inputs ran to look, and affects others by its results alone.
      const looked = about.task.inputs === undefined && about.task.needs.length === 0;
      const before = looked ? session.kept.get(id) : undefined;
      const results = before === undefined ? undefined : checkpointOf(before)?.results;
      if (results === undefined || canonicalJson(results) !== canonicalJson(checkpoint.results)) session.affected.add(task);
    }
    if (!outputs.ok) return;
    const kept = keptText(state, outputs.value, checkpoint);
    if (about.task.inputs === undefined) session?.kept.set(id, kept);
    else index.set(id, kept);
    this.#flushSoon();
  }

  /** Writes what is not written yet. */
  close(): void {
    this.#flush();
  }

  #askedOf(task: string): Map<string, Asked> {
    let asked = this.#asked.get(task);
    if (asked === undefined) {
      asked = new Map();
      this.#asked.set(task, asked);
    }
    return asked;
  }

  #keptOf(task: string, key: string): string | undefined {
    return this.#asked.get(task)?.get(key)?.kept;
  }

  #isCurrent(kept: string, state: string): boolean {
    return isInState(kept, state) && this.#changedOutput(kept) === undefined;
  }

  /** The first output that is not what the subtask wrote, or that it did not make. */
  #changedOutput(kept: string): { readonly path: string; readonly kept: string; readonly now: string } | undefined {
    const outputs = outputsOf(kept);
    for (let i = 0; i + 1 < outputs.length; i += 2) {
      const [path = '', hash = ''] = [outputs[i], outputs[i + 1]];
      const now = hash === MISSING ? MISSING : this.#hashes.hash(path);
      if (hash === MISSING || now !== hash) return { path, kept: hash, now };
    }
    return undefined;
  }

  /** What a subtask hangs on, as it is now (see `kept-subtask.ts`). */
  #state(about: SubtaskAbout): Result<string, string> {
    const { task, previous } = about;
    const patterns = filePatterns(task.inputs ?? NOTHING, this.#scope(about));
    if (!patterns.ok) return err(`its inputs cannot be found: ${patterns.error}`);
    const files = this.#hashes.matching(patterns.value);
    const { session } = this.#options;
    if (session !== undefined) {
      const reader = files.length > MOST_NAMED_FILES ? 'all' : (about.index ?? 0);
      for (const [path, hash] of files) session.reads(task.id, reader, path, hash);
    }
    const before = previous === undefined ? '' : contentHash(canonicalJson(previous));
    const list = pairsText(files);
    return ok(
      `${this.#sharedState(about)}${before}\t${files.length <= MOST_NAMED_FILES ? list : JSON.stringify(contentHash(list))}`,
    );
  }

  /** What all subtasks of a task hang on alike. */
  #sharedState(about: SubtaskAbout): string {
    const { task, tasks } = about;
    const known = this.#sharedStates.get(task);
    if (known?.tasks === tasks) return known.text;
    const module = this.#module(task);
    const definition = contentHash(canonicalJson([task.hash, task.success, task.if ?? null]));
    const text = `${definition} ${module?.hash ?? ''} ${this.#env(task)} ${this.#results(about, module)}`;
    this.#sharedStates.set(task, { tasks, text });
    return text;
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

  #outputsOf(about: SubtaskAbout): Result<FoundFiles, string> {
    const patterns = filePatterns(about.task.outputs ?? NOTHING, this.#scope(about));
    return patterns.ok ? ok(this.#hashes.matching(patterns.value)) : patterns;
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

const NOTHING: readonly string[] = [];

/** What it is, wherever it stands in its list; its definition is no part of it, so that a change of that can be told. */
function idOf({ task, item, occurrence }: SubtaskAbout): string {
  if (item === undefined) return task.id;
  const text = canonicalJson(item);
  return `${task.id} ${text.length <= MOST_ITEM ? text : contentHash(text)}${occurrence === 0 ? '' : ` ${occurrence}`}`;
}

/** A longer item is named by its hash. */
const MOST_ITEM = 200;
