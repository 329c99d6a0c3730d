import { createHash } from 'node:crypto';
import { counted, figure, humanDuration } from '../figures.js';
import { runGraph } from '../graph/run-graph.js';
import { graphPicture } from '../graph/svg.js';
import { inertLine, inertMarkup, shorten } from '../inert.js';
import type { RunDetails } from '../run-details.js';
import type { FailureLog, RunSummary } from '../run-summary.js';
import type { Chart } from './chart.js';
import { type Canvas, openCanvas, SIZES } from './draw.js';
import { durationsChart } from './duration-chart.js';
import * as sections from './sections.js';
import { STYLE } from './style.js';
import { agentsChart, throughputChart, timelineChart } from './time-charts.js';
import { overheadChart, predictionChart } from './wave-charts.js';

/** What a page is made from. */
export interface PageData {
  readonly summary: RunSummary;
  readonly details: RunDetails;
  readonly logs: readonly FailureLog[];
}

/** More tasks than this would make the graph a wall; `waveplan graph` draws it by itself. */
const MOST_GRAPH_TASKS = 120;

/**
 * A run's report as one HTML file: no script, no network, nothing but its own style sheet, which its policy names by hash.
 * Its size follows the plan and the width of charts, not the number of subtasks.
 */
export async function renderHtml(data: PageData): Promise<string> {
  const { summary } = data;
  const canvas = await openCanvas();
  const style = `\n${STYLE}\n`;
  const policy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'`;
  const title = inertMarkup(`${shorten(inertLine(summary.plan ?? 'run'), 80)}: ${summary.status}`);
  const blocks = [
    sections.heading(summary),
    sections.tiles(summary),
    sections.failures(data),
    ...drawnSections(canvas, data),
    await graphSection(data),
    sections.decision(summary),
    sections.waves(summary),
    sections.tasks(summary),
    sections.slowest(data.details),
    sections.outcomes(summary),
    sections.advice(summary),
    sections.footer(summary),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${style}</style>
</head>
<body>
${blocks.filter((block) => block !== '').join('\n')}
</body>
</html>
`;
}

interface ChartText {
  readonly chart: Chart;
  readonly title: string;
  readonly text: string;
  readonly keys: readonly (readonly [string, string])[];
}

const AGENTS_KEYS = [
  ['work', 'at work'],
  ['plan', 'planned'],
] as const;

function drawnSections(canvas: Canvas, data: PageData): readonly string[] {
  const { details } = data;
  const single = details.bars !== undefined && details.agentsPerLane === 1;
  const over = 'over the time of the run';
  const time: readonly ChartText[] = [
    {
      chart: timelineChart,
      title: 'Timeline of agents by wave',
      text: single
        ? 'Every subtask is a bar on its agent; the bands, or the grey rows, are the waves.'
        : `${details.agentsPerLane === 1 ? 'Every row is an agent' : `Every row is ${counted(details.agentsPerLane, 'agent')}`}; the stronger its colour, the busier. The bands, or the grey rows, are the waves.`,
      keys: [['work', 'work'], ...(single ? [['bad', 'failed'] as const] : [])],
    },
    {
      chart: throughputChart,
      title: 'Throughput',
      text: `Subtasks that ended each second, ${over}.`,
      keys: [
        ['work', 'succeeded'],
        ['bad', 'failed'],
      ],
    },
    {
      chart: agentsChart,
      title: 'Agents',
      text: `Agents at work, ${over}, and how many there were to be.`,
      keys: AGENTS_KEYS,
    },
  ];
  const shares: readonly ChartText[] = [
    {
      chart: overheadChart,
      title: "Where the agents' time went",
      text: 'Work; idle at the barrier while others still worked; and the rest: dispatch, waiting for cores, rates and retries.',
      keys: [
        ['work', 'work'],
        ['idle', 'idle at the barrier'],
        ['other', 'other overhead'],
      ],
    },
    {
      chart: predictionChart,
      title: 'Predicted and actual time of each wave',
      text: 'The bar is what a wave took, the mark what was predicted when it started.',
      keys: [
        ['work', 'took'],
        ['plan', 'predicted'],
      ],
    },
    {
      chart: durationsChart,
      title: 'Durations of subtasks',
      text: `By task; each step of the scale is a factor.${details.otherTasks > 0 ? ` ${counted(details.otherTasks, 'more task')} not shown.` : ''}`,
      keys: [],
    },
  ];
  const group = (heading: string, texts: readonly ChartText[]) => {
    const figures = texts.map((text) => figureOf(canvas, data, text)).filter((text) => text !== '');
    return figures.length === 0 ? '' : `<section><h2>${heading}</h2>\n${figures.join('\n')}</section>`;
  };
  return [group('Over time', time), group('Overhead and durations', shares)];
}

function figureOf(canvas: Canvas, data: PageData, { chart, title, text, keys }: ChartText): string {
  const drawn = SIZES.map((size) => ({ size, svg: chart(canvas, data, size) }));
  if (drawn.some(({ svg }) => svg === undefined)) return '';
  const legend = keys.map(([key, name]) => `<span class="keyed"><span class="key k-${key}"></span>${name}</span>`).join(' ');
  const variants = drawn.map(({ size, svg }) => `<div class="${size.narrow ? 'narrow' : 'wide'}">${svg}</div>`);
  return `<figure><figcaption><b>${title}</b>${text}${legend === '' ? '' : `<span class="keys">${legend}</span>`}</figcaption>${variants.join('')}</figure>`;
}

async function graphSection({ summary, details }: PageData): Promise<string> {
  const tasks = details.outline.reduce((sum, wave) => sum + wave.tasks.length, 0);
  if (tasks === 0) return '';
  const start = '<section><h2>The graph</h2>\n';
  if (tasks > MOST_GRAPH_TASKS)
    return `${start}<p>${counted(tasks, 'task')} in ${counted(details.outline.length, 'wave')}: too many for this page. <code>waveplan graph PLAN --format svg</code> draws them.</p></section>`;
  const view = runGraph(summary, details);
  const length = view.criticalMs === undefined ? '' : `, ${humanDuration(view.criticalMs)} of ${humanDuration(summary.totalMs)}`;
  const path = [...view.critical].reverse().map((id) => inertLine(id));
  const shown = path.length > 12 ? [...path.slice(0, 11), `… (${figure(path.length - 11)} more)`] : path;
  const text = `The critical path is thick (by ${view.criticalBy}${length}): ${inertMarkup(shown.join(' → '))}`;
  return `${start}<figure class="graph"><figcaption>${text}</figcaption><div class="scroll">${await graphPicture(view)}</div></figure></section>`;
}
