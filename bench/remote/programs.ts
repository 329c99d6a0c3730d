import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { endsWithThis } from './children.ts';

export const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
/** What coordinators and workers share here. */
const KEY = 'a key of this bench and of nothing else';
/** What is waited for comes within this time, in milliseconds. */
const PATIENCE_MS = 30_000;

/** The built command, running. */
export interface Program {
  readonly pid: number;
  /** How it ended: its exit code, or the signal. */
  readonly ended: Promise<number | NodeJS.Signals>;
  /** What it printed so far, on both streams. */
  readonly printed: () => string;
  readonly signal: (signal: NodeJS.Signals) => void;
  /** Ends it at once. */
  readonly kill: () => Promise<void>;
}

/** Starts the built command. @param under what it runs under, such as a network namespace. */
export function startWaveplan(
  args: readonly string[],
  options: { readonly cwd: string; readonly under?: readonly string[] },
): Program {
  const { cwd, under = [] } = options;
  const [program = '', ...rest] = [...under, process.execPath, MAIN, ...args];
  const child = spawn(program, rest, { cwd, env: environment(), stdio: ['ignore', 'pipe', 'pipe'] });
  endsWithThis(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
  }
  const ended = endOf(child);
  const { pid } = child;
  if (pid === undefined) throw new Error(`${program} did not start`);
  const kill = async () => {
    child.kill('SIGKILL');
    // One that is stopped is not ended by every kernel before it goes on.
    child.kill('SIGCONT');
    await ended;
  };
  return { pid, ended, printed: () => text, signal: (signal) => void child.kill(signal), kill };
}

async function endOf(child: ChildProcess): Promise<number | NodeJS.Signals> {
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return code ?? signal ?? -1;
}

/** Starts a worker; resolves when it says that it is there. */
export async function startWorker(
  redis: string,
  options: {
    readonly root: string;
    readonly agents: number;
    readonly under?: readonly string[];
    readonly args?: readonly string[];
  },
): Promise<Program> {
  const { root, agents, under, args = [] } = options;
  const command = ['worker', '--redis', redis, '--root', root, '--agents', String(agents), ...args];
  const worker = startWaveplan(command, { cwd: root, ...(under && { under }) });
  const there = until(() => /\bworker\b.*\bagents?\b/.test(worker.printed()), 'a worker to start');
  const ended = worker.ended.then((how) => {
    throw new Error(`a worker ended with ${how}: ${worker.printed()}`);
  });
  ended.catch(() => {});
  try {
    await Promise.race([there, ended]);
  } catch (error) {
    await worker.kill();
    throw error;
  }
  return worker;
}

/** Resolves when `holds` does; looks every few milliseconds. */
export async function until(holds: () => boolean, what: string, patienceMs = PATIENCE_MS): Promise<void> {
  for (const begun = performance.now(); !holds(); ) {
    if (performance.now() - begun > patienceMs) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** With the key, a git of known habits, and no test runner's variables. */
function environment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, ...rest } = process.env;
  return { ...rest, WAVEPLAN_KEY: KEY, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', NO_COLOR: '1' };
}
