import { batchCount, batchItem } from '../graph/fan-out.js';
import type { TaskGraph, TaskNode, Wave } from '../graph/task-graph.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import { type SkipCause, skipReason } from '../model/skip.js';
import { taskCondition } from '../plan/conditions.js';
import { tasksReadBy } from '../plan/expressions.js';
import type { TaskDefinition } from '../plan/valid-plan.js';
import type { RunSurroundings } from '../worker/prepare.js';
import { occurrencesOf, subtaskKey } from '../worker/subtask-key.js';
import { expandItems } from './expand.js';
import { isAbove } from './failure-policy.js';
import type { FinishedSubtasks, SubtaskAbout } from './finished.js';
import { skippedByCondition, skippedByNeeds, skippedBySource, sourcesOf, stateOfSkipped } from './leave-out.js';
import { bodyReads } from './result-readers.js';
import { Ancestors, ResultsStore, type TaskState } from './results-store.js';

/** How a task of a run stands, by its records. */
export interface TaskStanding {
  readonly task: string;
  readonly wave: number;
  /** Subtasks; undefined where they depend on results that are not all there. */
  readonly subtasks: number | undefined;
  readonly succeeded: number;
  readonly failed: number;
  /** What a resume would make of it. */
  readonly next: NextStep;
}

/** What becomes of a task when its run goes on. */
export type NextStep =
  /** Everything is finished. */
  | { readonly kind: 'finished' }
  /** Subtasks are not done, or run again. */
  | { readonly kind: 'runs' }
  /** Its earlier results count no more. */
  | { readonly kind: 'runs-again'; readonly reason: string }
  /** It does not run, with the reason in words that follow 'skipped because'. */
  | ({ readonly kind: 'skipped'; readonly reason: string } & SkipCause)
  /** Its items come from results that are not all there. */
  | { readonly kind: 'waits'; readonly sources: readonly string[] };

/** What it takes to tell. */
export interface PlanStateInput {
  readonly graph: TaskGraph;
  readonly waves: readonly Wave[];
  readonly surroundings: Pick<RunSurroundings, 'params' | 'env' | 'folder'>;
  /** With failures as finished, so that they can be counted. */
  readonly finished: FinishedSubtasks;
  readonly outdated: ReadonlyMap<string, string>;
  /** The share of a fan-out that may fail without keeping its dependents from running. */
  readonly majorShare: number;
  /** Failed subtasks run again. */
  readonly failedRunAgain: boolean;
  /** Tasks whose subtasks run again that were stopped by their time-out. */
  readonly timeoutsRunAgain: ReadonlySet<string>;
  /** Told of every subtask that is known, whatever becomes of it. */
  readonly inspect?: ((about: SubtaskAbout) => void) | undefined;
}

/**
 * How each task stands, in the order of the waves: fan-outs are expanded as a run would, over the results in the records,
 * and each subtask's key is looked up. Runs nothing. An `if` about single items is not evaluated: a subtask that it skipped
 * counts as open.
 */
export function planState(input: PlanStateInput): readonly TaskStanding[] {
  const { graph, waves, outdated, majorShare } = input;
  const results = new ResultsStore();
  const read = new Set(
    graph.nodes.flatMap(({ task }) => [...sourcesOf(task.foreach), ...tasksReadBy(taskCondition(task) ?? '')]),
  );
  const standings = new Map<string, TaskStanding>();
  const states = new Map<string, TaskState>();
  const stateOf = (id: string) => states.get(id);
  const items: KnownItems['items'] = new Map();
  for (const wave of waves) {
    for (const node of wave.nodes) {
      const { task } = node;
      const complete = (id: string) => isComplete(standings.get(id)) || stateOf(id) === 'left-out';
      const { again, ...found } = lookUp(task, input, results, {
        complete,
        items,
        resultsBefore: (store) => resultsOf(graph, node, store),
        keep: input.inspect !== undefined || read.has(task.id),
      });
      const skip =
        skippedByNeeds(task, stateOf) ??
        skippedByIf(task, found, { surroundings: input.surroundings, results, complete }) ??
        (found.subtasks === undefined ? skippedBySource(task, stateOf) : undefined);
      const next = nextStep(task, { ...found, again }, { outdated: outdated.get(task.id), skip });
      standings.set(task.id, { task: task.id, wave: wave.number, ...found, next });
      const { failed, subtasks = 0 } = found;
      const failedForGood = failed > again && found.subtasks !== undefined && next.kind !== 'runs-again';
      const lost = failedForGood && (task.foreach === undefined || isAbove(failed, subtasks, majorShare));
      if (skip !== undefined) results.set(task.id, null);
      states.set(task.id, skip === undefined ? (lost ? 'failed' : 'done') : stateOfSkipped(skip, stateOf));
    }
  }
  return [...standings.values()];
}

function resultsOf({ nodes }: TaskGraph, node: TaskNode, results: ResultsStore): JsonObject {
  const before = new Ancestors(node, nodes);
  return Object.fromEntries(nodes.flatMap(({ task: { id } }) => (before.has(id) ? [[id, results.get(id) ?? null]] : [])));
}

/** The `if` as a run would decide it; undefined, too, where it reads results that are not all there. */
function skippedByIf(
  task: TaskDefinition,
  { succeeded }: Pick<Counts, 'succeeded'>,
  known: Pick<PlanStateInput, 'surroundings'> & {
    readonly results: ResultsStore;
    readonly complete: (task: string) => boolean;
  },
): SkipCause | undefined {
  const condition = taskCondition(task);
  // With results, it was true.
  if (condition === undefined || succeeded > 0 || !tasksReadBy(condition).every(known.complete)) return undefined;
  const { params, env } = known.surroundings;
  const skip = skippedByCondition(task, { params, env, tasks: known.results.scope(task.reads) });
  return skip.ok ? skip.value : undefined;
}

type Counts = Pick<TaskStanding, 'subtasks' | 'succeeded' | 'failed'> & {
  /** Of the failed, those that run again. */
  readonly again: number;
};

function isComplete(standing: TaskStanding | undefined): boolean {
  return standing?.next.kind === 'finished' && standing.failed === 0;
}

function lookUp(
  task: TaskDefinition,
  { surroundings, finished, outdated, inspect, failedRunAgain, timeoutsRunAgain }: PlanStateInput,
  results: ResultsStore,
  at: KnownItems & { readonly keep: boolean; readonly resultsBefore: (results: ResultsStore) => JsonObject },
): Counts {
  const items = itemsOf(task, surroundings, results, at);
  if (items === 'unknown') {
    // Its items may have been the failure.
    const whole = outdated.has(task.id) ? undefined : finished.find(task.id, subtaskKey(task.hash, undefined, 0));
    return { subtasks: undefined, succeeded: 0, failed: whole?.status === 'failure' ? 1 : 0, again: 0 };
  }
  const subtasks = items === undefined ? 1 : items.count;
  const itemAt = (i: number): JsonValue => (items === undefined ? null : items.at(i));
  const occurrences = items === undefined ? undefined : occurrencesOf(subtasks, itemAt);
  if (inspect !== undefined) {
    const tasks = results.scope(bodyReads(task));
    const previous = task.foreach?.kind === 'each' ? results.get(task.foreach.task) : undefined;
    for (let i = 0; i < subtasks; i++) {
      inspect({
        task,
        index: items === undefined ? undefined : i,
        item: items === undefined ? undefined : itemAt(i),
        occurrence: occurrences?.get(i) ?? 0,
        previous: Array.isArray(previous) ? (previous[i] as JsonValue) : previous,
        tasks,
        resultsBefore: () => at.resultsBefore(results),
      });
    }
  }
  if (outdated.has(task.id)) return { subtasks, succeeded: 0, failed: 0, again: 0 };
  const list: JsonValue[] = [];
  const timeouts = timeoutsRunAgain.has(task.id);
  let [succeeded, failed, again] = [0, 0, 0];
  for (let i = 0; i < subtasks; i++) {
    const key = subtaskKey(task.hash, items === undefined ? undefined : itemAt(i), occurrences?.get(i) ?? 0);
    const found = finished.find(task.id, key);
    if (found?.status === 'success') succeeded++;
    if (found?.status === 'failure') {
      failed++;
      if (failedRunAgain || (timeouts && found.error?.kind === 'timeout')) again++;
    }
    if (at.keep) list.push(found?.status === 'success' ? found.results : null);
  }
  if (at.keep) results.set(task.id, items === undefined ? (list[0] ?? null) : list);
  return { subtasks, succeeded, failed, again };
}

/** A fan-out's items. */
interface Items {
  readonly count: number;
  readonly at: (i: number) => JsonValue;
}

/** What is known of the tasks before. */
interface KnownItems {
  readonly complete: (task: string) => boolean;
  /** The items of each fan-out so far, by task. */
  readonly items: Map<string, Items | undefined>;
}

function itemsOf(
  task: TaskDefinition,
  surroundings: PlanStateInput['surroundings'],
  results: ResultsStore,
  known: KnownItems,
): Items | undefined | 'unknown' {
  const items = findItems(task, surroundings, results, known);
  if (items !== 'unknown') known.items.set(task.id, items);
  return items;
}

function findItems(
  { foreach, reads, batch, filters }: TaskDefinition,
  { params, env, folder }: PlanStateInput['surroundings'],
  results: ResultsStore,
  known: KnownItems,
): Items | undefined | 'unknown' {
  if (foreach === undefined) return undefined;
  if (foreach.kind === 'each') {
    if (!known.items.has(foreach.task)) return 'unknown';
    return known.items.get(foreach.task) ?? { count: 1, at: () => null };
  }
  if ('tasks' in foreach && !foreach.tasks.every(known.complete)) return 'unknown';
  const found = expandItems(foreach, { filters, scope: { params, env, tasks: results.scope(reads) }, folder });
  if (!found.ok) return 'unknown';
  const list = found.value;
  return { count: batchCount(list.length, batch), at: (i) => batchItem(list, batch, i) };
}

function nextStep(
  task: TaskDefinition,
  { subtasks, succeeded, failed, again }: Counts,
  at: { readonly outdated: string | undefined; readonly skip: SkipCause | undefined },
): NextStep {
  if (at.skip !== undefined) return { kind: 'skipped', ...at.skip, reason: skipReason(at.skip) };
  if (at.outdated !== undefined) return { kind: 'runs-again', reason: at.outdated };
  if (subtasks === undefined) return { kind: 'waits', sources: sourcesOf(task.foreach) };
  return succeeded + failed - again === subtasks ? { kind: 'finished' } : { kind: 'runs' };
}
