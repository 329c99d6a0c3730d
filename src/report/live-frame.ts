import { cutToWidth, displayWidth, wrapText } from './display-width.js';
import { counted, figure, humanDuration } from './figures.js';
import { inertLine } from './inert.js';
import type { LineTone } from './panel.js';

/** What a terminal shows of a run at one moment. */
export interface LiveMoment {
  readonly waves: readonly WaveMoment[];
  /** Subtasks that ended each second; absent before the first. */
  readonly rate: number | undefined;
  readonly agents: { readonly now: number; readonly planned: number };
  /** Of the waves that run. */
  readonly leftMs: number | undefined;
  readonly elapsedMs: number;
  /** What has run longest by now, the longest first. */
  readonly slowest: readonly { readonly name: string; readonly forMs: number }[];
}

/** A wave at one moment. */
export interface WaveMoment {
  readonly number: number;
  readonly name: string;
  readonly state: 'waiting' | 'running' | 'over';
  readonly done: number;
  readonly failed: number;
  readonly skipped: number;
  readonly retried: number;
  /** 0 where it is not known yet. */
  readonly total: number;
}

/** A line of the frame, and what it means. */
export interface LiveLine {
  readonly text: string;
  readonly tone: LineTone;
}

/** Lines for waves; the others are counted. */
const MOST_WAVES = 6;
/** Columns below which figures come before the beauty of bars. */
const NARROW = 50;
const FULL = '█';
const REST = '░';

/** The moment in lines of at most `width` columns: a bar for each wave, then figures, then what is slow. Never empty. */
export function liveFrame(moment: LiveMoment, width: number): readonly LiveLine[] {
  const lines: LiveLine[] = [];
  const add = (text: string, tone: LineTone) => lines.push({ text: cutToWidth(text, width), tone });
  const running = moment.waves.findIndex(({ state }) => state === 'running');
  const first = Math.max(0, Math.min(running - 1, moment.waves.length - MOST_WAVES));
  const shown = moment.waves.slice(first, first + MOST_WAVES);
  if (first > 0) add(`… ${counted(first, 'wave')} before`, 'dim');
  const nameWidth = Math.min(
    Math.max(...shown.map((wave) => displayWidth(waveTitle(wave))), 4),
    Math.max(8, Math.floor(width / 4)),
  );
  const narrow = width < NARROW;
  const barWidth = narrow ? 6 : Math.min(40, Math.floor(width / 3) - 4);
  for (const wave of shown) add(waveLine(wave, { nameWidth, barWidth, narrow }), waveTone(wave));
  const after = moment.waves.length - first - shown.length;
  if (after > 0) add(`… ${counted(after, 'more wave')}`, 'dim');
  for (const part of wrapText(figuresLine(moment), width, '  ')) add(part, 'plain');
  const slow = slowestText(moment, width);
  if (slow !== '') add(slow, 'dim');
  return lines;
}

/** As many as there is room for, each whole; of the first, the name gives way and not the time. */
function slowestText({ slowest }: LiveMoment, width: number): string {
  let text = '';
  for (const { name, forMs } of slowest) {
    const time = ` ${humanDuration(forMs)}`;
    const start = text === '' ? 'slowest now: ' : `${text}, `;
    const whole = `${start}${inertLine(name)}${time}`;
    if (displayWidth(whole) > width && text !== '') return text;
    const room = width - displayWidth(start) - displayWidth(time);
    text = displayWidth(whole) <= width ? whole : `${start}${cutToWidth(inertLine(name), room)}${time}`;
  }
  return text;
}

interface LineShape {
  readonly nameWidth: number;
  readonly barWidth: number;
  readonly narrow: boolean;
}

function waveLine(wave: WaveMoment, { nameWidth, barWidth, narrow }: LineShape): string {
  const { state, done, failed, skipped, retried, total } = wave;
  const title = cutToWidth(waveTitle(wave), nameWidth);
  const share = total === 0 ? (state === 'over' ? 1 : 0) : Math.min(1, done / total);
  // Rounded down: a bar is full when all is done.
  const full = Math.floor(share * barWidth);
  const bar = FULL.repeat(full) + REST.repeat(barWidth - full);
  const percent = `${Math.floor(share * 100)}%`.padStart(4);
  const known = total > 0 || state === 'over';
  const size = known ? `${figure(done)}${narrow ? '/' : ' of '}${figure(total)}` : narrow ? 'of ?' : 'size not known yet';
  const notes = [
    ...(failed > 0 ? [`${figure(failed)} failed`] : []),
    ...(retried > 0 ? [`${figure(retried)} retried`] : []),
    ...(skipped > 0 ? [`${figure(skipped)} skipped`] : []),
  ];
  const mark = state === 'running' ? '▸' : ' ';
  return `${mark}${title}${' '.repeat(nameWidth - displayWidth(title))} ${bar} ${percent} ${[size, ...notes].join(', ')}`;
}

/** What runs stands out from what is over and what is to come, and what failed from both. */
function waveTone({ state, failed }: WaveMoment): LineTone {
  if (failed > 0) return 'warn';
  return state === 'running' ? 'strong' : 'dim';
}

function waveTitle({ number, name }: WaveMoment): string {
  return `${number} ${inertLine(name)}`;
}

function figuresLine({ rate, agents, leftMs, elapsedMs }: LiveMoment): string {
  const parts = [`${figure(agents.now)} of ${counted(agents.planned, 'agent')} at work`];
  if (rate !== undefined) parts.push(rate >= 1 ? `${figure(rate)}/s` : `${figure(rate * 60)}/min`);
  if (leftMs === undefined) parts.push('time left not known yet');
  else parts.push(leftMs <= 0 ? 'nearly done' : `about ${humanDuration(Math.ceil(leftMs / 1000) * 1000)} left`);
  if (elapsedMs >= 1000) parts.push(`${humanDuration(Math.floor(elapsedMs / 1000) * 1000)} so far`);
  return parts.join(', ');
}
