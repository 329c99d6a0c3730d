import { counted, figure, humanDuration } from './figures.js';
import { type Hindsight, LEAST_SECONDS, LEAST_SHARE } from './hindsight.js';
import type { RunSummary } from './run-summary.js';
import { ratioText } from './scaling-section.js';
import type { PredictionScore, RunScore, WaveScore } from './score.js';

/** The score of a run in words, for the panel and for Markdown; figures that are missing are left out. */
export function scoreTexts(score: RunScore): readonly string[] {
  const { overhead, roi, idleSeconds, hindsight } = score;
  const basis = score.basis === 'start' ? '' : ', by what the ended waves were predicted as they started';
  const texts = [`Run: ${timeText(score)}${basis}`];
  const overheads = [
    ...(overhead.predictedSeconds === undefined ? [] : [`predicted ${seconds(overhead.predictedSeconds)}`]),
    ...(overhead.actualSeconds === undefined ? [] : [`actual ${seconds(overhead.actualSeconds)}${agentTimeText(score)}`]),
  ];
  if (overheads.length > 0) texts.push(`Overhead: ${overheads.join(', ')}`);
  const returns = [
    ...(roi.predicted === undefined ? [] : [`predicted ${ratioText(roi.predicted)}`]),
    ...(roi.actual === undefined ? [] : [`actual ${ratioText(roi.actual)}`]),
  ];
  if (returns.length > 0) texts.push(`ROI: ${returns.join(', ')}`);
  if (idleSeconds !== undefined)
    texts.push(`Barriers: agents were idle for ${seconds(idleSeconds)} in all while others still worked`);
  if (hindsight !== undefined) texts.push(`Hindsight: ${hindsightText(hindsight, score.actualSeconds)}`);
  return texts;
}

/** `predicted 10 s, took 12 s, off by 16.7%`. */
export function timeText({ predictedSeconds, actualSeconds, errorShare }: PredictionScore): string {
  const off = errorShare === undefined ? '' : `, off by ${figure(errorShare * 100)}%`;
  return `predicted ${seconds(predictedSeconds)}, took ${seconds(actualSeconds)}${off}`;
}

/** What a wave's score adds to its times; empty where it is not worth a line. */
export function waveNote({ hindsight, actualSeconds }: WaveScore): string {
  return hindsight?.verdict === 'better' ? `; ${hindsightText(hindsight, actualSeconds)}` : '';
}

/** The verdict on the number of agents. */
export function hindsightText({ verdict, used, agents, savedSeconds, modelSeconds }: Hindsight, actualSeconds: number): string {
  switch (verdict) {
    case 'better':
      return `${counted(agents, 'agent')} would have saved ${seconds(savedSeconds)} (${figure(used)} ran)`;
    case 'right': {
      const least = LEAST_SHARE * modelSeconds < LEAST_SECONDS ? seconds(LEAST_SECONDS) : `${figure(LEAST_SHARE * 100)}%`;
      return `the count was right: no other saves more than ${least}`;
    }
    case 'unexplained':
      return `not told: by the subtasks' durations the waves take ${seconds(modelSeconds)}, they took ${seconds(actualSeconds)}`;
  }
}

/** Every change of the number of agents, as far as they are listed: `wave 2: 8 → 10 agents: throughput rose 12%`. */
export function agentsChangesTexts({ waves }: RunSummary): readonly string[] {
  return waves.flatMap(({ number, agentsChanges: { count, first } }) => {
    const texts = first.map(({ from, to, reason }) => `wave ${number}: ${figure(from)} → ${counted(to, 'agent')}: ${reason}`);
    if (count > first.length) texts.push(`wave ${number}: ... (${counted(count - first.length, 'more change')})`);
    return texts;
  });
}

function agentTimeText({ overhead: { agentSeconds, share } }: PredictionScore): string {
  if (agentSeconds === undefined || share === undefined) return '';
  return ` (${seconds(agentSeconds)} of agents' time, ${figure(share * 100)}% of it)`;
}

function seconds(value: number): string {
  return humanDuration(value * 1000);
}
