import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { type CliResult, cleanEnv, MAIN } from './cli.js';

/** A command that runs. */
export interface Running {
  readonly pid: number;
  readonly ended: Promise<CliResult>;
  readonly signal: (signal: NodeJS.Signals) => void;
  /** What it printed so far, on both streams. */
  readonly printed: () => string;
}

export interface StartOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Runs the command under another program, such as `['prlimit', '--nofile=40']`. */
  readonly under?: readonly string[];
}

/** Starts the built command and does not wait for it. */
export function start(args: readonly string[], options: StartOptions): Running {
  const [program = '', ...rest] = [...(options.under ?? []), process.execPath, MAIN, ...args];
  const child = spawn(program, rest, { cwd: options.cwd, env: cleanEnv(options.env), stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  const ended = new Promise<CliResult>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr, text: stdout + stderr }));
  });
  if (child.pid === undefined) throw new Error(`${program} did not start`);
  return { pid: child.pid, ended, signal: (signal) => child.kill(signal), printed: () => stdout + stderr };
}

/** Runs the built command under another program to its end. */
export function runUnder(under: readonly string[], args: readonly string[], cwd: string): Promise<CliResult> {
  return start(args, { cwd, under }).ended;
}

/** Runs a shell script; `$WAVEPLAN` is the built command. */
export function script(text: string, cwd: string, under: readonly string[] = []): Promise<CliResult> {
  const [program = '', ...rest] = [...under, 'sh', '-c', text];
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, {
      cwd,
      env: cleanEnv({ WAVEPLAN: `${process.execPath} ${MAIN}` }),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr, text: stdout + stderr }));
  });
}

/** What a test waits for comes within this time, in milliseconds, on a machine that does much else; a test has longer itself. */
export const PATIENCE_MS = 50_000;

/** Resolves when `holds` does; looks every few milliseconds. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  for (const begun = performance.now(); !holds(); ) {
    if (performance.now() - begun > PATIENCE_MS) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The lines of a file that subtasks append to; none where it is not there yet. */
export function linesOf(path: string): readonly string[] {
  return existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
    : [];
}

/** Processes, zombies too, that carry a variable with this value, or had it when they started. */
export function processesOf(run: string): readonly number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      return readFileSync(`/proc/${name}/environ`, 'latin1').split('\0').includes(`WAVEPLAN_RUN=${run}`) ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

/** Whether there is such a process that is not merely waiting for somebody above us to bury it. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}

/** Zombies whose parent is a given process. */
export function zombiesOf(parent: number): readonly number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const [state, ppid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return state === 'Z' && Number(ppid) === parent ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}
