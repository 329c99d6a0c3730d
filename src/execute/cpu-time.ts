import { readFileSync } from 'node:fs';
import { groupCpuMeter } from '../scaling/cgroup.js';
import { systemFiles } from '../scaling/system-files.js';

/** Clock ticks a second in /proc, fixed at 100 for programs on Linux (`getconf CLK_TCK`). */
const TICKS_PER_SECOND = 100;
/** Positions in /proc/self/stat behind the name, which may hold spaces and is in brackets (man 5 proc). */
const CUTIME = 13;
const CSTIME = 14;

/**
 * A meter of the processor time that a run uses, in seconds. Commands are children of shells that live on, of which the
 * process's own times know nothing: with commands it is the time of its control group, if there is one, which includes
 * whatever else runs in that.
 */
export function cpuMeter({ commands }: { readonly commands: boolean }): () => number {
  return (commands ? groupCpuMeter(systemFiles) : undefined) ?? ownCpuSeconds;
}

/** Of this process, all its threads, and its children that have ended. */
function ownCpuSeconds(): number {
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
