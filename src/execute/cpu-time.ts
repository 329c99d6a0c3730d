import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks a second in /proc, fixed at 100 for programs on Linux (`getconf CLK_TCK`). */
const TICKS_PER_SECOND = 100;
/** Positions in /proc/PID/stat behind the name, which may hold spaces and is in brackets (man 5 proc). */
const UTIME = 11;
const STIME = 12;
const CUTIME = 13;
const CSTIME = 14;

/** The processor time of this process, all its threads, and its children that have ended, in seconds. */
export function totalCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6 + ticksOf('self', [CUTIME, CSTIME]) / TICKS_PER_SECOND;
}

/**
 * The same, with its children that live on and what these have waited for: the shells that commands start from end with the run. Takes
 * some file reads for each thread and each of those shells.
 */
export function cpuSecondsWithChildren(): number {
  const ticks = childrenOf('self').reduce((sum, pid) => sum + ticksOf(pid, [UTIME, STIME, CUTIME, CSTIME]), 0);
  return totalCpuSeconds() + ticks / TICKS_PER_SECOND;
}

/** The children of all threads of a process; none where the system does not tell. */
function childrenOf(pid: string): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) => childrenOfThread(pid, thread));
  } catch {
    return [];
  }
}

/** None where the thread has ended since. */
function childrenOfThread(pid: string, thread: string): readonly string[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1');
    return text.split(' ').filter((child) => child !== '');
  } catch {
    return [];
  }
}

/** The sum of some fields of a process's times; 0 where the system does not tell, or it is gone. */
function ticksOf(pid: string, fields: readonly number[]): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const all = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields.reduce((sum, field) => sum + Number(all[field]), 0);
  } catch {
    return 0;
  }
}
