import { readdir, readFile } from 'node:fs/promises';
import { errnoOf } from './problem.js';
import { processOf } from './process-stat.js';

/**
 * The variable that every process of a run carries: its value is the run's id. Processes inherit it, so those that a killed
 * run left behind are found by it, whoever started them and however it was killed. Unlike a recorded process id it is
 * never another process's.
 */
export const RUN_VARIABLE = 'WAVEPLAN_RUN';

/** How long what is left of a run may take to end by itself when it is told to. */
const GRACE_MS = 2000;
/** How long the system may take to bury what was killed. */
const BURIAL_MS = 2000;
const LOOK_MS = 20;

interface Leftover {
  readonly pid: number;
  readonly started: string;
  readonly leader: boolean;
}

/**
 * Ends the processes that a killed run left behind: TERM, and KILL for those that are still there after the grace. Resolves
 * with the number that there were. Only where there is /proc (Linux), and only processes of the same user are seen;
 * those that emptied their environment are found only by their group.
 */
export async function endLeftovers(run: string): Promise<{ readonly found: number; readonly left: number }> {
  const found = new Set<number>();
  let left: readonly Leftover[] = [];
  for (let waited = 0; waited <= GRACE_MS + BURIAL_MS; waited += LOOK_MS) {
    left = await leftoversOf(run);
    for (const leftover of left) {
      const fresh = !found.has(leftover.pid);
      found.add(leftover.pid);
      if (waited >= GRACE_MS) await end(leftover, 'SIGKILL');
      else if (fresh) await end(leftover, 'SIGTERM');
    }
    if (left.length === 0) break;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return { found: found.size, left: left.length };
}

/** The processes of a run that are alive, but for this one and those above it. */
async function leftoversOf(run: string): Promise<readonly Leftover[]> {
  const names = await readdir('/proc').catch(() => []);
  const own = await ancestry();
  const found: Leftover[] = [];
  for (const name of names) {
    const pid = Number(name);
    if (!Number.isSafeInteger(pid) || own.has(pid)) continue;
    const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
    if (!environment.split('\0').includes(`${RUN_VARIABLE}=${run}`)) continue;
    const process = await processOf(pid);
    if (process === undefined || process.ended) continue;
    found.push({ pid, started: process.started, leader: process.group === pid });
  }
  return found;
}

async function ancestry(): Promise<ReadonlySet<number>> {
  const pids = new Set<number>();
  for (let pid = process.pid; pid > 1 && !pids.has(pid); ) {
    pids.add(pid);
    pid = (await processOf(pid))?.parent ?? 0;
  }
  return pids;
}

/** Looked at once more right before: a process id is given out again. The leader of a group takes its group with it. */
async function end({ pid, started, leader }: Leftover, signal: NodeJS.Signals): Promise<void> {
  if ((await processOf(pid))?.started !== started) return;
  try {
    process.kill(leader ? -pid : pid, signal);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
}
