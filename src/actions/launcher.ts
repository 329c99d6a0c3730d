import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { STOP_GRACE_MS } from './action.js';
import { CaptureFile } from './capture-file.js';
import { LAUNCHER_PRELUDE, type LaunchScript } from './launch-script.js';
import { endLeftovers, type GroupEnd, signalGroup } from './process-group.js';
import type { Tail } from './tail.js';

/** How often the output of a running command is looked at. */
const LOOK_MS = 100;

/** A command of a launcher. */
export interface Launch {
  readonly script: LaunchScript;
  /** Ends the group when it aborts: TERM, then KILL after the grace. */
  readonly signal: AbortSignal;
  readonly stdout: Tail;
  readonly stderr: Tail;
  /** What a command is told that could not enter its folder. */
  readonly noFolder: () => GroupEnd;
}

interface Running {
  readonly launch: Launch;
  readonly settle: (end: GroupEnd) => void;
}

/**
 * A small shell that lives as long as its thread and starts one command after the other: from Node itself a start costs
 * several times as much, because a large process takes long to copy. It leads a process group, which is the command's while
 * one runs.
 *
 *   idle --run--> running --status line--> idle
 *                    \--it ended itself, or was killed with its command--> ended
 *   idle --retire--> ended: what its last command left behind is ended with it
 */
export class Launcher {
  readonly #child: ChildProcess;
  readonly #stdout: CaptureFile;
  readonly #stderr: CaptureFile;
  readonly #ended: () => void;
  #running: Running | undefined;
  /** What the shell said since the last status. */
  #said = '';
  #state: 'alive' | 'retired' | 'ended' = 'alive';
  #spawnError: Error | undefined;

  /**
   * Throws the system's error where no process or no file can be had.
   * @param onEnd told when its process is gone.
   */
  constructor(onEnd: () => void) {
    this.#ended = onEnd;
    this.#stdout = new CaptureFile();
    this.#stderr = new CaptureFile();
    this.#child = spawn('sh', [], {
      cwd: '/',
      stdio: ['pipe', this.#stdout.fd, 'pipe', this.#stderr.fd],
      detached: true,
    });
    this.#child.on('error', (error) => {
      this.#spawnError = error;
      this.#end({ kind: 'not-started', message: error.message });
    });
    this.#child.on('exit', (code, signal) => {
      const end: GroupEnd = signal === null ? { kind: 'exit', code: code ?? 0 } : { kind: 'signal', signal };
      this.#end(cannotFork(this.#said) ?? end);
    });
    const { stdin, stderr } = this.#child;
    // A shell that is gone says so by its end.
    stdin?.on('error', () => {});
    stderr?.setEncoding('utf8').on('data', (text: string) => this.#hear(text));
    stdin?.write(LAUNCHER_PRELUDE);
  }

  /** Its process, and the group of its commands; undefined where it did not start. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Whether it can take a command. */
  get idle(): boolean {
    return this.#state === 'alive' && this.#running === undefined;
  }

  /** Runs a command; the launcher must be idle. Never rejects. */
  async run(launch: Launch): Promise<GroupEnd> {
    let killTimer: NodeJS.Timeout | undefined;
    const { pid } = this;
    const stop = () => {
      if (pid === undefined) return;
      signalGroup(pid, 'SIGTERM');
      killTimer = setTimeout(() => signalGroup(pid, 'SIGKILL'), STOP_GRACE_MS);
    };
    const end = await new Promise<GroupEnd>((settle) => {
      this.#running = { launch, settle };
      if (this.#state === 'ended') this.#settle({ kind: 'not-started', message: this.#spawnError?.message ?? 'no shell' });
      else this.#child.stdin?.write(launch.script.text);
      launch.signal.addEventListener('abort', stop, { once: true });
      this.#boundLater();
    });
    launch.signal.removeEventListener('abort', stop);
    clearTimeout(killTimer);
    // What was told to end, or puts work into the background, may leave something that ignores the request.
    if (killTimer !== undefined || launch.script.backgrounds) this.retire();
    return end;
  }

  /** Ends it, and what its commands left behind. */
  retire(): void {
    if (this.#state !== 'alive') return;
    this.#state = 'retired';
    this.#child.stdin?.end();
    if (this.pid !== undefined) endLeftovers(this.pid);
  }

  #hear(text: string): void {
    this.#said += text;
    const status = /^=(cd|\d+)\n/m.exec(this.#said);
    if (status === null) return;
    const noise = this.#said.slice(0, status.index).trim();
    this.#said = this.#said.slice(status.index + status[0].length);
    const running = this.#running;
    if (running === undefined) return;
    const { script, noFolder } = running.launch;
    const end = status[1] === 'cd' ? noFolder() : endOf(Number(status[1]), script.direct, noise);
    this.#settle(cannotFork(noise) ?? end);
  }

  #settle(end: GroupEnd): void {
    const running = this.#running;
    if (running === undefined) return;
    this.#running = undefined;
    this.#stdout.read(running.launch.stdout);
    this.#stderr.read(running.launch.stderr);
    running.settle(end);
  }

  #end(end: GroupEnd): void {
    if (this.#state === 'ended') return;
    const { pid } = this;
    if (this.#state === 'alive' && pid !== undefined) endLeftovers(pid);
    this.#state = 'ended';
    this.#settle(end);
    this.#stdout.close();
    this.#stderr.close();
    this.#ended();
  }

  /** Only commands that run for a while can write much. */
  #boundLater(): void {
    const bounded = this.#running;
    const timer = setTimeout(() => {
      if (this.#running !== bounded || bounded === undefined) return;
      this.#stdout.bound(bounded.launch.stdout);
      this.#stderr.bound(bounded.launch.stderr);
      this.#boundLater();
    }, LOOK_MS).unref();
    if (this.#running === undefined) clearTimeout(timer);
  }
}

/** What the launcher's own shell says when it may start no more processes; the command was not begun then. */
function cannotFork(said: string): GroupEnd | undefined {
  if (!/cannot fork|fork: /i.test(said)) return undefined;
  return { kind: 'not-started', message: 'cannot start a process: EAGAIN (the system allows no more, or has no memory for it)' };
}

/** Signals of which a shell says nothing when they end a program. */
const SILENT: readonly NodeJS.Signals[] = ['SIGINT', 'SIGPIPE'];

/** A shell says of a program that a signal ended: 128 and the signal's number, and in words what happened. */
function endOf(status: number, direct: boolean, noise: string): GroupEnd {
  const signal = status > 128 ? signalOf(status - 128) : undefined;
  if (signal !== undefined && (noise !== '' || (direct && SILENT.includes(signal)))) return { kind: 'signal', signal };
  return { kind: 'exit', code: status };
}

function signalOf(number: number): NodeJS.Signals | undefined {
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  return found?.[0] as NodeJS.Signals | undefined;
}
