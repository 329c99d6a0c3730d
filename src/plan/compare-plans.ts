import { canonicalJson } from '../model/ids.js';
import { type JsonValue, ownJson } from '../model/json.js';
import { writtenFilter } from './item-filter.js';
import type { FanOutSource, TaskDefinition, ValidPlan } from './valid-plan.js';

/** Why what a task did before counts no more. */
export type Outdated =
  /** Keys of its definition that changed, in the plan's words. */
  | { readonly kind: 'changed'; readonly keys: readonly string[] }
  /** The plan did not have it. */
  | { readonly kind: 'new' }
  /** It needs a task whose results are others now. */
  | { readonly kind: 'needs'; readonly task: string }
  /** It is to run again, whatever it did. */
  | { readonly kind: 'asked' };

/** What is known beside the two plans. */
export interface CompareOptions {
  /** Tasks whose results change for another reason, such as failures that are tried again. */
  readonly changing?: ReadonlySet<string>;
  /** Tasks that are to run again in any case. */
  readonly again?: ReadonlySet<string>;
  /** The hashes that tasks had, by name: files that a plan includes may have changed since. */
  readonly hashes?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * The tasks of a plan whose earlier results count no more, by name, with the reason: their definition differs from the
 * plan before, or they need, directly or not, a task whose results change. A fan-out whose items alone differ keeps the results of the items
 * that stay, but not so the tasks that need it. Times, retries and estimates have no part in results.
 */
export function outdatedTasks(
  before: ValidPlan,
  now: ValidPlan,
  { changing = new Set<string>(), again, hashes }: CompareOptions = {},
): ReadonlyMap<string, Outdated> {
  const earlier = new Map(before.tasks.map((task) => [task.id, task]));
  const outdated = new Map<string, Outdated>();
  const others = new Set(changing);
  for (const task of now.tasks) {
    const old = earlier.get(task.id);
    const hash = hashes === undefined ? old?.hash : hashes[task.id];
    if (old === undefined) outdated.set(task.id, { kind: 'new' });
    else {
      const keys = changedKeys(old, task);
      if (keys.length > 0) outdated.set(task.id, { kind: 'changed', keys });
      else if (hash !== task.hash) outdated.set(task.id, { kind: 'changed', keys: ['params, or a file that is included'] });
      else if (again?.has(task.id) === true) outdated.set(task.id, { kind: 'asked' });
      else if (itemsChanged(old, task)) others.add(task.id);
    }
  }
  const dependents = new Map<string, string[]>();
  for (const task of now.tasks) {
    for (const need of task.needs) push(dependents, need, task.id);
  }
  const open = now.tasks.map(({ id }) => id).filter((id) => outdated.has(id) || others.has(id));
  for (let task = open.pop(); task !== undefined; task = open.pop()) {
    for (const dependent of dependents.get(task) ?? []) {
      if (outdated.has(dependent)) continue;
      outdated.set(dependent, { kind: 'needs', task });
      open.push(dependent);
    }
  }
  return outdated;
}

function push(lists: Map<string, string[]>, key: string, value: string): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

function changedKeys(before: TaskDefinition, now: TaskDefinition): readonly string[] {
  const compared: Readonly<Record<string, (task: TaskDefinition) => JsonValue>> = {
    run: ({ work }) => (work.kind === 'shell' ? work.command : work.kind === 'argv' ? work.argv : null),
    uses: ({ work }) => (work.kind === 'module' ? work.uses : work.kind === 'builtin' ? work.action : null),
    with: (task) => task.with ?? null,
    env: (task) => ({ ...task.env }),
    cwd: (task) => task.cwd ?? null,
    output: (task) => task.output,
    success: (task) => [...task.success],
    if: (task) => task.if ?? null,
    needs: ({ needs, optionalNeeds = [] }) => [[...needs].sort(), [...optionalNeeds].sort()],
  };
  return Object.entries(compared).flatMap(([key, part]) => (same(part(before), part(now)) ? [] : [key]));
}

/** Whether the list of results can be another one although each result is what it was. */
function itemsChanged(before: TaskDefinition, now: TaskDefinition): boolean {
  return (
    before.batch !== now.batch ||
    !same(filtersOf(before), filtersOf(now)) ||
    !same(sourceOf(before.foreach) ?? null, sourceOf(now.foreach) ?? null)
  );
}

function filtersOf({ filters }: TaskDefinition): JsonValue {
  return filters === undefined ? null : filters.map(writtenFilter);
}

function sourceOf(source: FanOutSource | undefined): JsonValue | undefined {
  // Plain data throughout, but for a list of items that is read from the plan as it is.
  return source === undefined ? undefined : (ownJson(JSON.stringify(source)) as JsonValue);
}

function same(a: JsonValue, b: JsonValue): boolean {
  return canonicalJson(a) === canonicalJson(b);
}

/** A reason in words, to follow 'runs again: '. */
export function outdatedText(reason: Outdated): string {
  switch (reason.kind) {
    case 'changed':
      return `its definition changed (${reason.keys.join(', ')})`;
    case 'new':
      return 'the plan did not have it before';
    case 'asked':
      return 'that was asked for';
    case 'needs':
      return `it needs ${reason.task}, whose results are new`;
  }
}
