import type { FailureKind } from '../../../src/model/failure.js';
import type { RunStatus, WaveVerdict } from '../../../src/model/run-event.js';
import type { RandomRun, RandomTask } from './random-run.js';

/** What must come of a subtask: how it ends and in which attempt, or that it is passed over. */
export type Fate = { readonly status: 'success' | 'failure'; readonly attempt: number } | 'left out' | 'skipped';

/** What must come of a run that is left to itself, whatever the order in which its subtasks end. */
export interface ExpectedRun {
  readonly fates: Readonly<Record<string, Fate>>;
  readonly verdicts: readonly WaveVerdict[];
  readonly status: RunStatus;
}

/** What a task leaves to those that need it. */
interface Legacy {
  /** 'left out': by its `if`, or that of a task that it requires; 'lost': it failed, or a task that it needs was lost. */
  readonly state: 'usable' | 'left out' | 'lost';
  /** The length of its results where they are a list; what a subtask itself returns is a list of three. */
  readonly length: number | undefined;
}

/** The number of items that a subtask of a random run returns. */
export const RESULT_LENGTH = 3;

const NEVER_REPEATED: readonly FailureKind[] = ['module-load'];

/** Plays a run through without agents, clock or order: the semantics of plans in their plainest form. */
export function expectedRun(run: RandomRun): ExpectedRun {
  const fates: Record<string, Fate> = {};
  const legacies = new Map<string, Legacy>();
  const verdicts: WaveVerdict[] = [];
  const depths = depthsOf(run.tasks);
  for (let wave = 1; wave <= Math.max(...depths.values()); wave++) {
    let [ended, failed] = [0, 0];
    for (const task of run.tasks.filter(({ id }) => depths.get(id) === wave)) {
      const found = expectedTask(task, legacies, run.majorShare);
      Object.assign(fates, found.fates);
      legacies.set(task.id, found.legacy);
      for (const fate of Object.values(found.fates)) {
        if (typeof fate === 'string') continue;
        ended += 1;
        if (fate.status === 'failure') failed += 1;
      }
    }
    verdicts.push(failed > ended * run.majorShare ? 'FAILED' : 'READY');
    if (verdicts.at(-1) === 'FAILED') break;
  }
  const allDone = Object.values(fates).every((fate) => typeof fate === 'string' || fate.status === 'success');
  return { fates, verdicts, status: allDone ? 'done' : 'failed' };
}

/** The longest path to each task, by plain recursion. */
export function depthsOf(tasks: readonly Pick<RandomTask, 'id' | 'needs'>[]): ReadonlyMap<string, number> {
  const needsOf = new Map(tasks.map(({ id, needs }) => [id, needs]));
  const depth = (id: string): number => 1 + Math.max(0, ...(needsOf.get(id) ?? []).map(depth));
  return new Map(tasks.map(({ id }) => [id, depth(id)]));
}

function expectedTask(
  task: RandomTask,
  legacies: ReadonlyMap<string, Legacy>,
  majorShare: number,
): { readonly fates: Readonly<Record<string, Fate>>; readonly legacy: Legacy } {
  const lost = { state: 'lost', length: undefined } as const;
  const leftOut = { state: 'left out', length: undefined } as const;
  const stateOf = (need: string) => legacies.get(need)?.state;
  if (task.needs.some((need) => stateOf(need) === 'lost')) return { fates: { [task.id]: 'skipped' }, legacy: lost };
  if (task.needs.some((need) => stateOf(need) === 'left out' && !task.optional.includes(need)))
    return { fates: { [task.id]: 'skipped' }, legacy: leftOut };
  if (task.if === 'never') return { fates: { [task.id]: 'left out' }, legacy: leftOut };
  if (task.shape === 'one') {
    const fate = expectedSubtask(task, undefined);
    const usable = typeof fate === 'string' || fate.status === 'success';
    return { fates: { [task.id]: fate }, legacy: { state: usable ? 'usable' : 'lost', length: RESULT_LENGTH } };
  }
  const source = task.needs[0] ?? '';
  if (task.shape === 'over results' && stateOf(source) === 'left out')
    return { fates: { [task.id]: 'skipped' }, legacy: leftOut };
  const count = task.shape === 'over results' ? legacies.get(source)?.length : task.shape;
  if (count === undefined) return { fates: { [task.id]: { status: 'failure', attempt: 1 } }, legacy: lost };
  const fates = Array.from({ length: count }, (_, i) => expectedSubtask(task, i));
  const failed = fates.filter((fate) => typeof fate !== 'string' && fate.status === 'failure').length;
  return {
    fates: Object.fromEntries(fates.map((fate, i) => [`${task.id}[${i}]`, fate])),
    legacy: { state: failed <= count * majorShare ? 'usable' : 'lost', length: count },
  };
}

function expectedSubtask(task: RandomTask, index: number | undefined): Fate {
  if (task.if === 'even' && index !== undefined && index % 2 === 1) return 'left out';
  const attempts = NEVER_REPEATED.includes(task.failure) ? 1 : 1 + task.retries.max;
  const failing = failingAttempts(task, index);
  return failing < attempts ? { status: 'success', attempt: failing + 1 } : { status: 'failure', attempt: attempts };
}

/** How many attempts at a subtask fail before one succeeds. */
export function failingAttempts(task: RandomTask, index: number | undefined): number {
  return task.failing[(index ?? 0) % task.failing.length] ?? 0;
}
