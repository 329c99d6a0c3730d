import { processEnvironment } from '../actions/kept-environment.js';
import { type FinishedIndex, readFinished } from '../checkpoint/finished-index.js';
import type { EnvironmentProblem } from '../checkpoint/problem.js';
import { type RunManifest, readIncludes, readRunPlan } from '../checkpoint/run-store.js';
import type { SubtaskAbout } from '../execute/finished.js';
import { planState, type TaskStanding } from '../execute/plan-state.js';
import { compileGraph } from '../graph/compile-graph.js';
import { groupWaves } from '../graph/waves.js';
import { ok, type Result } from '../model/result.js';
import { outdatedTasks, outdatedText } from '../plan/compare-plans.js';
import { parseItemFilter } from '../plan/item-filter.js';
import { parsePlan } from '../plan/parse-plan.js';
import { selectTasks } from '../plan/select-tasks.js';
import type { ValidPlan } from '../plan/valid-plan.js';
import type { FoundRun } from './find-run.js';
import type { SelectionOptions } from './plan-options.js';

/** What a run has recorded, held against a plan. */
export interface RunStanding {
  readonly index: FinishedIndex;
  /** Tasks of which nothing counts any more, with the reason in words. */
  readonly outdated: ReadonlyMap<string, string>;
  /**
   * Tasks whose subtasks run again that were stopped by their time-out: no task that needs them has run. Where one has, it went by
   * the failure, which counts then like any other.
   */
  readonly timeoutsRunAgain: ReadonlySet<string>;
}

/** The part of its plan that a run was asked for. */
export function selectionOf({ selection }: RunManifest): SelectionOptions {
  const { only, until, filter } = selection ?? {};
  const filters = filter?.flatMap((text) => {
    const parsed = parseItemFilter(text);
    return parsed.ok ? [parsed.value] : [];
  });
  return { ...(only && { only }), ...(until && { until }), ...(filters && { filter: filters }) };
}

/** The plan that a run went by; undefined where it can be read no more. */
export async function planOfRun({ runDir, manifest }: FoundRun): Promise<ValidPlan | undefined> {
  const text = await readRunPlan(runDir);
  if (!text.ok) return undefined;
  const includes = await readIncludes(runDir);
  const parsed = parsePlan(text.value, {
    file: manifest.plan.file,
    earlierParams: manifest.params,
    ranBefore: true,
    includes: includes.ok ? includes.value : undefined,
  });
  if (!parsed.ok) return undefined;
  const { only, until, filter } = selectionOf(manifest);
  const all = only === undefined && until === undefined && filter === undefined;
  const selected = all ? parsed : selectTasks(parsed.value, { only, until, filters: filter });
  return selected.ok ? selected.value : undefined;
}

/** Reads the records of a run and compares its plan with `now`. With `repair`, torn ends of its files are cut off. */
export async function standingOf(
  found: FoundRun,
  now: ValidPlan,
  options: { readonly repair: boolean; readonly failedRunAgain: boolean; readonly again?: readonly string[] | undefined },
): Promise<Result<RunStanding, EnvironmentProblem>> {
  const index = await readFinished(found.runDir, { voided: found.manifest.resumes ?? [], repair: options.repair });
  if (!index.ok) return index;
  const before = await planOfRun(found);
  if (before === undefined) {
    const reason = 'the plan that the run went by cannot be read, so that nothing can be compared';
    const outdated = new Map(now.tasks.map(({ id }) => [id, reason]));
    return ok({ index: index.value, outdated, timeoutsRunAgain: new Set() });
  }
  const failed = [...index.value.tasks].flatMap(([task, records]) => (records.failed > 0 ? [task] : []));
  const outdated = outdatedTasks(before, now, {
    changing: new Set(options.failedRunAgain ? failed : []),
    again: new Set(options.again),
    hashes: found.manifest.tasks,
  });
  const { tasks, timedOut } = index.value;
  const used = new Set(now.tasks.flatMap(({ id, needs }) => (tasks.has(id) && !outdated.has(id) ? needs : [])));
  const timeoutsRunAgain = new Set([...timedOut.keys()].filter((task) => !used.has(task)));
  const reasons = new Map([...outdated].map(([task, reason]) => [task, outdatedText(reason)]));
  return ok({ index: index.value, outdated: reasons, timeoutsRunAgain });
}

/** How each task of the plan stands. */
export function standingsOf(
  plan: ValidPlan,
  { index, outdated, timeoutsRunAgain }: RunStanding,
  options: {
    readonly failedRunAgain: boolean;
    readonly majorShare: number;
    readonly folder: string;
    readonly inspect?: (about: SubtaskAbout) => void;
  },
): readonly TaskStanding[] {
  const graph = compileGraph(plan);
  const finished = index.finished({ failures: true, voided: new Set(outdated.keys()) });
  try {
    return planState({
      graph,
      waves: groupWaves(graph),
      surroundings: { params: plan.params, env: processEnvironment(), folder: options.folder },
      finished,
      outdated,
      timeoutsRunAgain,
      ...options,
    });
  } finally {
    finished.close();
  }
}
