import { readdirSync, readFileSync } from 'node:fs';

/** How many more agents the machine has room for right now, and what bounds them. */
export interface Headroom {
  readonly agents: number;
  readonly reason: string;
}

/** Descriptors that an agent may need at a time: two pipes of a command, and a file or a socket of its own. */
const FILES_PER_AGENT = 4;
/** Descriptors that are left to the coordinator. */
const SPARE_FILES = 16;

/** Room by free memory (at `memoryPerAgent` bytes each) and by open files. What the system does not tell bounds nothing. */
export function readHeadroom(memoryPerAgent: number): Headroom {
  const memory = availableMemory();
  const files = freeFiles();
  const byMemory = memory === undefined ? Number.POSITIVE_INFINITY : Math.floor(memory / memoryPerAgent);
  const byFiles = files === undefined ? Number.POSITIVE_INFINITY : Math.floor((files - SPARE_FILES) / FILES_PER_AGENT);
  if (byFiles < byMemory) return { agents: Math.max(0, byFiles), reason: `${files} more open files are allowed` };
  return { agents: Math.max(0, byMemory), reason: `${Math.round((memory ?? 0) / 1e6)} MB of memory are free` };
}

function availableMemory(): number | undefined {
  const kilobytes = /^MemAvailable:\s+(\d+) kB/m.exec(readText('/proc/meminfo') ?? '')?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

function freeFiles(): number | undefined {
  const limit = /^Max open files\s+(\d+)/m.exec(readText('/proc/self/limits') ?? '')?.[1];
  if (limit === undefined) return undefined;
  try {
    return Number(limit) - readdirSync('/proc/self/fd').length;
  } catch {
    return undefined;
  }
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
