import { barrierText } from './barrier-cost.js';
import { counted, efficiency, figure, humanDuration, minutes, minutesAndHours, NOT_KNOWN, timeSaved } from './figures.js';
import { inertMarkdown as md } from './inert.js';
import { medianText, notRunAgain } from './outcomes.js';
import { poolText } from './pool-text.js';
import { agentsChangesTexts, hindsightText, scoreTexts } from './prediction.js';
import { checkMark } from './run-panel.js';
import type { RunSummary } from './run-summary.js';
import type { RunScore } from './score.js';

/** A run's report as Markdown (GitHub's tables), with a newline at the end. All text from plans and tasks is inert in it. */
export function renderMarkdown(summary: RunSummary): string {
  const blocks = [
    `# ${TITLES[summary.status]}`,
    heading(summary),
    `## Execution statistics\n\n${statistics(summary)}`,
    prediction(summary),
    `## Results by wave\n\n${waveTable(summary)}`,
    `## Tasks\n\n${taskTable(summary)}`,
    `## Key outcomes\n\n${bullets(summary.outcomes.map(md))}`,
    `## Issues encountered\n\n${issueList(summary)}`,
    `## Recommendations\n\n${bullets(summary.recommendations.map(({ action, reason }) => `${md(action)}: because ${md(reason)}`))}`,
    `## Execution checklist\n\n${checklist(summary)}`,
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

const TITLES: Readonly<Record<RunSummary['status'], string>> = {
  done: '✅ Parallel execution complete',
  failed: '❌ Parallel execution failed',
  stopped: '⚠ Parallel execution stopped',
  broken: '❌ Parallel execution failed',
  running: '⚠ Parallel execution not finished',
};

function heading(summary: RunSummary): string {
  const entries: readonly (readonly [string, string | undefined])[] = [
    ['Task', summary.task],
    ['Plan', summary.plan],
    ['Run', summary.run],
    ['Mode', summary.mode],
    ['Reason', summary.status === 'done' || summary.reason === '' ? undefined : summary.reason],
  ];
  return bullets(entries.flatMap(([name, text]) => (text === undefined ? [] : [`**${name}**: ${md(text)}`])));
}

function statistics(summary: RunSummary): string {
  const { totals, peak } = summary;
  const unknown = `${NOT_KNOWN} (no subtask took any time)`;
  const before = notRunAgain(summary);
  return table(
    ['Figure', 'Value'],
    [
      ['Total waves', figure(summary.waves.length)],
      ['Total tasks', figure(summary.tasks.length)],
      ['Subtasks', `${figure(totals.success)} succeeded, ${figure(totals.failed)} failed, ${figure(totals.skipped)} skipped`],
      ...(before === undefined ? [] : [['Not run again', before] as const]),
      ['Retries', figure(summary.retries)],
      [
        'Peak agents',
        `${figure(peak.agents)}${summary.agentsPlanned === undefined ? '' : ` of ${figure(summary.agentsPlanned)} planned`}`,
      ],
      ['Total time', minutes(summary.totalMs / 60_000)],
      [
        'Predicted time',
        summary.predictedSeconds === undefined ? `${NOT_KNOWN} at the start` : minutes(summary.predictedSeconds / 60),
      ],
      ['Sequential baseline', `${minutesAndHours(summary.baselineMs / 60_000)}, the sum of the subtasks' durations`],
      ['Time saved', summary.baselineMs > 0 ? timeSaved(summary.timeSavedMs / 60_000) : unknown],
      ...(summary.barrier === undefined ? [] : [['Barriers between waves', barrierText(summary.barrier)] as const]),
      ...summary.pools.map((use) => ['Pool', poolText(use)] as const),
      ['Efficiency', efficiency(summary.baselineMs, summary.totalMs) ?? unknown],
      ['Backup', backupText(summary)],
    ],
  );
}

/** Empty where nothing was predicted and the number of agents stayed as it was. */
function prediction(summary: RunSummary): string {
  const { score } = summary;
  const changes = agentsChangesTexts(summary);
  const blocks: string[] = [];
  if (score !== undefined) blocks.push(`## Prediction\n\n${bullets(scoreTexts(score).map(md))}`);
  if (score !== undefined && score.waves.length > 0) blocks.push(scoreTable(score));
  if (changes.length > 0) blocks.push(`### Agents while it ran\n\n${bullets(changes.map(md))}`);
  return blocks.join('\n\n');
}

function scoreTable(score: RunScore): string {
  const time = (seconds: number | undefined) => (seconds === undefined ? '' : humanDuration(seconds * 1000));
  const times = (ratio: number | undefined) => (ratio === undefined ? '' : `${figure(ratio)}x`);
  return table(
    [
      'Wave',
      'Name',
      'Predicted',
      'Took',
      'Off by',
      'Overhead predicted',
      'Overhead',
      'ROI predicted',
      'ROI',
      'Idle',
      'Hindsight',
    ],
    score.waves.map((wave) => [
      String(wave.wave),
      md(wave.name),
      time(wave.predictedSeconds),
      time(wave.actualSeconds),
      wave.errorShare === undefined ? '' : `${figure(wave.errorShare * 100)}%`,
      time(wave.overhead.predictedSeconds),
      time(wave.overhead.actualSeconds),
      times(wave.roi.predicted),
      times(wave.roi.actual),
      time(wave.idleSeconds),
      wave.hindsight === undefined ? '' : md(hindsightText(wave.hindsight, wave.actualSeconds)),
    ]),
  );
}

function backupText({ backup }: RunSummary): string {
  if (backup === undefined) return 'none recorded';
  switch (backup.mode) {
    case 'none':
      return 'none';
    case 'commit':
      return `commit ${md(backup.commit)} on ${md(backup.branch)}${backup.created ? '' : ' (nothing to commit)'}`;
    case 'ref':
      return `commit ${md(backup.commit)} under ${md(backup.ref)}`;
  }
}

function waveTable(summary: RunSummary): string {
  return table(
    ['Wave', 'Name', 'Agents', 'Completed', 'With warnings', 'Failed', 'Skipped', 'Duration', 'Check'],
    summary.waves.map((wave) => [
      String(wave.number),
      md(wave.name),
      figure(wave.agents),
      figure(wave.success),
      figure(wave.retried),
      figure(wave.failed),
      figure(wave.skipped),
      wave.durationMs === undefined ? 'not ended' : humanDuration(wave.durationMs),
      wave.check === undefined ? 'not checked' : wave.check.verdict,
    ]),
  );
}

function taskTable(summary: RunSummary): string {
  const time = (ms: number | undefined) => (ms === undefined ? '' : humanDuration(ms));
  return table(
    ['Task', 'Wave', 'Subtasks', 'Completed', 'Failed', 'Least', 'Median', 'Greatest', 'In all'],
    summary.tasks.map((task) => [
      md(task.id),
      String(task.wave),
      task.subtasks === undefined ? 'not expanded' : figure(task.subtasks),
      figure(task.success),
      figure(task.failed),
      time(task.minMs),
      task.medianMs === undefined ? '' : medianText(task),
      time(task.maxMs),
      humanDuration(task.busyMs),
    ]),
  );
}

function issueList(summary: RunSummary): string {
  if (summary.issues.length === 0) return 'No issues encountered ✅';
  return bullets(summary.issues.map(({ severity, text }) => `${severity === 'error' ? '❌' : '⚠'} ${md(text)}`));
}

function checklist(summary: RunSummary): string {
  const rows = summary.checklist.map((point) => [md(checkMark(point)), md(point.point), md(point.evidence)]);
  const done = summary.checklist.filter((point) => point.done === true).length;
  return `${table(['Done', 'Point', 'Evidence'], rows)}\n\n${counted(done, 'point')} done.`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');
}

function bullets(lines: readonly string[]): string {
  return lines.map((text) => `- ${text}`).join('\n');
}
