import { relative } from 'node:path';
import { counted, humanDuration } from './figures.js';
import { inertLine, shorten } from './inert.js';
import { renderMarkdown } from './report-markdown.js';
import type { RunSummary } from './run-summary.js';

/** GitHub shows ten annotations of a kind for a step. */
const MOST_ANNOTATIONS = 10;
/** GitHub refuses a step's summary of more than 1 MiB as a whole. */
const MOST_SUMMARY_BYTES = 1_000_000;

/** One workflow command for each cause of failure, and one for a run that ended early, each on a line of its own. */
export function annotations(summary: RunSummary, planFile: string, workspace: string | undefined): readonly string[] {
  const inside = workspace === undefined || workspace === '' ? planFile : relative(workspace, planFile);
  const file = inside.startsWith('..') ? planFile : inside;
  const lines = summary.failures.slice(0, MOST_ANNOTATIONS).map(({ count, message, subtasks }) => {
    const title = `${counted(count, 'failure')} in ${summary.plan ?? 'the run'}`;
    return command(
      'error',
      file,
      title,
      `${message} (${subtasks.map(inertLine).join(', ')}${count > subtasks.length ? ', …' : ''})`,
    );
  });
  if (summary.status !== 'done' && lines.length === 0)
    lines.push(command('error', file, `${summary.plan ?? 'The run'} ${summary.status}`, summary.reason));
  if (summary.totals.retried > 0) {
    const text = `${counted(summary.totals.retried, 'subtask')} succeeded only after a retry`;
    lines.push(command('warning', file, summary.plan ?? 'the run', text));
  }
  return lines;
}

/** The report for the job's page. */
export function stepSummary(summary: RunSummary): string {
  const text = renderMarkdown(summary);
  if (Buffer.byteLength(text) <= MOST_SUMMARY_BYTES) return `${text}\n`;
  const { success, failed } = summary.totals;
  return `# ${inertLine(summary.plan ?? 'run')}: ${summary.status}\n\n${counted(success, 'subtask')} succeeded, ${counted(failed, 'failure')}, ${humanDuration(summary.totalMs)}. The report is too long for this page.\n`;
}

function command(kind: 'error' | 'warning', file: string, title: string, message: string): string {
  return `::${kind} file=${property(file)},title=${property(shorten(title, 200))}::${data(shorten(message, 1000))}`;
}

/** GitHub's own escapes; line ends are gone before, so that no text begins a command of its own. */
function data(text: string): string {
  return inertLine(text).replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A');
}

function property(text: string): string {
  return data(text).replace(/:/g, '%3A').replace(/,/g, '%2C');
}
