import { type Checkpoint, parseCheckpoints } from '../model/checkpoint.js';
import { unreachable } from '../model/result.js';
import type { Backup, RunEvent, WaveCheck } from '../model/run-event.js';
import { assessmentText, resumedLines } from './assessment-text.js';
import { wrapText } from './display-width.js';
import { printedBy } from './failure-groups.js';
import { quote } from './failure-text.js';
import { counted, figure, humanDuration, minutes } from './figures.js';
import { inertFirstLine, inertLine, shorten } from './inert.js';
import { liveFrame } from './live-frame.js';
import { drawBox, type LineTone, line, type PanelLine, painter } from './panel.js';
import { RunProgress } from './run-progress.js';

/** What the live view needs from its surroundings. */
export interface LiveViewOptions {
  /** Usually standard output or standard error; its owner handles its errors. */
  readonly stream: NodeJS.WriteStream | (NodeJS.WritableStream & { readonly columns?: number });
  readonly color: boolean;
  /** Whether lines may be redrawn in place. */
  readonly tty: boolean;
  /** Also tells of every subtask that ends, with what it said. */
  readonly verbose?: boolean;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Calls `tick` about once a second until the returned function is called; absent: a timer that keeps no process alive. */
  readonly everySecond?: (tick: () => void) => () => void;
}

/** A run as it is seen in a terminal: blocks that stay, and below them a few lines that move. */
export interface LiveView {
  handle(event: RunEvent): void;
  /** Takes the moving lines away; what stands stays. May be called more than once. */
  close(): void;
}

/** Redraws at most this often, in milliseconds, so that a million subtasks do not draw a million frames. */
const FRAME_MS = 100;
/** Without a terminal: milliseconds between two lines of progress, and before the first. */
const PLAIN_MS = 5000;
/** Failures shown as they happen, in each wave; the report groups them all. */
const MOST_FAILURES = 3;
/** Skipped tasks shown as they are skipped; the report names all of them. */
const MOST_SKIPS = 10;
/** Lines of what a subtask said, where it failed, and where everything is told. */
const MOST_LOG_LINES = 5;
const MOST_VERBOSE_LINES = 20;

/** A live view on `stream`. The module that redraws is loaded only for a terminal. */
export async function createLiveView(options: LiveViewOptions): Promise<LiveView> {
  const { stream, tty, now } = options;
  const paint = painter(options.color);
  // A pseudo-terminal that was given no size has 0 columns.
  const columns = () => Math.max(20, stream.columns || 80);
  // The cursor stays visible: hiding it takes signal handlers that restore it, and those are the command's own business.
  const redraw = tty ? (await import('log-update')).createLogUpdate(stream, { showCursor: true }) : undefined;
  let progress: RunProgress | undefined;
  let lastDrawn = Number.NEGATIVE_INFINITY;
  let drawn = false;

  const erase = () => {
    if (drawn) redraw?.clear();
    drawn = false;
  };
  const print = (text: string) => {
    erase();
    stream.write(`${text}\n`);
  };
  /** A line; one that is longer than a terminal is wide goes on indented, and is broken between words. */
  const say = (text: string, tone: LineTone = 'plain') => {
    const { text: whole, hanging } = line(text);
    for (const part of tty ? wrapText(whole, columns(), hanging) : [whole]) print(paint(part, tone));
  };
  const sayEndOf = (text: string, most: number) => {
    for (const each of quote(text, { most, indent: '   ', ...(tty ? { width: columns() } : {}) })) print(paint(each, 'dim'));
  };
  const draw = (force: boolean) => {
    const [running] = progress?.running ?? [];
    if (progress === undefined || running === undefined) return;
    const time = now();
    if (redraw === undefined) {
      if (time - Math.max(lastDrawn, running.startedAt) < PLAIN_MS) return;
      lastDrawn = time;
      for (const wave of progress.running) stream.write(`${wave.text(time)}\n`);
      return;
    }
    if (!force && time - lastDrawn < FRAME_MS) return;
    lastDrawn = time;
    drawn = true;
    const lines = liveFrame(progress.at(time), columns() - 1);
    redraw(lines.map(({ text, tone }) => paint(text, tone)).join('\n'));
  };
  const stopTicking = (options.everySecond ?? secondTimer)(() => draw(false));

  let skips = 0;
  const saySkip = ({ task, subtask, reason }: Extract<RunEvent, { type: 'subtask-skipped' }>): void => {
    if (options.verbose !== true) {
      if (task !== subtask || skips > MOST_SKIPS) return;
      skips += 1;
      if (skips > MOST_SKIPS) {
        say('   further skipped tasks are in the report', 'dim');
        return;
      }
    }
    say(`⏭ ${subtask}: skipped because ${inertFirstLine(reason, 300)}`, 'dim');
  };

  const sayEnd = (checkpoint: Checkpoint, log: string | undefined): void => {
    const { task_id, error, duration_ms, attempt, results } = checkpoint;
    const said = log ?? printedBy(results);
    if (error === undefined) {
      const again = attempt > 1 ? `, attempt ${attempt}` : '';
      say(`✅ ${task_id} in ${humanDuration(duration_ms)}${again}`, 'good');
      sayEndOf(said, MOST_VERBOSE_LINES);
      return;
    }
    say(`❌ ${task_id}: ${inertFirstLine(error.message, 300)}`, 'bad');
    sayEndOf(said, MOST_LOG_LINES);
  };

  const handle = (event: RunEvent): void => {
    // Before a wave is over it is asked for its counts.
    const counts = event.type === 'wave-finished' ? progress?.wave(event.wave) : undefined;
    progress ??= new RunProgress(now());
    progress.add(event, now());
    switch (event.type) {
      case 'run-started':
        say(`Run ${event.run}`, 'dim');
        return;
      case 'run-resumed':
        for (const line of resumedLines(event)) say(line, 'dim');
        return;
      case 'failure-assessed':
        say(`⚠ ${assessmentText(event)}`, 'warn');
        return;
      case 'backup-made':
        say(
          event.backup.mode === 'none' ? '⚠ Wave 0: no backup' : '✅ Wave 0 Complete',
          event.backup.mode === 'none' ? 'warn' : 'good',
        );
        say(`└─ Safety Backup: ${backupText(event.backup)} in ${humanDuration(event.durationMs)}`);
        return;
      case 'decision-taken':
        say(
          `Scaling for wave ${event.wave}: ${counted(event.decision.decided.agents, 'agent')}, ${event.decision.decided.reason}`,
          'dim',
        );
        return;
      case 'wave-started':
        print(drawBox([waveHeader(event)], { color: options.color, width: Math.min(60, columns()) }));
        draw(true);
        return;
      case 'agents-changed':
        say(agentsChangedText(event), 'dim');
        draw(true);
        return;
      case 'task-expanded':
      case 'records-dropped':
      case 'subtasks-returned':
        return;
      case 'subtask-started':
      case 'subtasks-started':
      case 'attempt-failed':
      case 'subtask-retried':
        draw(false);
        return;
      case 'subtask-skipped':
        saySkip(event);
        draw(false);
        return;
      case 'subtasks-finished':
      case 'subtasks-up-to-date':
        if (options.verbose === true) for (const checkpoint of parseCheckpoints(event.lines)) sayEnd(checkpoint, undefined);
        draw(false);
        return;
      case 'subtask-finished': {
        const { checkpoint, log } = event;
        const failed = progress.wave(checkpoint.wave)?.failed ?? 0;
        if (options.verbose === true) sayEnd(checkpoint, log);
        else if (checkpoint.error !== undefined && event.resumed === undefined && failed <= MOST_FAILURES) {
          sayEnd(checkpoint, log);
          if (failed === MOST_FAILURES)
            say('   further failures of this wave are counted below and grouped in the report', 'dim');
          draw(true);
          return;
        }
        draw(false);
        return;
      }
      case 'subtask-cancelled':
        if (options.verbose === true) sayEnd(event.checkpoint, event.log);
        draw(false);
        return;
      case 'wave-finished': {
        const verdict = waveTitle(event.wave, event.check, counts?.failed ?? 0);
        say(verdict.text, verdict.tone);
        say(`├─ Success: ${counted(counts?.succeeded ?? 0, 'task')}`);
        say(`├─ Failed: ${counted(counts?.failed ?? 0, 'task')}`, (counts?.failed ?? 0) > 0 ? 'bad' : 'plain');
        if (counts !== undefined && counts.skippedCount > 0) say(`├─ Skipped: ${counted(counts.skippedCount, 'task')}`);
        say(`├─ Check: ${checkText(event.check)}`);
        say(`└─ Duration: ${minutes(event.durationMs / 60_000)}`);
        return;
      }
      case 'finally-finished': {
        const { status, error, duration_ms } = event.checkpoint;
        if (status === 'success') say(`✅ finally ${event.task}: done in ${humanDuration(duration_ms)}`, 'good');
        else say(`❌ finally ${event.task}: ${inertFirstLine(error?.message ?? 'failed', 300)}`, 'bad');
        return;
      }
      case 'warning':
        say(`⚠ ${event.message}`, 'warn');
        draw(true);
        return;
      case 'pools-observed':
        return;
      case 'run-finished':
        erase();
        return;
      default:
        unreachable(event);
    }
  };
  const close = () => {
    stopTicking();
    progress = undefined;
    erase();
  };
  return { handle, close };
}

function waveHeader({ wave, name, agents, threads }: Extract<RunEvent, { type: 'wave-started' }>): readonly PanelLine[] {
  const how = threads === 0 ? "in the coordinator's own thread" : agents > 1 ? 'parallel execution' : 'one at a time';
  return [line(`🌊 WAVE ${wave}: ${name}`, 'strong'), line(`Agents: ${figure(agents)} (${how})`)];
}

function agentsChangedText({ wave, from, to, reason }: Extract<RunEvent, { type: 'agents-changed' }>): string {
  return `Wave ${wave}: ${figure(from)} → ${counted(to, 'agent')}, ${shorten(inertLine(reason), 200)}`;
}

function secondTimer(tick: () => void): () => void {
  const timer = setInterval(tick, 1000).unref();
  return () => clearInterval(timer);
}

function backupText(backup: Backup): string {
  switch (backup.mode) {
    case 'none':
      return 'none, as the plan sets';
    case 'commit':
      return backup.created
        ? `commit ${backup.commit.slice(0, 12)} on ${backup.branch}`
        : `nothing to commit, ${backup.commit.slice(0, 12)} is the backup`;
    case 'ref':
      return `commit ${backup.commit.slice(0, 12)} under ${backup.ref}`;
  }
}

function waveTitle(wave: number, check: WaveCheck, failed: number): { readonly text: string; readonly tone: LineTone } {
  switch (check.verdict) {
    case 'READY':
      return failed === 0
        ? { text: `✅ Wave ${wave} Complete`, tone: 'good' }
        : { text: `⚠ Wave ${wave} Complete, with failures`, tone: 'warn' };
    case 'INCOMPLETE':
      return { text: `❌ Wave ${wave} Incomplete`, tone: 'bad' };
    case 'FAILED':
      return { text: `❌ Wave ${wave} Failed`, tone: 'bad' };
  }
}

function checkText({ verdict, reason }: WaveCheck): string {
  return `${verdict} (${reason})`;
}
