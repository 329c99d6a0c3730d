import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, link, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { processOf } from '../actions/process-stat.js';
import { FileError } from '../data/files.js';
import { isJsonObject, type JsonValue } from '../model/json.js';
import { err, ok, type Result } from '../model/result.js';
import { type EnvironmentProblem, errnoOf, systemProblem } from './problem.js';
import { readStateJson } from './state-file.js';

/** A state folder that is ours alone until `release`. */
export interface Lock {
  /** A warning where the lock of a process that is gone was broken. */
  readonly broken: string | undefined;
  /** It is the lock of the run whose task started this one. */
  readonly isShared: boolean;
  /** Removes the lock if it is still this one. Never rejects for the disk's sake. */
  readonly release: () => Promise<void>;
}

/** Who holds a lock. A process id is given out again, so the time of its start goes with it where the system tells. */
export interface Holder {
  /** Tells this lock from every other. */
  readonly id: string;
  readonly pid: number;
  readonly host: string;
  /** Field 22 of /proc/PID/stat: clock ticks from the boot to the start. */
  readonly started: string | null;
  readonly boot: string | null;
  /** Such as 'run 20260101-120000000-abcdef'. */
  readonly purpose: string;
  /** ISO 8601, UTC. */
  readonly since: string;
}

/** Where a file system has no hard links. */
const NO_LINKS: ReadonlySet<string | undefined> = new Set(['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK']);

/** How a lock is waited for while another process has it. */
export interface LockWait {
  /** The longest wait, in milliseconds. */
  readonly ms: number;
  /** Called once, when the wait begins, with who has the lock. */
  readonly onWait: (holder: string) => void;
  readonly isStopped: () => boolean;
}

/** What a lock is asked for. */
export interface LockOptions {
  /** What others are told, such as 'run 20260101-120000000-abcdef'. */
  readonly purpose: string;
  /** In milliseconds since the epoch. */
  readonly now: number;
  /** Runs under whose lock this one works: a task of theirs started it. */
  readonly within?: readonly string[];
  /** Absent: a lock that is held is refused at once. */
  readonly wait?: LockWait | undefined;
}

interface LockProblem extends EnvironmentProblem {
  /** The process that has the lock, and lives. */
  readonly holder?: string;
}

/** How often a lock that is waited for is looked at. */
const LOOK_MS = 50;

/** Each turn but the last saw a lock come or go. */
const TURNS = 20;

/** Takes the lock of a state folder, waiting for it where `wait` says so. */
export async function acquireLock(stateDir: string, options: LockOptions): Promise<Result<Lock, EnvironmentProblem>> {
  const { wait } = options;
  const end = performance.now() + (wait?.ms ?? 0);
  for (let waits = false; ; waits = true) {
    const lock = await tryLock(stateDir, options);
    if (lock.ok || lock.error.holder === undefined || wait === undefined) return lock;
    if (!waits) wait.onWait(lock.error.holder);
    do {
      if (wait.isStopped()) return err({ message: `stopped while waiting for ${lock.error.holder}`, hint: 'run again' });
      if (performance.now() >= end) return lock;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    } while ((await currentHolder(stateDir)) !== undefined);
  }
}

/**
 * Takes the lock of a state folder: the file `lock`, created whole or not at all. A lock whose process is gone is broken.
 *
 *     create ─→ held                      claim `lock` by its id ─→ still the same? ─→ remove it ─→ create
 *        └─ exists: its process lives ─→ problem    ↑      └─ claimed by another ─→ problem
 *                   its process is gone ────────────┘
 *
 * Of several that would break the same lock, the claim lets one through. Without it, the second could remove the lock
 * that the first has just made. A claim is a lock itself: that of a process that was killed over it is broken in the same way.
 */
async function tryLock(stateDir: string, options: LockOptions): Promise<Result<Lock, LockProblem>> {
  const file = lockFile(stateDir);
  const own = await newHolder(options);
  const written = writtenFile(stateDir, own.id);
  try {
    await writeFile(written, `${JSON.stringify(own)}\n`, { flag: 'wx', flush: true });
    for (let turn = 0; turn < TURNS; turn++) {
      if (await create(file, written)) return ok({ broken: undefined, isShared: false, release: () => release(file, own) });
      const other = await readHolder(file);
      if (other === 'none') continue;
      if (other === 'unreadable') return err(unreadable(file));
      if (await isAlive(other)) {
        const isShared = options.within?.some((run) => other.purpose === `run ${run}`) === true;
        return isShared ? ok({ broken: undefined, isShared, release: async () => {} }) : err(held(file, other));
      }
      const broken = await breakLock({ stateDir, file, written, stale: other });
      if (broken === 'claimed') return err(beingBroken(stateDir, other));
      if (broken === 'held') return ok({ broken: brokenWarning(other), isShared: false, release: () => release(file, own) });
    }
    return err({ message: `the lock ${file} changed hands again and again`, hint: 'try again' });
  } catch (error) {
    return err(systemProblem(`lock the state folder ${stateDir}`, error));
  } finally {
    await rm(written, { force: true }).catch(() => undefined);
  }
}

/** Who this process would be as the holder of a lock. */
export async function newHolder({ purpose, now }: { readonly purpose: string; readonly now: number }): Promise<Holder> {
  return {
    id: randomBytes(8).toString('hex'),
    pid: process.pid,
    host: hostname(),
    started: (await processOf(process.pid))?.started ?? null,
    boot: await bootId(),
    purpose,
    since: new Date(now).toISOString(),
  };
}

/** The lock of a state folder. */
export function lockFile(stateDir: string): string {
  return join(stateDir, 'lock');
}

/** Where what is to stand in the lock is written first. */
export function writtenFile(stateDir: string, id: string): string {
  return join(stateDir, `.lock.${id}.new.tmp`);
}

/** Who works with a state folder right now: what for, and the process; undefined where nobody does. Writes nothing. */
export async function currentHolder(stateDir: string): Promise<{ readonly purpose: string; readonly pid: number } | undefined> {
  const holder = await readHolder(join(stateDir, 'lock')).catch(() => 'unreadable' as const);
  return typeof holder === 'object' && (await isAlive(holder)) ? { purpose: holder.purpose, pid: holder.pid } : undefined;
}

/** 'lost': somebody else was faster, and the lock must be looked at again. */
async function breakLock(at: {
  readonly stateDir: string;
  readonly file: string;
  readonly written: string;
  readonly stale: Holder;
}): Promise<'held' | 'claimed' | 'lost'> {
  const { stateDir, file, written, stale } = at;
  const claim = claimFile(stateDir, stale);
  if (!(await create(claim, written))) {
    const claimant = await readHolder(claim);
    const isGone = typeof claimant === 'object' && !(await isAlive(claimant));
    const broken = isGone ? await breakLock({ stateDir, file: claim, written, stale: claimant }) : 'claimed';
    if (broken === 'lost' || claimant === 'none') return 'lost';
    if (broken === 'claimed') {
      const now = await readHolder(file);
      return typeof now === 'object' && now.id === stale.id ? 'claimed' : 'lost';
    }
  }
  try {
    const now = await readHolder(file);
    if (typeof now !== 'object' || now.id !== stale.id) return 'lost';
    await unlink(file);
    return (await create(file, written)) ? 'held' : 'lost';
  } finally {
    await rm(claim, { force: true }).catch(() => undefined);
  }
}

function claimFile(stateDir: string, stale: Holder): string {
  return join(stateDir, `.lock.${stale.id}.tmp`);
}

/** Whether `path` did not exist and is now a file with the content of `written`. */
async function create(path: string, written: string): Promise<boolean> {
  try {
    await link(written, path).catch((error: unknown) => {
      if (!NO_LINKS.has(errnoOf(error))) throw error;
      return copyFile(written, path, constants.COPYFILE_EXCL);
    });
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

async function release(file: string, own: Holder): Promise<void> {
  try {
    const holder = await readHolder(file);
    if (typeof holder === 'object' && holder.id === own.id) await unlink(file);
  } catch (error) {
    // What stays behind is broken by whoever comes next.
    if (errnoOf(error) === undefined) throw error;
  }
}

async function readHolder(file: string): Promise<Holder | 'none' | 'unreadable'> {
  try {
    return parseHolder(await readStateJson(file)) ?? 'unreadable';
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 'none';
    if (error instanceof FileError) return 'unreadable';
    throw error;
  }
}

function parseHolder(value: JsonValue | undefined): Holder | undefined {
  if (!isJsonObject(value)) return undefined;
  const { id, pid, host, started, boot, purpose, since } = value;
  // It becomes a part of a path.
  if (typeof id !== 'string' || !/^[0-9a-f]{1,64}$/.test(id)) return undefined;
  // 0 and below name groups of processes.
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 0) return undefined;
  if (typeof host !== 'string' || typeof purpose !== 'string' || typeof since !== 'string') return undefined;
  const textOrNull = (field: JsonValue | undefined) => (typeof field === 'string' ? field : null);
  return { id, pid, host, started: textOrNull(started), boot: textOrNull(boot), purpose, since };
}

/** Where it cannot be known, as on another machine, the answer is yes. */
async function isAlive(holder: Holder): Promise<boolean> {
  if (holder.host !== hostname()) return true;
  const boot = await bootId();
  if (holder.boot !== null && boot !== null && holder.boot !== boot) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // EPERM: it is there, and another user's.
    if (errnoOf(error) === 'ESRCH') return false;
  }
  const found = await processOf(holder.pid);
  if (found === undefined) return true;
  return !found.ended && (holder.started === null || holder.started === found.started);
}

async function bootId(): Promise<string | null> {
  const text = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => undefined);
  return text === undefined ? null : text.trim();
}

function held(file: string, { pid, host, purpose, since }: Holder): LockProblem {
  const where = host === hostname() ? '' : ` on ${host}`;
  const holder = `process ${pid}${where} (${purpose})`;
  return {
    message: `another waveplan works with this state folder: ${holder}, since ${since}`,
    hint: `wait for it with --lock-wait DURATION, or use another folder with --state-dir DIR; if there is no such process, remove ${file}`,
    holder,
  };
}

function beingBroken(stateDir: string, stale: Holder): EnvironmentProblem {
  return {
    message: `another waveplan is just breaking the lock that process ${stale.pid} left behind`,
    hint: `try again; if there is no other waveplan, remove ${claimFile(stateDir, stale)}`,
  };
}

function unreadable(file: string): EnvironmentProblem {
  return { message: `the lock ${file} cannot be read`, hint: `try again; if no other waveplan is at work, remove ${file}` };
}

function brokenWarning({ pid, purpose, since }: Holder): string {
  return `the lock of process ${pid} (${purpose}, since ${since}) was broken: the process ended without releasing it`;
}
