import { unreachable } from '../model/result.js';
import type { Backup, RunEvent, WaveCheck } from '../model/run-event.js';
import { cutToWidth, steadyText } from './display-width.js';
import { assessmentText, resumedLines } from './failure-text.js';
import { counted, figure, humanDuration, minutes } from './figures.js';
import { inertFirstLine, inertLine, shorten } from './inert.js';
import { drawBox, type LineTone, line, type PanelLine, painter } from './panel.js';
import { TaskSizes, WaveProgress } from './wave-progress.js';

/** What the live view needs from its surroundings. */
export interface LiveViewOptions {
  /** Usually standard output or standard error; its owner handles its errors. */
  readonly stream: NodeJS.WriteStream | (NodeJS.WritableStream & { readonly columns?: number });
  readonly color: boolean;
  /** Whether a line may be redrawn in place. */
  readonly tty: boolean;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Calls `tick` about once a second until the returned function is called; absent: a timer that keeps no process alive. */
  readonly everySecond?: (tick: () => void) => () => void;
}

/** A run as it is seen in a terminal: blocks that stay, and below them one line that moves. */
export interface LiveView {
  handle(event: RunEvent): void;
  /** Takes the moving line away; what stands stays. May be called more than once. */
  close(): void;
}

/** Redraws at most this often, in milliseconds, so that a million subtasks do not draw a million frames. */
const FRAME_MS = 100;
/** Without a terminal: milliseconds between two lines of progress, and before the first. */
const PLAIN_MS = 5000;
/** Failures shown as they happen, in each wave; the report groups them all. */
const MOST_FAILURES = 3;

/** A live view on `stream`. The module that redraws is loaded only for a terminal. */
export async function createLiveView(options: LiveViewOptions): Promise<LiveView> {
  const { stream, tty, now } = options;
  const paint = painter(options.color);
  // A pseudo-terminal that was given no size has 0 columns.
  const columns = () => Math.max(20, stream.columns || 80);
  // The cursor stays visible: hiding it takes signal handlers that restore it, and those are the command's own business.
  const redraw = tty ? (await import('log-update')).createLogUpdate(stream, { showCursor: true }) : undefined;
  const sizes = new TaskSizes();
  let progress: WaveProgress | undefined;
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
  const say = (text: string, tone: LineTone = 'plain') => print(paint(steadyText(inertLine(text)), tone));
  const draw = (force: boolean) => {
    if (progress === undefined) return;
    const time = now();
    if (redraw === undefined) {
      if (time - Math.max(lastDrawn, progress.startedAt) < PLAIN_MS) return;
      lastDrawn = time;
      stream.write(`${progress.text(time)}\n`);
      return;
    }
    if (!force && time - lastDrawn < FRAME_MS) return;
    lastDrawn = time;
    drawn = true;
    redraw(paint(cutToWidth(progress.text(time), columns() - 1), 'dim'));
  };
  const stopTicking = (options.everySecond ?? secondTimer)(() => draw(false));

  const handle = (event: RunEvent): void => {
    switch (event.type) {
      case 'run-started':
        for (const wave of event.waves) for (const task of wave.tasks) sizes.set(wave.number, task.id, task.subtasks ?? 0);
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
        progress = new WaveProgress(event.wave, event.subtasks, now());
        progress.knows(sizes.inWave(event.wave));
        print(drawBox([waveHeader(event)], { color: options.color, width: 60 }));
        draw(true);
        return;
      case 'agents-changed':
        say(agentsChangedText(event), 'dim');
        draw(true);
        return;
      case 'task-expanded':
        sizes.set(event.wave, event.task, event.subtasks);
        progress?.knows(sizes.inWave(progress.wave));
        return;
      case 'subtask-started':
        progress?.started();
        draw(false);
        return;
      case 'subtasks-started':
        progress?.started(event.count);
        draw(false);
        return;
      case 'subtasks-returned':
        progress?.returned(event.count);
        return;
      case 'subtasks-finished':
        progress?.finished(true, event.count);
        draw(false);
        return;
      case 'attempt-failed':
        progress?.returned(1);
        draw(false);
        return;
      case 'subtask-retried':
        progress?.retried(event.late !== true);
        draw(false);
        return;
      case 'subtask-finished': {
        const { checkpoint } = event;
        progress?.finished(
          checkpoint.status === 'success',
          1,
          event.late !== true && event.resumed === undefined && checkpoint.agent_id.startsWith('agent_'),
        );
        if (checkpoint.error !== undefined && progress !== undefined && progress.failed <= MOST_FAILURES) {
          say(cutToWidth(`❌ ${checkpoint.task_id}: ${inertFirstLine(checkpoint.error.message, 300)}`, columns()), 'bad');
          if (progress.failed === MOST_FAILURES)
            say('   further failures of this wave are counted below and grouped in the report', 'dim');
          draw(true);
        } else draw(false);
        return;
      }
      case 'subtask-skipped':
        progress?.skipped(event.agent !== undefined);
        draw(false);
        return;
      case 'wave-finished': {
        const counts = progress;
        progress = undefined;
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
      case 'run-finished':
        progress = undefined;
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
