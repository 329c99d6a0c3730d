import { processEnvironment } from '../actions/kept-environment.js';
import { type EnvironmentProblem, systemProblem } from '../checkpoint/problem.js';
import type { UpToDate } from '../checkpoint/up-to-date.js';
import type { Workspace } from '../checkpoint/workspace.js';
import { eitherFinished, type FinishedSubtasks } from '../execute/finished.js';
import { err, ok, type Result } from '../model/result.js';
import type { CompiledPlan } from './compile-plan.js';
import type { RunSession } from './run-session.js';

/** What was asked of a run that bears on what is up to date. */
interface AskedOfUpToDate {
  readonly force?: boolean | undefined;
  readonly session?: RunSession | undefined;
  /** Another process may write to the index at the same time: the run around this one. */
  readonly isShared?: boolean;
}

/**
 * What earlier runs left up to date; undefined for a plan in which no task names its inputs, unless it runs in a session.
 * @param onProblem told, once, why nothing more can be taken down.
 */
export async function openUpToDate(
  { plan }: CompiledPlan,
  { force = false, session, isShared = false }: AskedOfUpToDate,
  { stateDir, folder }: Workspace,
  onProblem: (message: string) => void,
): Promise<Result<UpToDate | undefined, EnvironmentProblem>> {
  const { tasks, params, secrets } = plan;
  if (session === undefined && tasks.every(({ inputs }) => inputs === undefined)) return ok(undefined);
  const { FingerprintIndex } = await import('../checkpoint/fingerprint-index.js');
  const { UpToDate } = await import('../checkpoint/up-to-date.js');
  try {
    const kept = session?.index;
    const index = kept?.isCurrent() === true ? kept : FingerprintIndex.open(stateDir, { make: !isShared });
    if (session !== undefined) session.index = index;
    const env = processEnvironment();
    return ok(new UpToDate({ index, tasks, folder, params, env, secrets, force, session: session?.memory, onProblem }));
  } catch (error) {
    return err(systemProblem(`keep what is up to date in ${stateDir}`, error));
  }
}

/** What a run need not do, because it did so before it was resumed, or because other runs did. */
export function finishedEarlier(
  inThisRun: FinishedSubtasks | undefined,
  inOthers: FinishedSubtasks | undefined,
): { readonly finished?: FinishedSubtasks } {
  const finished = inThisRun && inOthers ? eitherFinished(inThisRun, inOthers) : (inThisRun ?? inOthers);
  return finished === undefined ? {} : { finished };
}
