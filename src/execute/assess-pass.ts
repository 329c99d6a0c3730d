import type { Diagnosis, FailureAssessment, FailureResponse } from '../model/failure-assessment.js';
import { type DiagnosedTask, diagnose, type FailedSubtask, isInRegion } from './diagnosis.js';
import { type FailureRules, failureLevel, respond } from './failure-policy.js';

/** A pass that is over. */
export interface EndedPass {
  readonly wave: number;
  /** From 1. */
  readonly pass: number;
  readonly agents: number;
  readonly tasks: readonly DiagnosedTask[];
  /** In this pass. */
  readonly failed: readonly FailedSubtask[];
  /** Failed for good in earlier passes, but for what was set apart. */
  readonly stayed: number;
  /** Whether another attempt at a failed subtask is allowed and can end otherwise. */
  readonly mayRepeat: (failed: FailedSubtask) => boolean;
  /** Set apart by earlier passes; the shares are of the rest. */
  readonly isolated: { readonly subtasks: number; readonly failed: number };
  /** Thresholds do not stop the run: `--keep-going`. */
  readonly keepGoing: boolean;
}

/** What the policy makes of it. */
export interface PassVerdict {
  readonly assessment: FailureAssessment;
  /** Whether a failed subtask runs again. */
  readonly runsAgain: (failed: FailedSubtask) => boolean;
  /** Set apart by now: it counts no more for the shares. */
  readonly isolated: { readonly subtasks: number; readonly failed: number };
}

/** Passes over one wave. Whoever failed at random that often is not down to chance. */
export const MOST_PASSES = 4;

/**
 * The methodology's answer to a pass in which something failed: how bad, what it looks like, and what follows.
 * undefined where nothing did. A region that holds most failures is set apart, and the answer is for the rest.
 */
export function assessPass(ended: EndedPass, rules: FailureRules): PassVerdict | undefined {
  const { wave, pass, tasks, failed, mayRepeat } = ended;
  const diagnosis = diagnose(failed, tasks);
  if (diagnosis === undefined) return undefined;
  const all = tasks.reduce((sum, task) => sum + task.subtasks, 0);
  const level = failureLevel({ subtasks: all - ended.isolated.subtasks, failed: failed.length + ended.stayed }, rules);
  if (level === 'none') throw new Error('Internal error: failures that are none');
  const inside = (subtask: FailedSubtask) =>
    diagnosis.kind === 'regional' && isInRegion(subtask.item, tasks[subtask.position], diagnosis.region);
  const isolated =
    diagnosis.kind === 'regional'
      ? { subtasks: ended.isolated.subtasks + diagnosis.subtasks, failed: ended.isolated.failed + diagnosis.inside }
      : ended.isolated;
  const rest = failed.filter((subtask) => !inside(subtask));
  const worthIt = diagnosis.kind !== 'systematic' && pass < MOST_PASSES;
  const again = new Set(worthIt ? rest.filter(mayRepeat) : []);
  const state = { subtasks: Math.max(0, all - isolated.subtasks), failed: rest.length + ended.stayed, agents: ended.agents };
  const response = settle(respond(state, rules), {
    diagnosis,
    again: again.size,
    keepGoing: ended.keepGoing,
    agents: ended.agents,
  });
  const retried = response.kind === 'stop' || response.kind === 'accept' ? 0 : again.size;
  return {
    assessment: {
      wave,
      pass,
      subtasks: all,
      failed: failed.length + ended.stayed + ended.isolated.failed,
      level,
      diagnosis,
      response,
      retried,
    },
    runsAgain: (subtask) => retried > 0 && again.has(subtask),
    isolated,
  };
}

/** The response as far as there is anything to retry, and as far as the user lets thresholds stop the run. */
function settle(
  response: FailureResponse,
  at: { readonly diagnosis: Diagnosis; readonly again: number; readonly keepGoing: boolean; readonly agents: number },
): FailureResponse {
  if (response.kind === 'stop' && !at.keepGoing) return response;
  if (at.again === 0) return { kind: 'accept' };
  return response.kind === 'stop' ? { kind: 'sequential', agents: 1 } : response;
}
