import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { STOP_GRACE_MS } from './action.js';
import { keptEnvironment } from './kept-environment.js';

/** How a process group ended. */
export type GroupEnd =
  | { readonly kind: 'exit'; readonly code: number }
  | { readonly kind: 'signal'; readonly signal: NodeJS.Signals }
  | { readonly kind: 'not-started'; readonly message: string };

/** What to start, and where its output goes. */
export interface GroupOptions {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Ends the group when it aborts: TERM, then KILL after the grace. */
  readonly signal: AbortSignal;
  /** Written to the command's standard input, which is then closed. Absent: it has none. */
  readonly stdin?: string | undefined;
  readonly onStdout: (chunk: Buffer) => void;
  readonly onStderr: (chunk: Buffer) => void;
  /** Told when a process that the leader left behind holds its output. */
  readonly onLeft?: (() => void) | undefined;
  /** Told when the group exists, so that somebody else can end it if this thread cannot. */
  readonly onStart?: (pid: number) => void;
}

/** After the leader's end, how long output that is still in the pipes is waited for. */
const DRAIN_MS = 100;

/**
 * Runs a command as the leader of a process group of its own and resolves when the leader has ended
 * and its output was read. Whatever the leader left running in its group is ended then: a subtask
 * that is over leaves nothing behind. Never rejects.
 */
export function runGroup(options: GroupOptions): Promise<GroupEnd> {
  const [program, ...args] = options.argv;
  return new Promise((resolve) => {
    if (program === undefined || program === '') {
      resolve({ kind: 'not-started', message: 'there is no program to start' });
      return;
    }
    let child: ReturnType<typeof spawn>;
    try {
      child = spawn(program, args, {
        cwd: options.cwd,
        env: { ...keptEnvironment(), ...options.env },
        stdio: [options.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
        detached: true,
      });
    } catch (error) {
      resolve({ kind: 'not-started', message: startMessage(program, error, options.cwd) });
      return;
    }
    const { pid } = child;
    // A command may end without having read it all; its own end tells what that means.
    child.stdin?.on('error', () => {});
    child.stdin?.end(options.stdin);
    child.stdout?.on('data', options.onStdout);
    child.stderr?.on('data', options.onStderr);
    if (pid !== undefined) options.onStart?.(pid);

    let killTimer: NodeJS.Timeout | undefined;
    const stop = () => {
      if (pid === undefined) return;
      signalGroup(pid, 'SIGTERM');
      killTimer = setTimeout(() => signalGroup(pid, 'SIGKILL'), STOP_GRACE_MS);
    };
    if (options.signal.aborted) stop();
    else options.signal.addEventListener('abort', stop, { once: true });

    let settled = false;
    const settle = (end: GroupEnd) => {
      if (settled) return;
      settled = true;
      options.signal.removeEventListener('abort', stop);
      clearTimeout(killTimer);
      if (pid !== undefined) endLeftovers(pid);
      resolve(end);
    };
    child.on('error', (error) => settle({ kind: 'not-started', message: startMessage(program, error, options.cwd) }));
    child.on('exit', (code, signal) => {
      const end: GroupEnd = signal === null ? { kind: 'exit', code: code ?? 0 } : { kind: 'signal', signal };
      // A background job may hold the pipes open for as long as it likes; the leader's own output is there at once.
      const drained = setTimeout(() => {
        destroy(child.stdout);
        destroy(child.stderr);
        options.onLeft?.();
        settle(end);
      }, DRAIN_MS);
      child.on('close', () => {
        clearTimeout(drained);
        settle(end);
      });
    });
  });
}

/** Sends a signal to a process group; a group that is gone is no error. */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** The exit code that a shell reports for a signal: 128 and its number. */
export function signalExitCode(signal: NodeJS.Signals): number {
  return 128 + (constants.signals[signal] ?? 0);
}

/** What is being ended in this thread. */
export const ending = new Set<Promise<void>>();

/** How often a group that was told to end is looked at: most are gone at once. */
const FIRST_LOOK_MS = 1;
const LOOK_MS = 20;

/** Resolves when no group that this thread told to end is left. A thread must not end before: it would leave them behind. */
export async function leftoversEnded(): Promise<void> {
  while (ending.size > 0) await Promise.all(ending);
}

/** Tells what is left of a group to end, and ends it after the grace. */
export function endLeftovers(pid: number): void {
  if (!signalGroup(pid, 'SIGTERM')) return;
  const ended = new Promise<void>((resolve) => {
    const look = (waitedMs: number) => {
      const late = waitedMs >= STOP_GRACE_MS;
      if (late) signalGroup(pid, 'SIGKILL');
      if (late || !isAlive(pid)) resolve();
      else {
        const ms = Math.min(LOOK_MS, waitedMs + FIRST_LOOK_MS, STOP_GRACE_MS - waitedMs);
        setTimeout(() => look(waitedMs + ms), ms);
      }
    };
    look(0);
  }).then(() => {
    ending.delete(ended);
  });
  ending.add(ended);
}

function isAlive(group: number): boolean {
  try {
    process.kill(-group, 0);
    return true;
  } catch {
    return false;
  }
}

function destroy(stream: Readable | null): void {
  stream?.destroy();
}

/** Why a program could not be started, for a user. */
export function startMessage(program: string, error: unknown, cwd: string): string {
  const code = (error as NodeJS.ErrnoException).code;
  switch (code) {
    case 'ENOENT':
      return `cannot start ${program}: no such program, or no such folder ${cwd}`;
    case 'EACCES':
      return `cannot start ${program}: it may not be executed, or ${cwd} may not be entered`;
    case 'E2BIG':
      return `cannot start ${program}: arguments and environment are larger than the system allows (a single one may hold 128 KiB)`;
    default:
      return `cannot start ${program}: ${error instanceof Error ? error.message : String(error)}`;
  }
}
