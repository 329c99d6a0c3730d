import { processEnvironment } from '../actions/kept-environment.js';
import { FingerprintIndex } from '../checkpoint/fingerprint-index.js';
import { UpToDate } from '../checkpoint/up-to-date.js';
import type { SubtaskAbout } from '../execute/finished.js';
import { subtaskId } from '../model/ids.js';
import type { ValidPlan } from '../plan/valid-plan.js';
import { counted, figure } from '../report/figures.js';
import { inertLine } from '../report/inert.js';

/** What a new run would make of a task by its inputs and outputs. */
export interface UpToDateView {
  /** To be told of the subtasks of the plan. */
  readonly inspect: (about: SubtaskAbout) => void;
  /** In words that follow the task's name. */
  readonly text: () => string;
}

/** undefined for a task that does not name its inputs: it always runs. Writes nothing. */
export async function upToDateOf(
  { tasks, params, secrets }: ValidPlan,
  { task, stateDir, folder }: { readonly task: string; readonly stateDir: string; readonly folder: string },
): Promise<UpToDateView | undefined> {
  if (tasks.find(({ id }) => id === task)?.inputs === undefined) return undefined;
  const index = FingerprintIndex.open(stateDir, { make: false });
  const env = processEnvironment();
  const upToDate = new UpToDate({ index, tasks, folder, params, env, secrets, force: false, onProblem: () => {} });
  let total = 0;
  const reasons: { readonly subtask: string; readonly reason: string }[] = [];
  return {
    inspect: (about) => {
      if (about.task.id !== task) return;
      total += 1;
      const reason = upToDate.explain(about);
      if (reason !== undefined) reasons.push({ subtask: subtaskId(task, about.index), reason });
    },
    text: () => {
      if (total === 0) return 'has no subtasks that are known by now';
      const [first] = reasons;
      if (first === undefined)
        return total === 1 ? 'does not run: it is up to date' : `does not run: all ${counted(total, 'subtask')} are up to date`;
      const reason = inertLine(first.reason);
      if (total === 1) return `runs: ${reason}`;
      return `runs ${figure(reasons.length)} of ${counted(total, 'subtask')}, such as ${first.subtask}: ${reason}`;
    },
  };
}
