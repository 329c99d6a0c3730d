import { arch, availableParallelism, cpus, totalmem } from 'node:os';
import type { MachineFingerprint } from './calibration.js';
import { readCgroupLimits } from './cgroup.js';
import { type SystemFiles, systemFiles } from './system-files.js';

/** What a machine, or the part of it that this process may use, has. */
export interface MachineProfile {
  /** Whole cores, at least 1. */
  readonly cores: number;
  readonly memoryBytes: number;
  /** Files that this process may hold open; absent where nothing bounds them or the system does not tell. */
  readonly openFiles?: number;
  /** Where these are other machines: how many workers there are, and their agents; absent: it is this one. */
  readonly workers?: { readonly count: number; readonly agents: number };
}

/** Other machines, taken together. */
export interface Fleet extends MachineProfile {
  readonly workers: NonNullable<MachineProfile['workers']>;
}

/** What the system's own calls say, before any limit. */
export interface BuiltIn {
  /** Cores that the scheduler may use for this process: follows `taskset`. */
  readonly cores: number;
  readonly memoryBytes: number;
}

/**
 * Reads this machine: affinity, cgroup limits of the process's own group (version 2 and 1) and resource limits (`ulimit`,
 * `prlimit`) count, not what is built in.
 */
export function readMachine(
  read: SystemFiles = systemFiles,
  builtIn: BuiltIn = { cores: availableParallelism(), memoryBytes: totalmem() },
): MachineProfile {
  const group = readCgroupLimits(read);
  const limits = read('/proc/self/limits');
  const openFiles = softLimit(limits, 'Max open files');
  const memory = [builtIn.memoryBytes, group.memoryBytes, softLimit(limits, 'Max address space')];
  return {
    cores: Math.max(1, Math.min(builtIn.cores, Math.ceil(group.cores ?? builtIn.cores))),
    memoryBytes: memory.reduce<number>((least, bytes) => Math.min(least, bytes ?? least), builtIn.memoryBytes),
    ...(openFiles === undefined ? {} : { openFiles }),
  };
}

/** What tells this machine, as it is now, from others: measured figures hold for an equal one only. */
export function fingerprintOf(machine: MachineProfile, waveplanVersion: string): MachineFingerprint {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: machine.cores,
    memoryBytes: machine.memoryBytes,
    arch: arch(),
    node: process.version,
    waveplan: waveplanVersion,
  };
}

/** Address space that this process may still take, in bytes; absent where it is not bounded (`RLIMIT_AS`). */
export function addressSpaceLeft(read: SystemFiles = systemFiles): number | undefined {
  const limit = softLimit(read('/proc/self/limits'), 'Max address space');
  const used = /^VmSize:\s+(\d+) kB$/m.exec(read('/proc/self/status') ?? '')?.[1];
  return limit === undefined || used === undefined ? undefined : Math.max(0, limit - Number(used) * 1024);
}

/** A line of `/proc/self/limits`: the name, the soft limit, the hard one, the unit. */
function softLimit(limits: string | undefined, name: string): number | undefined {
  const line = limits?.split('\n').find((text) => text.startsWith(name));
  const value = Number(line?.slice(name.length).trim().split(/\s+/)[0]);
  return value > 0 && Number.isFinite(value) ? value : undefined;
}
