import { batchCount, batchItem, expandsInRun } from '../graph/fan-out.js';
import type { TaskNode } from '../graph/task-graph.js';
import type { Failure } from '../model/failure.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import { ok, type Result } from '../model/result.js';
import { writtenFilter } from '../plan/item-filter.js';
import type { TaskDefinition } from '../plan/valid-plan.js';
import { occurrencesOf, subtaskKey } from '../worker/subtask-key.js';
import { type Dispatcher, type DispatcherPorts, failureCheckpoint } from './dispatcher.js';
import { expandItems } from './expand.js';
import { Pacer } from './pacer.js';
import { Pools } from './pools.js';
import type { MeasuredWork, RunWavesOptions, RunWavesPorts } from './ports.js';
import { Ancestors, ResultsStore } from './results-store.js';
import type { FinishedPart, SubtaskOver, TaskTally, TaskWork } from './task-work.js';

/** A task that can be handed out, and its node. */
export interface ExpandedTask {
  readonly node: TaskNode;
  readonly work: TaskWork;
  /** It was not known before the run how many subtasks it has. */
  readonly expanded: boolean;
}

/** What a fan-out comes to: its number of subtasks, and what each gets. */
type Items = Pick<TaskWork, 'itemAt' | 'previousAt' | 'oneByOne'> & { readonly count: number };

/** How a subtask ended, for the one that waits for it under `each`. */
type End = Parameters<SubtaskOver>[1];

/** What tasks left behind so far, and what follows from it for those that come: shared by the ways to run a graph. */
export class RunState {
  readonly results = new ResultsStore();
  /** Subtasks, by position of their task. */
  readonly counts = new Map<number, number>();
  /** What was measured of tasks of which nothing was known. */
  readonly probes = new Map<number, MeasuredWork>();
  readonly pacer: Pacer | undefined;
  readonly pools: Pools;
  readonly #options: RunWavesOptions;
  readonly #ports: RunWavesPorts;
  readonly #kept: ReadonlySet<string>;
  /** Ends of subtasks, by index, of tasks that others follow item by item. */
  readonly #ends = new Map<string, (End | undefined)[]>();
  /** The works of such tasks. */
  readonly #sources = new Map<string, TaskWork>();
  /** Positions in the dispatcher of the tasks that follow them. */
  readonly #followers = new Map<string, number[]>();
  #nextId = 0;
  /** Subtasks that failed, and tasks that could not be expanded. */
  failures = 0;

  constructor(options: RunWavesOptions, ports: RunWavesPorts) {
    this.#options = options;
    this.#ports = ports;
    this.pacer = options.ratePerMinute === undefined ? undefined : new Pacer(options.ratePerMinute, ports.clock);
    this.pools = new Pools(options.pools ?? {}, ports.clock);
    this.#kept = tasksToKeep(options);
    for (const { task } of options.graph.nodes) if (task.foreach?.kind === 'each') this.#followers.set(task.foreach.task, []);
  }

  /** What a dispatcher takes from the run. */
  dispatcherPorts(): DispatcherPorts {
    const { executor, clock, random, control, emit, expectedMs, mostInChunk } = this.#ports;
    return {
      executor,
      clock,
      random,
      control,
      emit,
      pacer: this.pacer,
      pools: this.pools,
      surroundings: this.#options.surroundings,
      results: this.results,
      nextId: () => this.#nextId++,
      ...(expectedMs && { expectedMs }),
      ...(this.#options.failure && { failure: this.#options.failure }),
      ...(mostInChunk !== undefined && { mostInChunk }),
    };
  }

  /** A task runs only if all that it needs is done, or done but for a tolerated share. Tells of one that does not. */
  skipForNeeds(node: TaskNode): boolean {
    const { emit, clock } = this.#ports;
    const { foreach, id } = node.task;
    const pairedWith = foreach?.kind === 'each' ? foreach.task : undefined;
    const lacking = node.needs
      .map((need) => this.#options.graph.nodes[need]?.task.id ?? '')
      .find((need) => {
        const state = this.results.state(need);
        // What is followed item by item may still run; its failures are looked at one by one.
        if (need === pairedWith) return state === 'skipped' || (state === 'failed' && !this.#sources.has(need));
        return state === undefined || state === 'failed' || state === 'skipped';
      });
    if (lacking === undefined) return false;
    const reason = `needs ${lacking}, which ${this.results.state(lacking) === 'skipped' ? 'was skipped' : 'failed'}`;
    emit({ type: 'subtask-skipped', at: clock.now(), wave: node.depth, task: id, subtask: id, reason });
    this.results.setState(id, 'skipped');
    return true;
  }

  /** Finds a task's subtasks; a fan-out of which none can be found fails as a whole: see `failBeforeStart`. */
  expand(node: TaskNode, priority: number): Result<ExpandedTask, Failure> {
    const { task } = node;
    const items = this.#items(task);
    if (!items.ok) {
      this.counts.set(node.index, 1);
      return items;
    }
    const { count, ...source } = items.value;
    const { itemAt } = source;
    this.counts.set(node.index, count);
    if (itemAt !== undefined) this.results.set(task.id, new Array<JsonValue>(count).fill(null));
    const { clock, emit } = this.#ports;
    if (count === 0 && task.filters !== undefined) {
      const message = `no item of task '${task.id}' passes --filter ${task.filters.map(writtenFilter).join(' ')}`;
      emit({ type: 'warning', at: clock.now(), message });
    }
    const known = !expandsInRun(node, this.#options.graph);
    if (!known) {
      emit({ type: 'task-expanded', at: clock.now(), wave: node.depth, task: task.id, subtasks: count });
    }
    const occurrences: ReadonlyMap<number, number> = itemAt === undefined ? new Map() : occurrencesOf(count, itemAt);
    const readable = new Ancestors(node, this.#options.graph.nodes);
    const scope = this.results.scope(bodyReads(task));
    const work: TaskWork = {
      task,
      wave: node.depth,
      count,
      ...source,
      occurrences,
      readable,
      scope,
      keepResults: this.#kept.has(task.id),
      priority,
    };
    return ok({ node, work: { ...work, ...this.#finishedPart(work) }, expanded: !known });
  }

  /** The subtasks that were finished earlier; a bit of memory for each, their records stay where they are. */
  #finishedPart({ task, count, itemAt, previousAt, occurrences, readable, scope, oneByOne }: TaskWork): {
    readonly finished?: FinishedPart;
  } {
    const { finished } = this.#options;
    if (finished?.knows(task.id) !== true) return {};
    const keyOf = (index: number) => subtaskKey(task.hash, itemAt?.(index), occurrences.get(index) ?? 0);
    const before = () => this.#resultsBefore(readable);
    const isFinished = (index: number) =>
      finished.has(task.id, keyOf(index), {
        task,
        index: itemAt === undefined ? undefined : index,
        item: itemAt?.(index),
        occurrence: occurrences.get(index) ?? 0,
        previous: previousAt?.(index),
        tasks: scope,
        resultsBefore: before,
      });
    const read = (index: number) => finished.find(task.id, keyOf(index));
    const isOfEarlierRun = (index: number) => finished.isOfEarlierRun?.(task.id, keyOf(index)) === true;
    // What the paired subtask returned is not known yet, and may decide whether this one is up to date.
    if (oneByOne === true && task.inputs !== undefined) return { finished: { count: 0, has: isFinished, read, isOfEarlierRun } };
    const flags = new Uint8Array(count);
    let known = 0;
    for (let index = 0; index < count; index++) {
      if (!isFinished(index)) continue;
      flags[index] = 1;
      known += 1;
    }
    if (known === 0) return {};
    return { finished: { count: known, has: (index) => flags[index] === 1, read, isOfEarlierRun } };
  }

  #resultsBefore(readable: TaskWork['readable']): JsonObject {
    const names = this.#options.graph.nodes.flatMap(({ task }) => (readable.has(task.id) ? [task.id] : []));
    return Object.fromEntries(names.map((name) => [name, this.results.get(name) ?? null]));
  }

  /** Hands a task to a dispatcher; its position there. Subtasks that follow others item by item start as those end. */
  dispatch(dispatcher: Dispatcher, { work }: ExpandedTask): number {
    const { task } = work;
    const isFollowed = this.#followers.has(task.id);
    if (isFollowed) {
      this.#ends.set(task.id, new Array<End | undefined>(work.count));
      this.#sources.set(task.id, work);
    }
    const position = dispatcher.add(
      work,
      isFollowed ? (index, end) => this.#subtaskOver(dispatcher, task.id, index, end) : undefined,
    );
    if (work.oneByOne === true) this.#follow(dispatcher, position, work);
    return position;
  }

  #follow(dispatcher: Dispatcher, position: number, { task: { foreach }, count }: TaskWork): void {
    if (foreach?.kind !== 'each') throw new Error('Internal error: only pairs go one by one');
    this.#followers.get(foreach.task)?.push(position);
    const ends = this.#ends.get(foreach.task) ?? [];
    for (let index = 0; index < count; index++) {
      const end = ends[index];
      if (end !== undefined) this.#start(dispatcher, position, foreach.task, index, end);
    }
  }

  #subtaskOver(dispatcher: Dispatcher, task: string, index: number, end: End): void {
    const ends = this.#ends.get(task);
    if (ends !== undefined) ends[index] = end;
    for (const position of this.#followers.get(task) ?? []) this.#start(dispatcher, position, task, index, end);
  }

  #start(dispatcher: Dispatcher, position: number, source: string, index: number, end: End): void {
    switch (end) {
      case 'done':
        dispatcher.ready(position, index);
        return;
      case 'failed':
        dispatcher.skip(position, index, `needs ${source}[${index}], which failed`);
        return;
      case 'left-out':
        dispatcher.skip(position, index, `needs ${source}[${index}], which was left out`);
        return;
    }
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
      const source = this.#sources.get(foreach.task);
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

  /** Tells of a task that failed before it had any subtasks. */
  failBeforeStart({ task, depth: wave }: TaskNode, failure: Failure): void {
    const { emit, clock } = this.#ports;
    const now = clock.now();
    const made = { key: subtaskKey(task.hash, undefined, 0), attempt: 1, agent: COORDINATOR };
    const checkpoint = failureCheckpoint(wave, task.id, made, { failure, results: null, started: now, durationMs: 0 });
    emit({ type: 'subtask-finished', at: now, task: task.id, checkpoint });
    this.results.setState(task.id, 'failed');
    this.failures += 1;
  }
}

/** Who a subtask's checkpoint names that never reached an agent. */
const COORDINATOR = 'coordinator';

/** The tasks that a task's subtasks read by expressions, but for what only its `foreach` reads. */
export function bodyReads({ reads, foreach, work, ...body }: TaskDefinition): readonly string[] {
  const ofItems =
    foreach === undefined || foreach.kind === 'list' ? [] : foreach.kind === 'each' ? [foreach.task] : foreach.tasks;
  if (ofItems.length === 0) return reads;
  // What the fan-out reads may be very long, and every thread would get a copy.
  const text = JSON.stringify([work, body.with, body.env, body.cwd, body.if, body.success]);
  return reads.filter((task) => !ofItems.includes(task) || text.includes('tasks'));
}

/** The tasks whose results somebody may ask for: by an expression, as a pair, or a module further down. */
function tasksToKeep({ graph, waves, finally: last }: RunWavesOptions): ReadonlySet<string> {
  const kept = new Set<string>();
  const all = last.some(({ work }) => work.kind === 'module');
  const asked = new Set<number>();
  for (const wave of [...waves].reverse()) {
    for (const { index, task, dependents, needs } of wave.nodes) {
      const mayAsk = task.work.kind === 'module' || asked.has(index);
      if (mayAsk) for (const need of needs) asked.add(need);
      if (all || (dependents.length > 0 && asked.has(index))) kept.add(task.id);
    }
  }
  for (const { reads, foreach } of [...graph.nodes.map(({ task }) => task), ...last]) {
    for (const task of reads) kept.add(task);
    if (foreach?.kind === 'each') kept.add(foreach.task);
  }
  return kept;
}
