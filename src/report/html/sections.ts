import { logTail } from '../failure-text.js';
import { counted, efficiency, figure, humanDuration, NOT_KNOWN } from '../figures.js';
import { inertMarkup as html, inertLine } from '../inert.js';
import { medianText, notRunAgain } from '../outcomes.js';
import { agentsChangesTexts, scoreTexts } from '../prediction.js';
import type { RunDetails } from '../run-details.js';
import { checkMark } from '../run-panel.js';
import type { FailureLog, RunSummary } from '../run-summary.js';

/** The parts of the page that are text and tables. Everything from plans and tasks passes `html`. */

const TITLES: Readonly<Record<RunSummary['status'], string>> = {
  done: 'Complete',
  failed: 'Failed',
  stopped: 'Stopped',
  broken: 'Failed',
  running: 'Not finished',
};

const MOST_ROWS = 200;
const LOG_LINES = 30;

export function heading(summary: RunSummary): string {
  const { status, plan, task, run, reason } = summary;
  const why = status === 'done' || reason === '' ? '' : `<p class="bad">${html(inertLine(reason))}</p>`;
  const before = notRunAgain(summary);
  return `<header><span class="badge ${status}">${TITLES[status]}</span>
<h1>${html(inertLine(plan ?? 'Run'))}</h1>
${task === undefined || task === plan ? '' : `<p>${html(inertLine(task))}</p>`}${why}
<p class="muted">Run ${html(inertLine(run ?? NOT_KNOWN))}</p>${before === undefined ? '' : `<p class="muted">Not run again: ${before}.</p>`}</header>`;
}

export function tiles(summary: RunSummary): string {
  const { totals, totalMs, timeSavedMs, baselineMs, predictedSeconds, score, peak, agentsPlanned } = summary;
  const predicted = predictedSeconds ?? score?.predictedSeconds;
  const saved = baselineMs > 0 ? humanDuration(Math.abs(timeSavedMs)) : NOT_KNOWN;
  const ended = totals.success + totals.failed + totals.skipped;
  const rows: readonly (readonly [string, string, string])[] = [
    [humanDuration(totalMs), 'in all', `one after another: ${humanDuration(baselineMs)}`],
    [
      saved,
      timeSavedMs >= 0 ? 'saved' : 'longer than one after another',
      efficiency(baselineMs, totalMs)?.replace(' ✅', '') ?? 'no subtask took any time',
    ],
    predicted === undefined
      ? [NOT_KNOWN, 'predicted', 'a fan-out or a duration was open at the start']
      : [humanDuration(predicted * 1000), 'predicted', predictedText(score)],
    [figure(totals.success), `of ${counted(ended, 'subtask')} done`, failedText(summary)],
    [
      figure(peak.agents),
      peak.source === 'observed' ? 'agents at work at once' : 'agents in one wave',
      agentsPlanned === undefined ? '' : `${figure(agentsPlanned)} planned`,
    ],
  ];
  const items = rows.map(([value, what, more]) => `<li><b>${value}</b><small>${what}</small><small>${more}</small></li>`);
  return `<ul class="tiles">${items.join('')}</ul>`;
}

function predictedText(score: RunSummary['score']): string {
  if (score === undefined) return '';
  const off = score.errorShare === undefined ? '' : `, off by ${figure(score.errorShare * 100)}%`;
  return `the waves took ${humanDuration(score.actualSeconds * 1000)}${off}`;
}

function failedText({ totals, retries }: RunSummary): string {
  return [
    `${figure(totals.failed)} failed`,
    ...(totals.skipped > 0 ? [`${figure(totals.skipped)} skipped`] : []),
    ...(retries > 0 ? [counted(retries, 'retry', 'retries')] : []),
  ].join(', ');
}

export function failures({ summary, logs }: { readonly summary: RunSummary; readonly logs: readonly FailureLog[] }): string {
  const { failures: groups, otherFailures } = summary;
  const finallyFailed = summary.finally.filter(({ success }) => !success);
  if (groups.length === 0 && finallyFailed.length === 0) return '';
  const items = groups.map(({ kind, message, count, subtasks }, position) => {
    const names = `${subtasks.map(inertLine).join(', ')}${count > subtasks.length ? ', …' : ''}`;
    const said = logs
      .filter(({ subtask }) => subtasks.includes(subtask))
      .map(
        ({ subtask, text }) =>
          `<p class="muted">The end of what ${html(inertLine(subtask))} said:</p><pre>${html(logTail(text, LOG_LINES).join('\n'))}</pre>`,
      );
    return `<details${position < 3 ? ' open' : ''}><summary><span class="bad">${figure(count)} ×</span> ${html(message)}</summary><p class="muted">${html(kind)}: ${html(names)}</p>${said.join('')}</details>`;
  });
  const more = otherFailures > 0 ? `<p>${counted(otherFailures, 'failure')} of further causes are not listed.</p>` : '';
  const last = finallyFailed.map(
    ({ task, message }) => `<p class="bad">finally ${html(inertLine(task))}: ${html(message ?? 'failed')}</p>`,
  );
  return `<section><h2>Failures by cause</h2>\n${items.join('\n')}${more}${last.join('')}</section>`;
}

export function decision(summary: RunSummary): string {
  const { decision: taken, redecisions, score } = summary;
  if (taken === undefined) return '';
  const { overhead } = taken;
  const rows: readonly (readonly [string, string])[] = [
    ['Mode', `${taken.mode}${taken.requested === undefined ? '' : `, ${counted(taken.requested, 'agent')} asked for`}`],
    ['Decided', `${counted(taken.decided.agents, 'agent')}: ${inertLine(taken.decided.reason)}`],
    ['Formula', `${counted(taken.formula.agents, 'agent')} (${taken.formula.phase})`],
    ['Capacity', `${counted(taken.capacity.agents, 'agent')}, by ${taken.capacity.limit}: ${inertLine(taken.capacity.reason)}`],
    ['Fit', `${counted(taken.fit.agents, 'agent')}, ${humanDuration(taken.fit.seconds * 1000)}`],
    [
      'Overhead',
      `${humanDuration(overhead.secondsPerAgent * 1000)} per agent, ${humanDuration(overhead.secondsPerWave * 1000)} per wave (${overhead.source})`,
    ],
    [
      'Work',
      `${counted(taken.subtasks, 'subtask')}, at most ${figure(taken.widestWave)} at once, ${humanDuration(taken.averageMinutes * 60_000)} each, ${taken.type}`,
    ],
    ['Return', `${taken.roi.ratio < Number.MAX_VALUE ? `${figure(taken.roi.ratio)}x` : 'no overhead'} (${taken.roi.band})`],
  ];
  const again = redecisions.map(({ wave, agents, reason }) => `wave ${wave}: ${counted(agents, 'agent')}, ${reason}`);
  const notes = [...taken.warnings.map(inertLine), ...(score === undefined ? [] : scoreTexts(score))];
  return `<section><h2>The scaling decision</h2>
<dl>${rows.map(([name, text]) => `<dt>${name}</dt><dd>${html(text)}</dd>`).join('')}</dl>
${list('Taken again', again)}${list('Agents while it ran', agentsChangesTexts(summary))}${list('Prediction and outcome', notes)}</section>`;
}

function list(title: string, lines: readonly string[]): string {
  if (lines.length === 0) return '';
  const shown = lines.slice(0, MOST_ROWS);
  const more = lines.length > shown.length ? `<li>… ${figure(lines.length - shown.length)} more</li>` : '';
  return `<h3>${title}</h3><ul>${shown.map((text) => `<li>${html(text)}</li>`).join('')}${more}</ul>\n`;
}

export function waves(summary: RunSummary): string {
  const rows = summary.waves
    .slice(0, MOST_ROWS)
    .map((wave) => [
      figure(wave.number),
      html(inertLine(wave.name)),
      figure(wave.agents),
      figure(wave.success),
      failedCell(wave.failed),
      figure(wave.skipped),
      wave.durationMs === undefined ? 'not ended' : humanDuration(wave.durationMs),
      wave.predictedSeconds === undefined ? '' : humanDuration(wave.predictedSeconds * 1000),
      wave.score?.idleSeconds === undefined ? '' : humanDuration(wave.score.idleSeconds * 1000),
      wave.check === undefined ? 'not checked' : html(wave.check.verdict),
    ]);
  const head = ['Wave', 'Name*', 'Agents', 'Done', 'Failed', 'Skipped', 'Took', 'Predicted', 'Idle at barrier', 'Check*'];
  return `<section><h2>Waves</h2>\n${table(head, rows, summary.waves.length)}</section>`;
}

export function tasks(summary: RunSummary): string {
  const time = (ms: number | undefined) => (ms === undefined ? '' : humanDuration(ms));
  const rows = summary.tasks
    .slice(0, MOST_ROWS)
    .map((task) => [
      html(inertLine(task.id)),
      figure(task.wave),
      task.subtasks === undefined ? 'open' : figure(task.subtasks),
      figure(task.success),
      failedCell(task.failed),
      figure(task.retried),
      time(task.minMs),
      task.medianMs === undefined ? '' : medianText(task),
      time(task.maxMs),
      humanDuration(task.busyMs),
    ]);
  const head = ['Task*', 'Wave', 'Subtasks', 'Done', 'Failed', 'Retried', 'Least', 'Median', 'Most', 'In all'];
  return `<section><h2>Tasks</h2>\n${table(head, rows, summary.tasks.length)}</section>`;
}

export function slowest({ slowest: bars }: RunDetails): string {
  if (bars.length < 2) return '';
  const rows = bars.map((bar) => [
    html(inertLine(bar.subtask)),
    figure(bar.wave),
    bar.agent === 0 ? '' : figure(bar.agent),
    humanDuration(bar.durationMs),
    humanDuration(bar.from),
    bar.failed ? '<span class="bad">failed</span>' : bar.attempt > 1 ? `done, attempt ${figure(bar.attempt)}` : 'done',
  ]);
  const head = ['Subtask*', 'Wave', 'Agent', 'Took', 'Started after', 'Outcome*'];
  return `<section><h2>The slowest subtasks</h2>\n${table(head, rows, rows.length)}</section>`;
}

export function outcomes(summary: RunSummary): string {
  const issues = summary.issues
    .slice(0, MOST_ROWS)
    .map(({ severity, text }) => `<li class="${severity === 'error' ? 'bad' : 'warn'}">${html(inertLine(text))}</li>`);
  const found = summary.outcomes.slice(0, MOST_ROWS).map((text) => `<li>${html(inertLine(text))}</li>`);
  return `<section><h2>Outcomes and issues</h2>
<ul>${found.join('')}</ul>
${issues.length === 0 ? '<p class="good">No issues encountered.</p>' : `<ul>${issues.join('')}</ul>`}</section>`;
}

export function advice(summary: RunSummary): string {
  const advised = summary.recommendations.map(
    ({ action, reason }) => `<li>${html(action)} <span class="muted">because ${html(reason)}</span></li>`,
  );
  const points = summary.checklist.map((point) => [`${html(checkMark(point))} ${html(point.point)}`, html(point.evidence)]);
  return `<section><h2>What to do next</h2>\n<ul>${advised.join('')}</ul>
<h2>Execution checklist</h2>\n${table(['Point*', 'Evidence*'], points, points.length)}</section>`;
}

export function footer({ methodologyHash, events }: RunSummary): string {
  const rules = methodologyHash === undefined ? '' : ` by the rules ${html(inertLine(methodologyHash))}`;
  return `<footer>Made by waveplan from ${counted(events, 'event')}${rules}. This page loads nothing and runs no script.</footer>`;
}

function failedCell(count: number): string {
  return count === 0 ? '0' : `<span class="bad">${figure(count)}</span>`;
}

/**
 * A table; heads with a star are of text, the others of figures. Cells are markup. On a phone each row is a block of its
 * own under its first text, where every other cell is told by its head.
 */
function table(head: readonly string[], rows: readonly (readonly string[])[], all: number): string {
  const columns = head.map((name, i) => {
    const isText = name.endsWith('*');
    const isLead = isText && !head.slice(0, i).some((before) => before.endsWith('*'));
    return { name: isText ? name.slice(0, -1) : name, kind: isLead ? 't lead' : isText ? 't' : 'n' };
  });
  const heads = columns.map(({ name, kind }) => `<th class="${kind}">${name}</th>`);
  const cellOf = (cell: string, i: number) => `<td class="${columns[i]?.kind}" data-head="${columns[i]?.name}">${cell}</td>`;
  const lines = rows.map((cells) => `<tr>${cells.map(cellOf).join('')}</tr>`);
  const more = all > rows.length ? `<p class="muted">… and ${figure(all - rows.length)} more: see report.json.</p>` : '';
  return `<div class="scroll"><table><thead><tr>${heads.join('')}</tr></thead><tbody>${lines.join('\n')}</tbody></table></div>${more}`;
}
