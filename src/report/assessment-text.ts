import type { Diagnosis, FailureAssessment, FailureRegion, FailureResponse } from '../model/failure-assessment.js';
import { unreachable } from '../model/result.js';
import type { RunEvent } from '../model/run-event.js';
import { counted, figure } from './figures.js';
import { inertFirstLine, inertLine } from './inert.js';

/** A pass with failures in one line: how many, what they look like and why that is believed, and what follows. */
export function assessmentText(assessment: FailureAssessment): string {
  const { wave, pass, subtasks, failed, level, diagnosis, response, retried } = assessment;
  const share = `${figure(failed)} of ${counted(subtasks, 'subtask')} failed (${Number(((100 * failed) / subtasks).toFixed(2))}%)`;
  const where = `Wave ${wave}${pass === 1 ? '' : `, pass ${pass}`}`;
  return `${where}: ${share}, ${level}; ${diagnosisText(diagnosis)}; ${responseText(response, retried)}`;
}

/** A diagnosis with its evidence. */
export function diagnosisText(diagnosis: Diagnosis): string {
  switch (diagnosis.kind) {
    case 'systematic':
      return `systematic: ${evidenceText(diagnosis.evidence)}`;
    case 'regional': {
      const { region, inside, outside, subtasks } = diagnosis;
      return `regional: ${figure(inside)} of the ${figure(inside + outside)} are among the ${figure(subtasks)} of ${regionText(region)}`;
    }
    case 'random':
      return `random: ${counted(diagnosis.causes, 'cause')} in ${counted(diagnosis.count, 'failure')}`;
  }
}

function evidenceText(evidence: Extract<Diagnosis, { kind: 'systematic' }>['evidence']): string {
  switch (evidence.kind) {
    case 'same-cause':
      return `all ${figure(evidence.count)} say '${inertFirstLine(evidence.message, 120)}'`;
    case 'whole-task':
      return evidence.count === 1
        ? `all that ${inertLine(evidence.task)} has to do`
        : `all ${figure(evidence.count)} subtasks of ${inertLine(evidence.task)}`;
    case 'repeated':
      return evidence.count === 1
        ? 'it failed again in the same way'
        : `all ${figure(evidence.count)} failed again in the same way`;
    default:
      return unreachable(evidence);
  }
}

function regionText({ kind, name }: FailureRegion): string {
  return `${kind} ${inertFirstLine(name, 120)}`;
}

function responseText(response: FailureResponse, retried: number): string {
  switch (response.kind) {
    case 'accept':
      return 'not retried';
    case 'retry':
      return `${figure(retried)} retried`;
    case 'reduce':
      return `${figure(retried)} retried on ${counted(response.agents, 'agent')}`;
    case 'sequential':
      return `${figure(retried)} retried one after another`;
    case 'stop':
      return 'the run stops';
  }
}

/** Outdated tasks that are named one by one. */
const MOST_OUTDATED = 10;

/** What a run that is resumed goes on with. */
export function resumedLines(event: Extract<RunEvent, { type: 'run-resumed' }>): readonly string[] {
  const { finished, failed, failedRunAgain, outdated, leftovers } = event;
  const ofThem = failed === 0 ? '' : `, ${figure(failed)} of them failed`;
  const again = failed > 0 && failedRunAgain ? ', which run again' : '';
  const lines = [`Resumed: ${counted(finished, 'subtask')} finished so far${ofThem}${again}`];
  for (const { task, reason } of outdated.slice(0, MOST_OUTDATED))
    lines.push(`├─ ${inertLine(task)} runs again: ${inertLine(reason)}`);
  if (outdated.length > MOST_OUTDATED) lines.push(`├─ and ${counted(outdated.length - MOST_OUTDATED, 'more task')} run again`);
  if (leftovers > 0) lines.push(`├─ ${counted(leftovers, 'process', 'processes')} that it had left behind ended`);
  return lines;
}
