import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { STOP_GRACE_MS } from './action.js';
import { keptEnvironment } from './kept-environment.js';
import { END_GROUP, LAUNCHER_PRELUDE, type LaunchScript, LEAVE_PIPES, STDERR_PIPE, STDOUT_PIPE } from './launch-script.js';
import { OutputPipe } from './output-pipe.js';
import { endLeftovers, type GroupEnd, signalGroup } from './process-group.js';
import type { Tail } from './tail.js';

/** When the output of a command is first looked at, whether there is so much that its pipes may be full. */
const FIRST_LOOK_MS = 4;
const MUCH_BYTES = 16 * 1024;
/** After the first look, when the output of any command that still runs is read as it comes. */
const FOLLOW_MS = 20;
/** After a command's end, how long output is waited for that others of its group may still write. */
const WRITERS_MS = 10;
/** How long the standard error of a launcher that has ended is waited for; it mostly is there at once. */
const LAST_WORDS_MS = 200;

/** A command of a launcher. */
export interface Launch {
  readonly script: LaunchScript;
  /** Ends the group when it aborts: TERM, then KILL after the grace. */
  readonly signal: AbortSignal;
  readonly stdout: Tail;
  readonly stderr: Tail;
  /** What a command is told that could not enter its folder. */
  readonly noFolder: () => GroupEnd;
  /** Told when a process that the command left behind holds its output; `group` is the launcher's. */
  readonly left: (group: number | undefined) => void;
}

interface Running {
  readonly launch: Launch;
  readonly settle: (end: LaunchEnd) => void;
}

/** How a command ended; undefined where it was not begun, because it could have no pipes for its output. */
export type LaunchEnd = GroupEnd | undefined;

interface Pipes {
  readonly stdout: OutputPipe;
  readonly stderr: OutputPipe;
}

/**
 * A small shell that lives as long as its thread and starts one command after the other: from Node itself a start costs
 * several times as much, because a large process takes long to copy. It leads a process group, which is the command's while
 * one runs.
 *
 *   starting --its pipes are open--> idle --run--> running --status line--> idle
 *                                     |  \--it ended itself, or was killed with its command--> ended
 *                                     \--retire--> ended: what its last command left behind is ended with it
 *
 * The pipes for output serve one command after the other for as long as each leaves them at their end. Where a process still
 * holds one, the launcher retires with them, so that nothing which that process writes can reach another command.
 */
export class Launcher {
  readonly #child: ChildProcess;
  readonly #ended: () => void;
  #pipes: Pipes | undefined;
  #running: Running | undefined;
  /** For the first look at a command's output, or at what an idle launcher's group left behind; set again for each. */
  #looking: NodeJS.Timeout | undefined;
  #following: NodeJS.Timeout | undefined;
  /** The group was not told to end since its last command. */
  #unswept = false;
  /** What the shell said since the last status. */
  #said = '';
  #state: 'starting' | 'alive' | 'retired' | 'ended' = 'starting';
  /** The command has ended; its last output is read. */
  #settling = false;
  #pipeless = false;
  #spawnError: Error | undefined;

  /**
   * Throws the system's error where no process can be had.
   * @param variables laid over the environment of this process, for whatever the shell starts.
   * @param onEnd told when its process is gone.
   */
  constructor(variables: Readonly<Record<string, string>>, onEnd: () => void) {
    this.#ended = onEnd;
    this.#child = spawn('sh', [], {
      cwd: '/',
      env: { ...keptEnvironment(), ...variables },
      stdio: ['pipe', 'ignore', 'pipe'],
      detached: true,
    });
    this.#child.on('error', (error) => {
      this.#spawnError = error;
      this.#end({ kind: 'not-started', message: error.message });
    });
    this.#child.on('exit', (code, signal) => {
      const end: GroupEnd = signal === null ? { kind: 'exit', code: code ?? 0 } : { kind: 'signal', signal };
      const over = () => this.#end(cannotFork(this.#said) ?? end);
      if (this.#running === undefined) over();
      else {
        // Its last words, that it could not fork, may come after its exit.
        this.#child.once('close', over);
        setTimeout(over, LAST_WORDS_MS);
      }
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

  /** Its shell makes no pipes. */
  get pipeless(): boolean {
    return this.#pipeless;
  }

  /** Runs a command; the launcher must be new or idle. Never rejects. */
  async run(launch: Launch): Promise<LaunchEnd> {
    let killTimer: NodeJS.Timeout | undefined;
    const { pid } = this;
    const stop = () => {
      if (pid === undefined) return;
      signalGroup(pid, 'SIGTERM');
      killTimer = setTimeout(() => signalGroup(pid, 'SIGKILL'), STOP_GRACE_MS);
    };
    const end = await new Promise<LaunchEnd>((settle) => {
      this.#running = { launch, settle };
      if (this.#state === 'ended') this.#settle({ kind: 'not-started', message: this.#spawnError?.message ?? 'no shell' });
      else if (this.#state === 'alive') this.#begin();
      launch.signal.addEventListener('abort', stop, { once: true });
    });
    launch.signal.removeEventListener('abort', stop);
    clearTimeout(killTimer);
    // What was told to end, or puts work into the background, may leave something that ignores the request.
    if (killTimer !== undefined || launch.script.backgrounds) this.retire();
    return end;
  }

  /** Ends it, and what its commands left behind. */
  retire(): void {
    if (this.#state === 'retired' || this.#state === 'ended') return;
    this.#state = 'retired';
    this.#child.stdin?.end();
    if (this.pid !== undefined) endLeftovers(this.pid);
  }

  #begin(): void {
    if (this.#running === undefined || this.#pipes === undefined) return;
    const { script } = this.#running.launch;
    const { stdout, stderr } = this.#pipes;
    const text = script.text(stdout.path, stderr.path);
    this.#child.stdin?.write(this.#unswept ? END_GROUP + text : text);
    this.#unswept = true;
    if (this.#looking === undefined) this.#looking = setTimeout(() => this.#look(), FIRST_LOOK_MS).unref();
    else this.#looking.refresh();
  }

  #look(): void {
    if (this.#running === undefined) this.#sweep();
    if (this.#running === undefined || this.#settling) return;
    this.#readEach((pipe, tail) => {
      const before = tail.total;
      pipe.drain(tail);
      if (tail.total - before >= MUCH_BYTES) pipe.follow(tail);
    });
    const follow = () => this.#readEach((pipe, tail) => pipe.follow(tail) || this.#following?.refresh());
    this.#following = setTimeout(follow, FOLLOW_MS).unref();
  }

  #readEach(read: (pipe: OutputPipe, tail: Tail) => void): void {
    if (this.#running === undefined || this.#pipes === undefined) return;
    const { stdout, stderr } = this.#running.launch;
    read(this.#pipes.stdout, stdout);
    read(this.#pipes.stderr, stderr);
  }

  /** The next command's shell ends what is left of the last one's group. Where none comes at once, it is done from here. */
  #sweep(): void {
    if (!this.#unswept || !this.idle || this.pid === undefined) return;
    this.#unswept = false;
    signalGroup(this.pid, 'SIGTERM');
  }

  #hear(text: string): void {
    this.#said += text;
    const status = /^=(ready|cd|\d+)\n/m.exec(this.#said);
    if (status === null) return;
    const noise = this.#said.slice(0, status.index).trim();
    this.#said = this.#said.slice(status.index + status[0].length);
    if (status[1] === 'ready') {
      this.#ready();
      return;
    }
    const running = this.#running;
    if (running === undefined) return;
    const { script, noFolder } = running.launch;
    if (this.#pipes !== undefined && cannotOpen(noise, this.#pipes)) {
      this.#settle(undefined);
      return;
    }
    if (status[1] === 'cd') this.#settle(noFolder());
    else this.#settle(cannotFork(noise) ?? endOf(Number(status[1]), script.direct, noise));
  }

  /** The shell has pipes. */
  #ready(): void {
    const { pid } = this;
    if (this.#state !== 'starting' || pid === undefined) return;
    const pipes = pipesOf(pid);
    if (pipes === undefined || pipes === 'none') {
      this.#pipeless = pipes === 'none';
      this.retire();
      this.#settle(undefined);
      return;
    }
    this.#pipes = pipes;
    this.#state = 'alive';
    this.#child.stdin?.write(LEAVE_PIPES);
    this.#begin();
  }

  /** The command has ended. What it left in its group may still write what belongs to it, but not for long. */
  #settle(end: LaunchEnd): void {
    const running = this.#running;
    if (running === undefined || this.#settling) return;
    this.#settling = true;
    clearTimeout(this.#following);
    if (this.#drained(running.launch)) {
      this.#finish(running, end, false);
      return;
    }
    const until = performance.now() + WRITERS_MS;
    const look = () => {
      const isAtEnd = this.#drained(running.launch);
      if (isAtEnd || this.#state === 'ended' || performance.now() > until) this.#finish(running, end, !isAtEnd);
      else setImmediate(look);
    };
    look();
  }

  /** @param held whether a process that the command left behind still holds its output. */
  #finish({ launch, settle }: Running, end: LaunchEnd, held: boolean): void {
    this.#running = undefined;
    this.#settling = false;
    if (held) {
      this.retire();
      launch.left(this.pid);
    } else this.#looking?.refresh();
    if (this.#state !== 'alive') this.#closePipes();
    settle(end);
  }

  #drained({ stdout, stderr }: Launch): boolean {
    const pipes = this.#pipes;
    if (pipes === undefined) return true;
    pipes.stdout.unfollow();
    pipes.stderr.unfollow();
    const [isOut, isErr] = [pipes.stdout.drain(stdout), pipes.stderr.drain(stderr)];
    return isOut && isErr;
  }

  #closePipes(): void {
    this.#pipes?.stdout.close();
    this.#pipes?.stderr.close();
    this.#pipes = undefined;
  }

  #end(end: GroupEnd): void {
    if (this.#state === 'ended') return;
    const { pid } = this;
    if (this.#state !== 'retired' && pid !== undefined) endLeftovers(pid);
    this.#state = 'ended';
    if (this.#running === undefined) this.#closePipes();
    else this.#settle(end);
    this.#ended();
  }
}

/** Undefined where this process has no descriptors for them; `none` where the shell made no pipes. */
function pipesOf(pid: number): Pipes | 'none' | undefined {
  let stdout: OutputPipe | undefined;
  try {
    stdout = OutputPipe.ofProcess(pid, STDOUT_PIPE);
    const stderr = OutputPipe.ofProcess(pid, STDERR_PIPE);
    if (stdout !== undefined && stderr !== undefined) return { stdout, stderr };
    stdout?.close();
    return 'none';
  } catch {
    // Node, which starts the command then, says what is wrong.
    stdout?.close();
    return undefined;
  }
}

/** What the launcher's own shell says when it cannot open a pipe; the command was not begun then. */
function cannotOpen(said: string, { stdout, stderr }: Pipes): boolean {
  return said.includes(stdout.path) || said.includes(stderr.path);
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
