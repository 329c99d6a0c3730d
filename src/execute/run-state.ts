import { batchCount, batchItem, expandsInRun } from '../graph/fan-out.js';
import type { TaskNode } from '../graph/task-graph.js';
import type { Failure } from '../model/failure.js';
import { canonicalJson, parseSubtaskId } from '../model/ids.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import { err, ok, type Result, unreachable } from '../model/result.js';
import type { RunEvent } from '../model/run-event.js';
import { type SkipCause, skipReason } from '../model/skip.js';
import { unavailableFields, unavailableFieldsText } from '../plan/command-variables.js';
import { writtenFilter } from '../plan/item-filter.js';
import type { TaskDefinition } from '../plan/valid-plan.js';
import { occurrencesOf, subtaskKey } from '../worker/subtask-key.js';
import type { Dispatcher } from './dispatcher.js';
import type { DispatcherPorts } from './dispatcher-ports.js';
import { expandItems } from './expand.js';
import { failureCheckpoint } from './failure-checkpoint.js';
import { finishedPartOf, unfinishedOf } from './finished-part.js';
import { skippedByCondition, skippedByNeeds, skippedBySource, stateOfSkipped } from './leave-out.js';
import { Pacer } from './pacer.js';
import { Pairs } from './pairs.js';
import { Pools } from './pools.js';
import type { MeasuredWork, RunWavesOptions, RunWavesPorts } from './ports.js';
import { bodyReads, tasksToKeep } from './result-readers.js';
import { Ancestors, ResultsStore, type TaskState } from './results-store.js';
import { programOf } from './task-state.js';
import type { TaskTally, TaskWork } from './task-work.js';

/** A task that can be handed out, and its node. */
export interface ExpandedTask {
  readonly node: TaskNode;
  readonly work: TaskWork;
  /** It was not known before the run how many subtasks it has. */
  readonly expanded: boolean;
}

/** Why a task is not handed out: it does not run, or it failed before it had any subtasks. */
export type NotBegun =
  | { readonly kind: 'skipped'; readonly skip: SkipCause }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** What a fan-out comes to: its number of subtasks, and what each gets. */
type Items = Pick<TaskWork, 'itemAt' | 'previousAt' | 'oneByOne'> & { readonly count: number };

/** What tasks left behind so far, and what follows from it for those that come: shared by the ways to run a graph. */
export class RunState {
  readonly results = new ResultsStore();
  /** Subtasks, by position of their task. */
  readonly counts = new Map<number, number>();
  /** What was measured of tasks of which nothing was known. */
  readonly probes = new Map<number, MeasuredWork>();
  readonly pacer: Pacer | undefined;
  readonly pools: Pools;
  /** Tasks that were expanded, by their position; those of a session's later rounds are worked on as they are here. */
  readonly expanded = new Map<number, ExpandedTask>();
  /** The subtasks that failed, by position of their task and index. */
  readonly failed = new Map<number, Set<number>>();
  readonly #options: RunWavesOptions;
  readonly #kept: ReadonlySet<string>;
  #ports: RunWavesPorts;
  #pairs: Pairs;
  #nextId = 0;
  /** Tasks of which no subtasks could be found, by position. */
  readonly #failedBeforeStart = new Set<number>();
  /** Subtasks that failed, and tasks that could not be expanded. */
  failures = 0;

  constructor(options: RunWavesOptions, ports: RunWavesPorts) {
    this.#options = options;
    this.#ports = ports;
    this.pacer = options.ratePerMinute === undefined ? undefined : new Pacer(options.ratePerMinute, ports.clock);
    this.pools = new Pools(options.pools ?? {}, ports.clock);
    this.#kept = tasksToKeep(options);
    this.#pairs = new Pairs(options.graph);
  }

  /** Another round begins on what the one before left behind. */
  goOn(ports: RunWavesPorts): void {
    this.#ports = ports;
    this.#pairs = new Pairs(this.#options.graph);
  }

  /** What a dispatcher takes from the run. */
  dispatcherPorts(): DispatcherPorts {
    const { executor, clock, random, control, records, expectedMs, mostInChunk, chunkMs } = this.#ports;
    return {
      executor,
      clock,
      random,
      control,
      emit: (event) => this.#emit(event),
      pacer: this.pacer,
      pools: this.pools,
      surroundings: this.#options.surroundings,
      results: this.results,
      nextId: () => this.#nextId++,
      ...(records && { records }),
      ...(expectedMs && { expectedMs }),
      ...(this.#options.failure && { failure: this.#options.failure }),
      ...(mostInChunk !== undefined && { mostInChunk }),
      ...(chunkMs && { chunkMs }),
    };
  }

  /**
   * Decides about a task whose needs are over, the one way for all runs: by how those ended, by its own `if`, and then by its items.
   * What is not begun is to be told of by `tellNotBegun`.
   */
  begin(node: TaskNode, priority: number): Result<ExpandedTask, NotBegun> {
    const skip = this.skipOf(node);
    const begun: Result<ExpandedTask, NotBegun> = !skip.ok
      ? err({ kind: 'failed', failure: skip.error })
      : skip.value !== undefined
        ? err({ kind: 'skipped', skip: skip.value })
        : this.#expand(node, priority);
    if (!begun.ok) {
      this.expanded.delete(node.index);
      this.failed.delete(node.index);
      this.counts.set(node.index, begun.error.kind === 'failed' ? 1 : 0);
      if (begun.error.kind === 'failed') this.#dropAllButFailure(node);
    }
    return begun;
  }

  /** Why a task does not run, before its items are looked at; the failure is that of its `if`. */
  skipOf({ task }: TaskNode): Result<SkipCause | undefined, Failure> {
    const followsNow = (need: string) => this.#pairs.source(need) !== undefined;
    const skip = skippedByNeeds(task, (need) => this.#stateOfNeed(need, task), followsNow);
    return skip === undefined ? this.skipByCondition(task) : ok(skip);
  }

  /** The same by its own `if` alone. Of a task that has results in this run, it was true. */
  skipByCondition(task: TaskDefinition): Result<SkipCause | undefined, Failure> {
    if (this.#options.finished?.hasSuccess?.(task.id) === true) return ok(undefined);
    const { params, env } = this.#options.surroundings;
    return skippedByCondition(task, { params, env, tasks: this.results.scope(task.reads) });
  }

  /** What is followed item by item may still run. */
  #stateOfNeed(need: string, { foreach }: TaskDefinition): TaskState | undefined {
    const state = this.results.state(need);
    return state === undefined && foreach?.kind === 'each' && foreach.task === need ? 'done' : state;
  }

  #expand(node: TaskNode, priority: number): Result<ExpandedTask, NotBegun> {
    const { task } = node;
    const items = this.#items(task);
    if (!items.ok) {
      const skip = skippedBySource(task, (need) => this.results.state(need));
      return err(skip === undefined ? { kind: 'failed', failure: items.error } : { kind: 'skipped', skip });
    }
    this.expanded.delete(node.index);
    this.failed.delete(node.index);
    const { count, ...source } = items.value;
    const { itemAt } = source;
    this.counts.set(node.index, count);
    if (itemAt !== undefined) this.results.set(task.id, new Array<JsonValue>(count).fill(null));
    const { clock, emit } = this.#ports;
    if (count === 0 && task.filters !== undefined) {
      const message = `no item of task '${task.id}' passes --filter ${task.filters.map(writtenFilter).join(' ')}`;
      emit({ type: 'warning', at: clock.now(), message });
    }
    this.#warnOfFields(task, count, itemAt);
    const known = !expandsInRun(node, this.#options.graph);
    if (!known) {
      emit({ type: 'task-expanded', at: clock.now(), wave: node.depth, task: task.id, subtasks: count });
    }
    const occurrences: ReadonlyMap<number, number> = itemAt === undefined ? new Map() : occurrencesOf(count, itemAt);
    const work: TaskWork = {
      task,
      wave: node.depth,
      count,
      ...source,
      occurrences,
      readable: new Ancestors(node, this.#options.graph.nodes),
      scope: this.results.scope(bodyReads(task)),
      keepResults: this.#kept.has(task.id),
      priority,
    };
    this.expanded.set(node.index, { node, work, expanded: !known });
    const finished = finishedPartOf(work, this.#options.finished, () => this.#resultsBefore(work));
    this.#dropRest(node);
    return ok({ node, work: finished === undefined ? work : { ...work, finished }, expanded: !known });
  }

  /** A plan's own items were looked at when the plan was read. The others are alike, as a rule: the first one tells. */
  #warnOfFields({ id, work, foreach, batch }: TaskDefinition, count: number, itemAt: Items['itemAt']): void {
    const isKnown = foreach === undefined || foreach.kind === 'list' || foreach.kind === 'each';
    if (isKnown || work.kind !== 'shell' || batch !== undefined || count === 0 || itemAt === undefined) return;
    const fields = unavailableFields(itemAt(0));
    if (fields.length === 0) return;
    const { message, hint } = unavailableFieldsText(id, fields);
    this.#ports.emit({ type: 'warning', at: this.#ports.clock.now(), message: `${message}; ${hint}` });
  }

  /** A task that fails before it has subtasks has one record, of the failure. */
  #dropAllButFailure(node: TaskNode): void {
    const { finished } = this.#options;
    if (finished?.dropRest === undefined) return;
    finished.begin?.(node.task.id);
    finished.has(node.task.id, subtaskKey(node.task.hash, undefined, 0));
    this.#tellDropped(node, finished.dropRest(node.task.id));
  }

  /** Tells which records of a task that was expanded no longer count, because the plan has no such subtasks any more. */
  #dropRest(node: TaskNode): void {
    const keys = this.#options.finished?.dropRest?.(node.task.id) ?? [];
    const failure = this.#failedBeforeStart.delete(node.index) ? [subtaskKey(node.task.hash, undefined, 0)] : [];
    this.#tellDropped(node, [...keys, ...failure]);
  }

  #tellDropped({ task, depth: wave }: TaskNode, keys: readonly string[]): void {
    const { emit, clock } = this.#ports;
    for (let first = 0; first < keys.length; first += KEYS_AT_ONCE)
      emit({ type: 'records-dropped', at: clock.now(), wave, task: task.id, keys: keys.slice(first, first + KEYS_AT_ONCE) });
  }

  /** Whether a task's items are no longer those that it was expanded to. */
  hasOtherItems({ work: { task, count, itemAt } }: ExpandedTask): boolean {
    const items = this.#items(task);
    if (!items.ok || items.value.count !== count) return true;
    const now = items.value.itemAt;
    if (itemAt === undefined || now === undefined) return itemAt !== now;
    for (let index = 0; index < count; index++) if (!isSame(itemAt(index), now(index))) return true;
    return false;
  }

  /**
   * A task that was expanded in an earlier round, for those of the subtasks in question that are not up to date. `again`: what it
   * reads may be something else now. The earlier results of what is to run count no more.
   */
  again({ node, work }: ExpandedTask, indexes: Iterable<number>, { readAnew }: { readonly readAnew: boolean }): ExpandedTask {
    const { task } = work;
    const read = readAnew ? { scope: this.results.scope(bodyReads(task)), program: undefined } : {};
    // Absent, and not undefined, so that threads are told of it anew.
    const { program, ...now } = { ...work, ...read };
    const only = unfinishedOf(now, indexes, this.#options.finished, () => this.#resultsBefore(work));
    const known = program ?? programOf(now, { nextId: () => this.#nextId++, surroundings: this.#options.surroundings });
    if (work.program !== undefined && work.program !== known) this.#ports.executor.forget?.([work.program.ref]);
    const expanded = { node, work: { ...now, program: known }, expanded: false };
    this.expanded.set(node.index, expanded);
    for (const index of only) {
      this.failed.get(node.index)?.delete(index);
      if (work.itemAt === undefined) this.results.set(task.id, null);
      else this.results.setItem(task.id, index, null);
    }
    return { ...expanded, work: { ...expanded.work, only } };
  }

  #resultsBefore({ readable }: TaskWork): JsonObject {
    const names = this.#options.graph.nodes.flatMap(({ task }) => (readable.has(task.id) ? [task.id] : []));
    return Object.fromEntries(names.map((name) => [name, this.results.get(name) ?? null]));
  }

  /** Hands a task to a dispatcher; its position there. */
  dispatch(dispatcher: Dispatcher, { work }: ExpandedTask): number {
    return this.#pairs.dispatch(dispatcher, work);
  }

  /** Takes down how a task ended: a fan-out of which a tolerated share failed lets its dependents run. */
  taskOver(task: TaskDefinition, { failed, total }: TaskTally): void {
    const tolerated = task.foreach !== undefined && failed <= total * this.#options.majorShare;
    this.failures += failed;
    this.results.setState(task.id, failed === 0 ? 'done' : tolerated ? 'partial' : 'failed');
  }

  #items(task: TaskDefinition): Result<Items, Failure> {
    const { foreach, batch } = task;
    if (foreach === undefined) return ok({ count: 1, itemAt: undefined });
    if (foreach.kind === 'each') {
      const source = this.#pairs.source(foreach.task);
      if (source === undefined) throw new Error('Internal error: a pair came before its source');
      const previousAt = (i: number) => this.#resultOf(foreach.task, source, i);
      return ok({ count: source.count, itemAt: source.itemAt ?? (() => null), previousAt, oneByOne: true });
    }
    const { params, env, folder } = this.#options.surroundings;
    const scope = { params, env, tasks: this.results.scope(task.reads) };
    const items = expandItems(foreach, { filters: task.filters, scope, folder });
    if (!items.ok) return items;
    const list = items.value;
    return ok({ count: batchCount(list.length, batch), itemAt: (i) => batchItem(list, batch, i) });
  }

  #resultOf(task: string, source: TaskWork, index: number): JsonValue {
    const results = this.results.get(task);
    if (source.itemAt === undefined) return results ?? null;
    return Array.isArray(results) ? (results[index] as JsonValue) : null;
  }

  /** What fails for good is kept by index. */
  #emit(event: RunEvent): void {
    if (event.type === 'subtask-finished' && event.checkpoint.status === 'failure') {
      const node = this.#options.graph.indexOf.get(event.task);
      const index = parseSubtaskId(event.checkpoint.task_id).index ?? 0;
      const failed = node === undefined ? undefined : (this.failed.get(node) ?? new Set<number>());
      if (node !== undefined && failed !== undefined) this.failed.set(node, failed.add(index));
    }
    this.#ports.emit(event);
  }

  /** Tells of a task that `begin` did not begin. */
  tellNotBegun(node: TaskNode, notBegun: NotBegun): void {
    switch (notBegun.kind) {
      case 'skipped':
        this.#skip(node, notBegun.skip);
        return;
      case 'failed':
        this.#failBeforeStart(node, notBegun.failure);
        return;
      default:
        unreachable(notBegun);
    }
  }

  #skip({ task: { id, foreach }, depth: wave }: TaskNode, skip: SkipCause): void {
    const { emit, clock } = this.#ports;
    const at = clock.now();
    if (foreach !== undefined) emit({ type: 'task-expanded', at, wave, task: id, subtasks: 0 });
    emit({ type: 'subtask-skipped', at, wave, task: id, subtask: id, skip, reason: skipReason(skip) });
    this.results.setState(
      id,
      stateOfSkipped(skip, (need) => this.results.state(need)),
    );
    // Of an earlier round, in a session of several.
    this.results.set(id, null);
  }

  #failBeforeStart({ task, depth, index }: TaskNode, failure: Failure): void {
    this.#ports.emit(this.failedBeforeStart(task, depth, failure));
    this.results.setState(task.id, 'failed');
    this.failures += 1;
    // The record of any other task that failed like this has the key of its one subtask.
    if (task.foreach !== undefined) this.#failedBeforeStart.add(index);
  }

  /** The end of a task that failed before any agent had it. */
  failedBeforeStart(task: TaskDefinition, wave: number, failure: Failure): Extract<RunEvent, { type: 'subtask-finished' }> {
    const now = this.#ports.clock.now();
    const made = { key: subtaskKey(task.hash, undefined, 0), attempt: 1, agent: COORDINATOR };
    const checkpoint = failureCheckpoint(wave, task.id, made, { failure, results: null, started: now, durationMs: 0 });
    return { type: 'subtask-finished', at: now, task: task.id, checkpoint };
  }
}

/** Keys that one event names. */
const KEYS_AT_ONCE = 10_000;

function isSame(a: JsonValue, b: JsonValue): boolean {
  return a === b || (typeof a === 'object' && typeof b === 'object' && canonicalJson(a) === canonicalJson(b));
}

/** Who a subtask's checkpoint names that never reached an agent. */
const COORDINATOR = 'coordinator';
