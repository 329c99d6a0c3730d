import type { EnvironmentProblem } from '../checkpoint/problem.js';
import { readRunEvents } from '../checkpoint/read-events.js';
import { readLogTail } from '../checkpoint/read-log.js';
import { err, ok, type Result } from '../model/result.js';
import { type RunDetails, RunDetailsFold } from '../report/run-details.js';
import type { FailureLog, RunSummary } from '../report/run-summary.js';
import { createSummary } from '../report/summary.js';

/** Everything that reports show, told again from a run's folder. */
export interface RunRecord {
  readonly summary: RunSummary;
  readonly details: RunDetails;
  /** What failed subtasks said at the end: a few of each cause. */
  readonly logs: readonly FailureLog[];
}

/** Of one subtask. */
const LOG_BYTES = 4096;
/** Of each cause. */
const LOGS = 2;

/** Folds a run's records into what reports show. Memory follows the plan, not the number of subtasks. */
export async function readRunRecord(runDir: string): Promise<Result<RunRecord, EnvironmentProblem>> {
  const summary = createSummary();
  const details = new RunDetailsFold();
  let lost = 0;
  for await (const entry of readRunEvents(runDir)) {
    switch (entry.kind) {
      case 'event':
        summary.add(entry.event);
        details.add(entry.event);
        break;
      case 'damaged':
        lost += entry.bytes;
        break;
      case 'unreadable':
        return err(entry.problem);
    }
  }
  if (lost > 0) {
    const message = `the records of this run are damaged: ${lost} bytes of them could not be read`;
    summary.add({ type: 'warning', at: 0, message });
  }
  const result = summary.result();
  return ok({ summary: result, details: details.result(), logs: await readFailureLogs(runDir, result) });
}

/** The ends of what failed commands printed and modules logged, in the order of the causes. */
export async function readFailureLogs(runDir: string, summary: RunSummary): Promise<readonly FailureLog[]> {
  const logs: FailureLog[] = [];
  for (const { subtasks, outputs } of summary.failures) {
    logs.push(...outputs);
    const told = new Set(outputs.map(({ subtask }) => subtask));
    for (const subtask of subtasks.filter((name) => !told.has(name)).slice(0, LOGS - outputs.length)) {
      const text = await readLogTail(runDir, subtask, LOG_BYTES);
      if (text !== undefined && text.trim() !== '') logs.push({ subtask, text });
    }
  }
  return logs;
}
