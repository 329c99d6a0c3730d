import { join } from 'node:path';
import { canonicalJson, parseSubtaskId } from '../model/ids.js';
import type { JsonValue } from '../model/json.js';
import type { ValidPlan } from '../plan/valid-plan.js';
import { readRunEvents } from './read-events.js';
import { listRuns, type RunManifest, readManifest } from './run-store.js';
import { readStateText } from './state-file.js';

/** What the last run of a plan left behind for its tasks. */
export interface LastResults {
  readonly run: string;
  /** The plan has been edited since. */
  readonly otherPlan: boolean;
  /** Results by task; of a fan-out, the list in item order, with null for what failed. A task that did not succeed is not there. */
  readonly results: ReadonlyMap<string, JsonValue>;
}

/** The results of the last run of this plan with these params; `undefined` where there is none. Damaged records are left out. */
export async function readLastResults(stateDir: string, plan: ValidPlan): Promise<LastResults | undefined> {
  const runs = await listRuns(stateDir);
  if (!runs.ok) return undefined;
  for (const { run, runDir } of runs.value.toReversed()) {
    const manifest = await readManifest(runDir);
    if (!manifest.ok || !isOf(manifest.value, plan)) continue;
    const text = await readStateText(join(runDir, 'plan.yaml')).catch(() => undefined);
    return { run, otherPlan: text !== plan.text, results: await resultsOf(runDir, plan) };
  }
  return undefined;
}

function isOf({ plan: { name, file }, params }: RunManifest, plan: ValidPlan): boolean {
  return name === plan.name && file === plan.file && canonicalJson(params) === canonicalJson(plan.params);
}

async function resultsOf(runDir: string, plan: ValidPlan): Promise<ReadonlyMap<string, JsonValue>> {
  const fanOuts = new Set(plan.tasks.filter(({ foreach }) => foreach !== undefined).map(({ id }) => id));
  const results = new Map<string, JsonValue>();
  const lists = new Map<string, JsonValue[]>();
  for await (const entry of readRunEvents(runDir)) {
    if (entry.kind !== 'event' || entry.event.type !== 'subtask-finished') continue;
    const { task_id: id, status, results: found } = entry.event.checkpoint;
    const { task, index } = parseSubtaskId(id);
    if (index === undefined || !fanOuts.has(task)) {
      if (status === 'success') results.set(id, found);
      continue;
    }
    const list = lists.get(task) ?? [];
    list[index] = status === 'success' ? found : null;
    lists.set(task, list);
  }
  // Without holes: an index of which there is no record reads as null, too.
  for (const [task, list] of lists)
    results.set(
      task,
      Array.from(list, (found) => found ?? null),
    );
  return results;
}
