import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { STOP_GRACE_MS } from './action.js';
import { ending } from './process-group.js';
import { processNow } from './process-stat.js';

/**
 * The variable that every process of a run carries: its value is the run's id. Processes inherit it, so those that outlive
 * their subtask or a killed run are found by it, whoever started them. Unlike a recorded process id it is never another
 * process's. A process without it is left alone.
 */
export const RUN_VARIABLE = 'WAVEPLAN_RUN';

/** The variable that the processes of one command carry: another value for every command. */
export const COMMAND_VARIABLE = 'WAVEPLAN_COMMAND';

/** How long the system may take to bury what was killed. */
const BURIAL_MS = 2000;
const FIRST_LOOK_MS = 20;
const LAST_LOOK_MS = 200;

/** Ends what a run left behind; see `endProcesses`. */
export function endLeftovers(run: string): Promise<{ readonly found: number; readonly left: number }> {
  const own = ancestry();
  return endProcesses((pid) => !own.has(pid) && variablesOf(pid).includes(`\0${RUN_VARIABLE}=${run}\0`));
}

/**
 * Ends the processes for which `isLeft` is true: TERM, before this returns, and KILL for those that are still there after the
 * grace. Resolves with the number that there were, and that could not be ended. Only where there is /proc (Linux), and only
 * processes of the same user are seen.
 */
async function endProcesses(isLeft: (pid: number) => boolean): Promise<{ readonly found: number; readonly left: number }> {
  const found = new Set<number>();
  let left = 0;
  for (
    let [waited, ms] = [0, FIRST_LOOK_MS];
    waited <= STOP_GRACE_MS + BURIAL_MS;
    waited += ms, ms = Math.min(2 * ms, LAST_LOOK_MS)
  ) {
    left = 0;
    for (const pid of processes()) {
      if (!isLeft(pid)) continue;
      const stat = processNow(pid);
      if (stat === undefined || stat.ended) continue;
      left += 1;
      // The leader of a group takes its group with it.
      if (waited >= STOP_GRACE_MS) signal(stat.group === pid ? -pid : pid, 'SIGKILL');
      else if (!found.has(pid)) signal(stat.group === pid ? -pid : pid, 'SIGTERM');
      found.add(pid);
    }
    if (left === 0) break;
    await new Promise((resolve) => setTimeout(resolve, ms));
  }
  return { found: found.size, left };
}

function signal(target: number, name: NodeJS.Signals): void {
  try {
    process.kill(target, name);
  } catch {
    // It is gone, or another user's.
  }
}

function processes(): readonly number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isSafeInteger);
  } catch {
    return [];
  }
}

/** With a zero byte before and after each; empty where it cannot be read. */
function variablesOf(pid: number): string {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}`;
  } catch {
    return '';
  }
}

/** This process and those above it. */
function ancestry(): ReadonlySet<number> {
  const pids = new Set<number>();
  for (let pid = process.pid; pid > 1 && !pids.has(pid); pid = processNow(pid)?.parent ?? 0) pids.add(pid);
  return pids;
}

/** How the marks of this thread's commands begin; a process with another is never this thread's to end. */
const THREAD = `${randomBytes(8).toString('hex')}.`;
const MARK = new RegExp(`\0${COMMAND_VARIABLE}=(${THREAD.replace('.', '\\.')}\\d+)\0`);

const running = new Set<string>();
let commands = 0;

/** A new command's value of `COMMAND_VARIABLE`. */
export function commandStarts(): string {
  const mark = `${THREAD}${commands++}`;
  running.add(mark);
  return mark;
}

/** The command is over: what it left behind outside its group is ended, at the next look. */
export function commandEnded(mark: string): void {
  running.delete(mark);
  if (isToLook) return;
  isToLook = true;
  setTimeout(look, pauseMs).unref();
}

/**
 * Ends what a command left behind outside its group, if it has something: its processes, by their mark, and those in a session
 * of which nothing else is left, as a shell's own job control makes them.
 */
export function endEscaped(mark: string, session: number | undefined): void {
  const text = `\0${COMMAND_VARIABLE}=${mark}\0`;
  endLater((pid) => {
    const variables = variablesOf(pid);
    if (!RUN.test(variables)) return false;
    return variables.includes(text) || (pid !== session && session !== undefined && processNow(pid)?.session === session);
  });
}

/** Of a run's process; an empty value is none. */
const RUN = new RegExp(`\0${RUN_VARIABLE}=[^\0]`);

/** Of the time, looking at the processes of the machine takes at most this share. */
const LOOK_SHARE = 0.005;
const LEAST_PAUSE_MS = 500;
let isToLook = false;
let pauseMs = LEAST_PAUSE_MS;
/** Processes that were no run's at the last look. */
let foreign: ReadonlySet<number> = new Set();

/** Ends what the commands left behind that ended since the last look, without holding anything up. */
function look(): void {
  isToLook = false;
  const begun = performance.now();
  const strangers = new Set<number>();
  let isAny = false;
  for (const pid of processes()) {
    const variables = foreign.has(pid) ? '' : variablesOf(pid);
    if (!RUN.test(variables)) strangers.add(pid);
    else if (isOver(variables)) isAny = true;
  }
  foreign = strangers;
  pauseMs = Math.max(LEAST_PAUSE_MS, (performance.now() - begun) / LOOK_SHARE);
  if (isAny) endLater((pid) => !foreign.has(pid) && isOver(variablesOf(pid)));
}

function isOver(variables: string): boolean {
  const mark = MARK.exec(variables)?.[1];
  return mark !== undefined && RUN.test(variables) && !running.has(mark);
}

function endLater(isLeft: (pid: number) => boolean): void {
  const ended = endProcesses(isLeft).then(() => {
    ending.delete(ended);
  });
  ending.add(ended);
}
