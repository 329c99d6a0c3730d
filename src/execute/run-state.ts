import { batchCount, batchItem, expandsInRun } from '../graph/fan-out.js';
import type { TaskNode } from '../graph/task-graph.js';
import type { Failure } from '../model/failure.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import { ok, type Result } from '../model/result.js';
import { writtenFilter } from '../plan/item-filter.js';
import type { TaskDefinition } from '../plan/valid-plan.js';
import { occurrencesOf, subtaskKey } from '../worker/subtask-key.js';
import type { Dispatcher } from './dispatcher.js';
import type { DispatcherPorts } from './dispatcher-ports.js';
import { expandItems } from './expand.js';
import { failureCheckpoint } from './failure-checkpoint.js';
import { finishedPartOf } from './finished-part.js';
import { Pacer } from './pacer.js';
import { Pairs } from './pairs.js';
import { Pools } from './pools.js';
import type { MeasuredWork, RunWavesOptions, RunWavesPorts } from './ports.js';
import { bodyReads, tasksToKeep } from './result-readers.js';
import { Ancestors, ResultsStore } from './results-store.js';
import type { TaskTally, TaskWork } from './task-work.js';

/** A task that can be handed out, and its node. */
export interface ExpandedTask {
  readonly node: TaskNode;
  readonly work: TaskWork;
  /** It was not known before the run how many subtasks it has. */
  readonly expanded: boolean;
}

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
  readonly #options: RunWavesOptions;
  readonly #ports: RunWavesPorts;
  readonly #kept: ReadonlySet<string>;
  readonly #pairs: Pairs;
  #nextId = 0;
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

  /** What a dispatcher takes from the run. */
  dispatcherPorts(): DispatcherPorts {
    const { executor, clock, random, control, emit, records, expectedMs, mostInChunk, chunkMs } = this.#ports;
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
      ...(records && { records }),
      ...(expectedMs && { expectedMs }),
      ...(this.#options.failure && { failure: this.#options.failure }),
      ...(mostInChunk !== undefined && { mostInChunk }),
      ...(chunkMs && { chunkMs }),
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
        if (need === pairedWith) return state === 'skipped' || (state === 'failed' && this.#pairs.source(need) === undefined);
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
    const finished = finishedPartOf(work, this.#options.finished, () => this.#resultsBefore(work));
    return ok({ node, work: finished === undefined ? work : { ...work, finished }, expanded: !known });
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
