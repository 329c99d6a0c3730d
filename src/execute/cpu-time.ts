import { readFileSync } from 'node:fs';

/** Clock ticks a second in /proc, fixed at 100 for programs on Linux (`getconf CLK_TCK`). */
const TICKS_PER_SECOND = 100;
/** Positions in /proc/self/stat behind the name, which may hold spaces and is in brackets (man 5 proc). */
const CUTIME = 13;
const CSTIME = 14;

/** The processor time of this process, all its threads, and its children that have ended, in seconds. */
export function totalCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6 + childrenCpuSeconds();
}

/** 0 where the system does not tell. */
function childrenCpuSeconds(): number {
  try {
    const text = readFileSync('/proc/self/stat', 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[CUTIME]) + Number(fields[CSTIME])) / TICKS_PER_SECOND;
  } catch {
    return 0;
  }
}
