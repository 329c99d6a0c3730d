import { barrierText } from './barrier-cost.js';
import { counted, efficiency, figure, humanDuration, minutes, NOT_KNOWN, timeSaved } from './figures.js';
import { shorten } from './inert.js';
import { notRunAgain } from './outcomes.js';
import { drawPanel, type LineTone, line, type PanelLine, type PanelOptions, type PanelSection, tree } from './panel.js';
import { poolText } from './pool-text.js';
import { agentsChangesTexts, scoreTexts, timeText, waveNote } from './prediction.js';
import type { ChecklistPoint, RunSummary, WaveSummary } from './run-summary.js';

/** What is shown after a run: its figures, every wave, outcomes, issues, what to do next, and the checklist. No newline at the end. */
export function renderReport(summary: RunSummary, options: PanelOptions): string {
  const sections = [
    heading(summary),
    statistics(summary),
    ...prediction(summary),
    results(summary),
    outcomes(summary),
    issues(summary),
    recommendations(summary),
  ];
  return drawPanel([...sections, checklist(summary)], options);
}

const BLANK = line('');
const MOST_WAVES = 40;
const MOST_ISSUES = 20;
const MOST_CHANGES = 40;

const TITLES: Readonly<Record<RunSummary['status'], { readonly title: string; readonly tone: LineTone }>> = {
  done: { title: '✅ PARALLEL EXECUTION COMPLETE', tone: 'good' },
  failed: { title: '❌ PARALLEL EXECUTION FAILED', tone: 'bad' },
  stopped: { title: '⚠ PARALLEL EXECUTION STOPPED', tone: 'warn' },
  broken: { title: '❌ PARALLEL EXECUTION FAILED', tone: 'bad' },
  running: { title: '⚠ PARALLEL EXECUTION NOT FINISHED', tone: 'warn' },
};

function heading(summary: RunSummary): PanelSection {
  const lines: PanelLine[] = [];
  if (summary.task !== undefined) lines.push(line(`Task: ${shorten(summary.task, 600)}`));
  if (summary.plan !== undefined) lines.push(line(`Plan: ${summary.plan}`));
  if (summary.run !== undefined) lines.push(line(`Run: ${summary.run}`));
  if (summary.status !== 'done' && summary.reason !== '') lines.push(line(`Reason: ${summary.reason}`, 'warn'));
  return { ...TITLES[summary.status], lines };
}

function statistics(summary: RunSummary): PanelSection {
  const { totals, peak, agentsPlanned } = summary;
  const ended = totals.success + totals.failed + totals.skipped;
  const planned = summary.waves.reduce((sum, wave) => sum + wave.subtasks, 0);
  const subtasks = ended === planned ? counted(ended, 'subtask') : `${figure(ended)} of ${counted(planned, 'subtask')} ended`;
  const faster = efficiency(summary.baselineMs, summary.totalMs);
  const predicted = summary.predictedSeconds;
  const before = notRunAgain(summary);
  return {
    title: '📊 EXECUTION STATISTICS',
    lines: [
      line(
        `Total Waves: ${figure(summary.waves.length)}${summary.backup === undefined || summary.backup.mode === 'none' ? '' : ' (and wave 0, the backup)'}`,
      ),
      line(`Total Tasks: ${figure(summary.tasks.length)} (${subtasks})`),
      ...(before === undefined ? [] : [line(`Not Run Again: ${before}`)]),
      line(
        `Peak Agents: ${figure(peak.agents)} ${peak.source === 'observed' ? 'at work at once' : 'in one wave'}` +
          (agentsPlanned === undefined ? '' : `, ${figure(agentsPlanned)} planned`),
      ),
      line(`Total Time: ${minutes(summary.totalMs / 60_000)}`),
      ...(predicted === undefined
        ? [line(`Predicted Time: ${NOT_KNOWN} at the start (a fan-out or a duration was open)`)]
        : [line(`Predicted Time: ${minutes(predicted / 60)}; the waves took ${humanDuration(summary.wavesMs)}`)]),
      line(`Sequential Baseline: ${minutes(summary.baselineMs / 60_000)}, the sum of the subtasks' durations`),
      line(
        `Time Saved: ${summary.baselineMs > 0 ? timeSaved(summary.timeSavedMs / 60_000) : `${NOT_KNOWN} (no subtask took any time)`}`,
      ),
      ...barrierLines(summary),
      ...summary.pools.map((use) => line(`Pool ${poolText(use)}`)),
      line(
        `Efficiency: ${faster ?? `${NOT_KNOWN} (no subtask took any time)`}`,
        faster?.includes('faster ✅') === true ? 'good' : 'plain',
      ),
    ],
  };
}

/** What barriers cost is worth a line once it is more than the work of a moment. */
const LEAST_BARRIER_SECONDS = 0.1;

function barrierLines({ barrier }: RunSummary): readonly PanelLine[] {
  return barrier === undefined || barrier.seconds < LEAST_BARRIER_SECONDS
    ? []
    : [line(`Barriers Between Waves: ${barrierText(barrier)}`)];
}

/** Nothing where nothing was predicted and the number of agents stayed as it was. */
function prediction(summary: RunSummary): readonly PanelSection[] {
  const { score } = summary;
  const changes = agentsChangesTexts(summary);
  if (score === undefined && changes.length === 0) return [];
  const lines: PanelLine[] = [];
  if (score !== undefined) {
    const [run = '', ...texts] = scoreTexts(score);
    const shown = score.waves.slice(0, MOST_WAVES);
    const waves = shown.map((wave) => `Wave ${wave.wave}: ${timeText(wave)}${waveNote(wave)}`);
    if (score.waves.length > shown.length) waves.push(`... (${counted(score.waves.length - shown.length, 'more wave')})`);
    lines.push(line(run), ...tree('  ', waves), ...texts.map((text) => line(text)));
  }
  if (changes.length > 0) {
    const shown = changes.slice(0, MOST_CHANGES);
    if (changes.length > shown.length) shown.push(`... (${counted(changes.length - shown.length, 'more line')})`);
    lines.push(line('Agents while it ran:'), ...tree('  ', shown));
  }
  return [{ title: score === undefined ? '🎯 AGENTS WHILE IT RAN' : '🎯 PREDICTION', lines }];
}

function results(summary: RunSummary): PanelSection {
  const shown = summary.waves.slice(0, MOST_WAVES);
  const lines = [line('Wave 0: Safety Backup'), backupLine(summary), ...shown.flatMap((wave) => [BLANK, ...waveLines(wave)])];
  if (summary.waves.length > shown.length)
    lines.push(BLANK, line(`... (${counted(summary.waves.length - shown.length, 'more wave')})`, 'dim'));
  for (const { task, success, durationMs, message } of summary.finally) {
    const outcome = success ? `✅ done in ${humanDuration(durationMs)}` : `❌ ${message ?? 'failed'}`;
    lines.push(BLANK, line(`Finally: ${task}`), line(`  ${outcome}`, success ? 'good' : 'bad'));
  }
  return { title: '🎯 RESULTS BY WAVE', lines };
}

function backupLine({ backup, backupMs }: RunSummary): PanelLine {
  if (backup === undefined) return line('  ❌ no backup is recorded', 'warn');
  const time = backupMs === undefined ? '' : ` in ${humanDuration(backupMs)}`;
  switch (backup.mode) {
    case 'none':
      return line('  ⚠ none: the plan sets `backup: none`', 'warn');
    case 'commit':
      return backup.created
        ? line(`  ✅ Commit ${backup.commit.slice(0, 12)} created on ${backup.branch}${time}`, 'good')
        : line(`  ✅ Nothing to commit: ${backup.commit.slice(0, 12)} on ${backup.branch} is the backup`, 'good');
    case 'ref':
      return line(`  ✅ Commit ${backup.commit.slice(0, 12)} kept under ${backup.ref}${time}`, 'good');
  }
}

function waveLines(wave: WaveSummary): readonly PanelLine[] {
  const lines = [
    line(`Wave ${wave.number}: ${wave.name}`),
    line(`  ✅ ${counted(wave.success, 'task')} completed`, wave.success > 0 ? 'good' : 'plain'),
    line(
      `  ⚠ ${counted(wave.retried, 'task')} with warnings${wave.retried > 0 ? ' (succeeded after a retry)' : ''}`,
      wave.retried > 0 ? 'warn' : 'plain',
    ),
    line(`  ❌ ${counted(wave.failed, 'task')} failed`, wave.failed > 0 ? 'bad' : 'plain'),
  ];
  if (wave.skipped > 0) lines.push(line(`  - ${counted(wave.skipped, 'task')} skipped`));
  lines.push(line(`  📄 Details: ${waveDetails(wave)}`), ...tree('     ', wave.findings));
  return lines;
}

function waveDetails({ agents, subtasks, durationMs, check }: WaveSummary): string {
  if (agents === 0 && durationMs === undefined) return 'not started';
  const time = durationMs === undefined ? 'not ended' : minutes(durationMs / 60_000);
  const verdict = check === undefined ? 'not checked' : `${check.verdict} (${check.reason})`;
  return `${counted(subtasks, 'subtask')} on ${counted(agents, 'agent')}, ${time}, ${verdict}`;
}

function outcomes(summary: RunSummary): PanelSection {
  return { title: '🔍 KEY OUTCOMES', lines: summary.outcomes.map((text) => line(`• ${text}`)) };
}

function issues(summary: RunSummary): PanelSection {
  const title = '⚠ ISSUES ENCOUNTERED';
  if (summary.issues.length === 0) return { title, lines: [line('No issues encountered ✅', 'good')] };
  const shown = summary.issues.slice(0, MOST_ISSUES);
  const lines = shown.map(({ severity, text }) => (severity === 'error' ? line(`❌ ${text}`, 'bad') : line(`⚠ ${text}`, 'warn')));
  if (summary.issues.length > shown.length)
    lines.push(line(`... (${counted(summary.issues.length - shown.length, 'more issue')})`, 'dim'));
  return { title, tone: 'warn', lines };
}

function recommendations(summary: RunSummary): PanelSection {
  const lines = summary.recommendations.flatMap(({ action, reason }) => [
    line(`• ${action}`),
    line(`  because ${reason}`, 'dim'),
  ]);
  return { title: '📝 RECOMMENDATIONS', lines };
}

function checklist(summary: RunSummary): PanelSection {
  const lines = summary.checklist.map((point) =>
    line(`${checkMark(point)} ${point.point}: ${point.evidence}`, point.done === false ? 'warn' : 'plain'),
  );
  return { title: '🚦 EXECUTION CHECKLIST', lines };
}

/** How a point of the checklist ended, as text: `[x]`, `[ ]`, or `[-]` where it does not apply. */
export function checkMark({ done }: ChecklistPoint): string {
  if (done === 'not applicable') return '[-]';
  return done ? '[x]' : '[ ]';
}
