import type { WaveOutline } from '../../model/run-event.js';

/** A plan's graph as it is drawn, with durations where some are known. */
export interface GraphView {
  readonly name: string;
  readonly waves: readonly GraphWave[];
  /** Tasks on the critical path. */
  readonly critical: ReadonlySet<string>;
  /** What the critical path is the longest by. */
  readonly criticalBy: 'measured time' | 'expected time' | 'number of tasks';
  /** Along the critical path, in milliseconds; absent where it goes by the number of tasks. */
  readonly criticalMs: number | undefined;
}

/** The tasks of one rank. */
export interface GraphWave {
  readonly number: number;
  readonly name: string;
  readonly tasks: readonly GraphTask[];
}

/** A task as a node. */
export interface GraphTask {
  readonly id: string;
  readonly needs: readonly string[];
  /** Those of `needs` that it can do without. */
  readonly optionalNeeds: readonly string[];
  readonly fanOut: boolean;
  /** Absent until its fan-out expands. */
  readonly subtasks: number | undefined;
  /** From its first start to its last end, or what is expected of that; absent where nothing is known. */
  readonly durationMs: number | undefined;
  readonly outcome: 'done' | 'failed' | 'skipped' | undefined;
}

/** What is known of a task beside the plan. */
export interface TaskKnowledge {
  readonly subtasks?: number | undefined;
  readonly durationMs?: number | undefined;
  readonly outcome?: GraphTask['outcome'];
}

/** Builds the view of a graph. `source` says where durations come from; `known` tells what is known of a task. */
export function graphView(
  name: string,
  waves: readonly WaveOutline[],
  source: 'measured' | 'expected',
  known: (task: string) => TaskKnowledge,
): GraphView {
  const drawn = waves.map(({ number, name: title, tasks }) => ({
    number,
    name: title,
    tasks: tasks.map(({ id, needs = [], optionalNeeds = [], fanOut, subtasks }): GraphTask => {
      const { durationMs, outcome, ...facts } = known(id);
      return { id, needs, optionalNeeds, fanOut, subtasks: facts.subtasks ?? subtasks, durationMs, outcome };
    }),
  }));
  const all = drawn.flatMap(({ tasks }) => tasks);
  // One task of unknown length could be the longest of all.
  const timed =
    all.some(({ durationMs }) => durationMs !== undefined) &&
    all.every((task) => task.durationMs !== undefined || task.outcome === 'skipped');
  const path = longestPath(all, (task) => (timed ? (task.durationMs ?? 0) : 1));
  return {
    name,
    waves: drawn,
    critical: path.tasks,
    criticalBy: timed ? `${source} time` : 'number of tasks',
    criticalMs: timed ? path.length : undefined,
  };
}

/** The path of the greatest sum. Tasks come in the order of their waves, so every need comes before what needs it. */
function longestPath(
  tasks: readonly GraphTask[],
  weigh: (task: GraphTask) => number,
): { readonly tasks: ReadonlySet<string>; readonly length: number } {
  const best = new Map<string, { readonly length: number; readonly before: string | undefined }>();
  let last: string | undefined;
  for (const task of tasks) {
    let before: string | undefined;
    let longest = 0;
    for (const need of task.needs) {
      const length = best.get(need)?.length ?? 0;
      if (before === undefined || length > longest) [before, longest] = [need, length];
    }
    const length = longest + weigh(task);
    best.set(task.id, { length, before });
    if (last === undefined || length > (best.get(last)?.length ?? 0)) last = task.id;
  }
  const path = new Set<string>();
  for (let at = last; at !== undefined && !path.has(at); at = best.get(at)?.before) path.add(at);
  return { tasks: path, length: last === undefined ? 0 : (best.get(last)?.length ?? 0) };
}

/** An edge, from a task to one that needs it. */
export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  /** It is a step of the critical path. */
  readonly critical: boolean;
  /** The task can do without the other one. */
  readonly optional?: true;
}

/** The edges of a graph. */
export function graphEdges({ waves, critical }: GraphView): readonly GraphEdge[] {
  const tasks = waves.flatMap((wave) => wave.tasks);
  const ids = new Set(tasks.map(({ id }) => id));
  const path = [...critical];
  // The path goes from its end to its start.
  const stepOf = new Map(path.map((id, position) => [id, path[position + 1]]));
  return tasks.flatMap(({ id, needs, optionalNeeds }) =>
    needs
      .filter((need) => ids.has(need))
      .map((from) => ({
        from,
        to: id,
        critical: critical.has(id) && stepOf.get(id) === from,
        ...(optionalNeeds.includes(from) && { optional: true as const }),
      })),
  );
}
