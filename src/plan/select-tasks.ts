import { didYouMean } from './closest.js';
import { type ItemFilter, writtenFilter } from './item-filter.js';
import type { Selection, TaskDefinition, ValidPlan } from './valid-plan.js';

/** What is wrong with a selection, and the way out. */
export interface SelectionProblem {
  readonly message: string;
  readonly hint: string | undefined;
}

/** A plan of the selected tasks, or everything that is wrong with the selection. */
export type Selected =
  | { readonly ok: true; readonly value: ValidPlan }
  | { readonly ok: false; readonly error: readonly SelectionProblem[] };

/**
 * The plan with the selected tasks alone. What a left-out task stood between keeps its order. Tasks under `finally`
 * stay: they always run. Refused are names that do not exist, and with `only`, tasks that read results of tasks which
 * will not run.
 */
export function selectTasks(plan: ValidPlan, selection: Selection): Selected {
  const problems: SelectionProblem[] = [];
  const byId = new Map(plan.tasks.map((task) => [task.id, task]));
  const named = namedTasks(plan, byId, selection, problems);
  const chosen = selection.until === undefined ? named : withNeeds(named, byId);
  if (selection.only !== undefined) problems.push(...missingResults(chosen, byId, selection.only));
  const kept = plan.tasks.filter((task) => chosen.has(task.id));
  if (problems.length === 0) problems.push(...filterProblems(kept, byId, selection.filters ?? []));
  if (problems.length > 0) return { ok: false, error: problems };
  const tasks = kept.map((task) => withFilters({ ...task, ...neededAmong(task, chosen, byId) }, selection.filters ?? []));
  return { ok: true, value: { ...plan, tasks, selection } };
}

function namedTasks(
  plan: ValidPlan,
  byId: ReadonlyMap<string, TaskDefinition>,
  { only, until }: Selection,
  problems: SelectionProblem[],
): ReadonlySet<string> {
  const names = only ?? until;
  if (names === undefined) return new Set(byId.keys());
  const option = only === undefined ? '--until' : '--only';
  for (const name of new Set(names)) {
    if (byId.has(name)) continue;
    const inFinally = plan.finally.some((task) => task.id === name);
    const message = inFinally
      ? `${option}: '${name}' stands under 'finally', which always runs`
      : `${option}: there is no task '${name}'`;
    problems.push({ message, hint: inFinally ? undefined : hintFor(name, byId) });
  }
  return new Set(names.filter((name) => byId.has(name)));
}

/** Names shown in a hint. */
const SHOWN_NAMES = 10;

function hintFor(name: string, byId: ReadonlyMap<string, TaskDefinition>): string {
  const names = [...byId.keys()];
  const shown = `${names.slice(0, SHOWN_NAMES).join(', ')}${names.length > SHOWN_NAMES ? ', …' : ''}`;
  return didYouMean(name, names) ?? `the tasks are ${shown}`;
}

function withNeeds(named: ReadonlySet<string>, byId: ReadonlyMap<string, TaskDefinition>): ReadonlySet<string> {
  const found = new Set<string>();
  const open = [...named];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    open.push(...(byId.get(id)?.needs ?? []));
  }
  return found;
}

function missingResults(
  chosen: ReadonlySet<string>,
  byId: ReadonlyMap<string, TaskDefinition>,
  only: readonly string[],
): readonly SelectionProblem[] {
  return [...chosen].flatMap((id) => {
    const missing = readBy(byId.get(id)).filter((read) => byId.has(read) && !chosen.has(read));
    if (missing.length === 0) return [];
    const message = `--only: task '${id}' reads results of ${missing.map((read) => `'${read}'`).join(', ')}, which would not run`;
    const hint = `add what it reads: --only ${[...new Set([...missing, ...only])].join(',')}; or run all that it needs: --until ${id}`;
    return [{ message, hint }];
  });
}

/** The tasks whose results a task reads, or follows item by item. */
function readBy(task: TaskDefinition | undefined): readonly string[] {
  if (task === undefined) return [];
  const { foreach, reads } = task;
  return foreach?.kind === 'each' ? [...new Set([foreach.task, ...reads])] : reads;
}

/**
 * The selected tasks that must end before a task: those that it needs, also by way of tasks that are not selected. Such a need is
 * optional where every way to it has an optional step.
 */
function neededAmong(
  task: TaskDefinition,
  chosen: ReadonlySet<string>,
  byId: ReadonlyMap<string, TaskDefinition>,
): Pick<TaskDefinition, 'needs' | 'optionalNeeds'> {
  const { needs, optionalNeeds } = task;
  if (needs.every((need) => chosen.has(need))) return { needs, ...(optionalNeeds && { optionalNeeds }) };
  const reached = (stepsFrom: (task: TaskDefinition) => readonly string[]): ReadonlySet<string> => {
    const found = new Set<string>();
    const seen = new Set<string>();
    const open = [...stepsFrom(task)];
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      if (seen.has(id)) continue;
      seen.add(id);
      const step = byId.get(id);
      if (chosen.has(id)) found.add(id);
      else if (step !== undefined) open.push(...stepsFrom(step));
    }
    return found;
  };
  const all = reached((step) => step.needs);
  const required = reached((step) => step.needs.filter((need) => step.optionalNeeds?.includes(need) !== true));
  const optional = [...all].filter((need) => !required.has(need));
  return { needs: [...all], ...(optional.length > 0 && { optionalNeeds: optional }) };
}

function filterProblems(
  kept: readonly TaskDefinition[],
  byId: ReadonlyMap<string, TaskDefinition>,
  filters: readonly ItemFilter[],
): readonly SelectionProblem[] {
  return filters.flatMap((filter): readonly SelectionProblem[] => {
    const option = `--filter ${writtenFilter(filter)}`;
    const { task } = filter;
    if (task === undefined) {
      if (kept.some((one) => one.foreach !== undefined)) return [];
      return [{ message: `${option}: no task that would run has a 'foreach'`, hint: undefined }];
    }
    if (!byId.has(task)) return [{ message: `${option}: there is no task '${task}'`, hint: hintFor(task, byId) }];
    const found = kept.find((one) => one.id === task);
    if (found === undefined) return [{ message: `${option}: task '${task}' would not run`, hint: 'select it too' }];
    if (found.foreach?.kind === 'each') {
      const followed = found.foreach.task;
      return [{ message: `${option}: task '${task}' follows '${followed}' item by item`, hint: `filter ${followed}:item` }];
    }
    return found.foreach === undefined ? [{ message: `${option}: task '${task}' has no 'foreach'`, hint: undefined }] : [];
  });
}

function withFilters(task: TaskDefinition, filters: readonly ItemFilter[]): TaskDefinition {
  const own = filters.filter((filter) => filter.task === undefined || filter.task === task.id);
  // What follows another task item by item has its items from there.
  const hasItems = task.foreach !== undefined && task.foreach.kind !== 'each';
  return hasItems && own.length > 0 ? { ...task, filters: own } : task;
}
