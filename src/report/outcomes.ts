import { assessmentText } from './assessment-text.js';
import { counted, figure, humanDuration } from './figures.js';
import { inertLine, shorten } from './inert.js';
import type { FailureGroup, Issue, RunFacts, TaskSummary } from './run-summary.js';

/** What the run brought about: what tasks say of themselves, and the counts of the fan-outs. */
export function keyOutcomes(facts: RunFacts): readonly string[] {
  const all = facts.tasks.flatMap(taskOutcome);
  const shown = all.slice(0, MOST_OUTCOMES);
  if (all.length > shown.length) shown.push(`... (${counted(all.length - shown.length, 'more outcome')})`);
  return shown.length > 0 ? shown : ['No task ended'];
}

/** One task's part of the outcomes; empty for a task of which nothing ended. */
export function taskOutcome(task: TaskSummary): readonly string[] {
  const ended = task.success + task.failed;
  if (ended === 0) {
    if (task.skippedBecause !== undefined) return [`${task.id}: skipped because ${task.skippedBecause}`];
    return task.skipped === 0 ? [] : [`${task.id}: ${task.fanOut ? counted(task.skipped, 'subtask') : 'task'} skipped`];
  }
  if (task.says.length > 0) return task.says.map((said) => `${task.id}: ${said}`);
  if (!task.fanOut) {
    if (task.meanMs === undefined) return [`${task.id}: ${task.success > 0 ? 'done' : 'failed'} before`];
    const time = humanDuration(task.busyMs);
    return [task.success > 0 ? `${task.id}: done in ${time}` : `${task.id}: failed after ${time}`];
  }
  const total = Math.max(task.subtasks ?? 0, ended + task.skipped);
  const median = task.medianMs === undefined ? '' : `, median ${medianText(task)}`;
  const failed = task.failed === 0 ? '' : `, ${figure(task.failed)} failed`;
  const skipped = task.skipped === 0 ? '' : `, ${figure(task.skipped)} skipped`;
  return [`${task.id}: ${figure(task.success)} of ${counted(total, 'subtask')}${failed}${skipped}${median}`];
}

/** What a report leaves out of its times and charts: subtasks that a resumed or an earlier run had done. Absent where there are none. */
export function notRunAgain({ resumed }: RunFacts): string | undefined {
  if (resumed === 0) return undefined;
  return `${counted(resumed, 'subtask')} that had ended before; no time and no chart here has ${resumed === 1 ? 'it' : 'them'}`;
}

/** A median in as many figures as it is known in; of one duration, or of the same ones, that is all of them. */
export function medianText({ minMs, medianMs = 0, maxMs }: TaskSummary): string {
  const known = medianMs === minMs || medianMs === maxMs ? medianMs : Number(medianMs.toPrecision(2));
  return humanDuration(known);
}

/** What went wrong or nearly did, worst first; empty when nothing did. */
export function issuesOf(facts: RunFacts): readonly Issue[] {
  return [
    ...endIssues(facts),
    ...failureIssues(facts),
    ...assessmentIssues(facts),
    ...checkIssues(facts),
    ...finallyIssues(facts),
    ...warningIssues(facts),
  ];
}

function endIssues(facts: RunFacts): readonly Issue[] {
  const reason = facts.reason === '' ? '' : `: ${inertLine(facts.reason)}`;
  switch (facts.status) {
    case 'done':
      return [];
    case 'failed':
      return facts.totals.failed > 0 && facts.reason === '' ? [] : [error(`The run failed${reason}`)];
    case 'stopped':
      return [error(`The run was stopped before its end${reason}`)];
    case 'broken':
      return [error(`The run could not go on${reason}`)];
    case 'running':
      return [error('The run has not ended: its last event is missing')];
  }
}

function failureIssues(facts: RunFacts): readonly Issue[] {
  const issues = facts.failures.map((group) => error(failureText(group)));
  if (facts.otherFailures > 0) issues.push(error(`${counted(facts.otherFailures, 'more failure')} of other causes`));
  return issues;
}

/** Characters of a cause in a list of what happened; the failures by cause have it whole. */
const MOST_MESSAGE = 120;

/** A group of failures in one line: how many, why, and where to look first. */
export function failureText(group: FailureGroup): string {
  const more = group.count - group.subtasks.length;
  const names = `${group.subtasks.join(', ')}${more > 0 ? ` and ${figure(more)} more` : ''}`;
  const why = group.message === '' ? 'no message' : shorten(group.message, MOST_MESSAGE);
  return `${counted(group.count, 'failure')} (${group.kind}): ${why} - ${names}`;
}

/** What the failure policy made of each pass. */
function assessmentIssues(facts: RunFacts): readonly Issue[] {
  return facts.assessments.map((assessment) => warning(assessmentText(assessment)));
}

function checkIssues(facts: RunFacts): readonly Issue[] {
  return facts.waves.flatMap(({ number, check }) =>
    check === undefined || check.verdict === 'READY'
      ? []
      : [error(`Wave ${number} ${check.verdict}: ${inertLine(check.reason)}`)],
  );
}

function finallyIssues(facts: RunFacts): readonly Issue[] {
  return facts.finally.flatMap(({ task, success, message }) =>
    success ? [] : [error(`finally ${task} failed: ${message ?? 'no message'}`)],
  );
}

function warningIssues(facts: RunFacts): readonly Issue[] {
  const issues: Issue[] = [];
  if (facts.retries > 0) {
    issues.push(
      warning(`${counted(facts.retries, 'retry', 'retries')}; ${counted(facts.totals.retried, 'subtask')} succeeded after one`),
    );
  }
  for (const message of facts.warnings) issues.push(warning(message));
  if (facts.otherWarnings > 0) issues.push(warning(`${counted(facts.otherWarnings, 'more warning')}`));
  return issues;
}

function error(text: string): Issue {
  return { severity: 'error', text };
}

function warning(text: string): Issue {
  return { severity: 'warning', text };
}

const MOST_OUTCOMES = 20;
