import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A fact about the outcome, found by another route than the run's own. */
export interface Check {
  readonly what: string;
  /** What is wrong; undefined: it holds. */
  readonly wrong: string | undefined;
}

/** What one scenario came to. */
export interface ScenarioOutcome {
  readonly name: string;
  readonly asked: string;
  readonly size: string;
  readonly agents: number;
  readonly predictedSeconds: number | undefined;
  readonly actualSeconds: number;
  /** One agent, in the same place; `how` says whether all of it was run. */
  readonly sequential: { readonly seconds: number; readonly how: string };
  readonly checks: readonly Check[];
  /** More to know, a line each. */
  readonly notes: readonly string[];
}

/** How large a scenario is, and where it may work. */
export interface ScenarioOptions {
  /** An empty folder of its own. */
  readonly folder: string;
  /** Modules, images or users. */
  readonly size: number;
  readonly seed: number;
}

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const MAIN = join(PROJECT, 'dist/cli/main.js');
const JITI = join(PROJECT, 'node_modules/jiti/lib/jiti-cli.mjs');

/** A check of what must be true. */
export function check(what: string, holds: boolean, otherwise = 'it is not so'): Check {
  return { what, wrong: holds ? undefined : otherwise };
}

/** A check that there is nothing of something. */
export function none(what: string, found: readonly string[]): Check {
  return check(what, found.length === 0, `${found.length}: ${found.slice(0, 5).join(', ')}`);
}

/** Runs a program and resolves with its standard output; rejects with all that it printed when it fails. */
export async function output(argv: readonly string[], cwd: string): Promise<string> {
  const [program = '', ...args] = argv;
  const child = spawn(program, args, { cwd, env: environment(), stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let all = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    all += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    all += text;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${argv.join(' ')} ended with ${code}:\n${all.slice(-4000)}`);
  return out;
}

/** Runs one of the TypeScript programs under `plans/`. */
export function makeInput(program: string, args: readonly string[]): Promise<string> {
  return output([process.execPath, JITI, join(PROJECT, 'plans', program), ...args], PROJECT);
}

/** What a run's own report says of it. */
export interface RunFigures {
  readonly agents: number;
  readonly predictedSeconds: number | undefined;
  readonly actualSeconds: number;
}

/** Runs a plan by the built command, as a user would, and reads the report that it leaves. */
export async function runPlan(plan: string, cwd: string, args: readonly string[] = []): Promise<RunFigures> {
  await output([process.execPath, MAIN, 'run', join(PROJECT, 'plans', plan), '--yes', '--quiet', '--cwd', cwd, ...args], cwd);
  const runs = join(cwd, '.waveplan/runs');
  const last = readdirSync(runs).sort().at(-1) ?? '';
  const { prediction, statistics } = JSON.parse(readFileSync(join(runs, last, 'report.json'), 'utf8'));
  return {
    agents: statistics.peakAgents,
    predictedSeconds: prediction?.predictedSeconds ?? undefined,
    actualSeconds: statistics.totalMs / 1000,
  };
}

/** Brings the files back to what they were before the last run, as a user would. */
export function restore(cwd: string): Promise<string> {
  return output([process.execPath, MAIN, 'restore', '--yes', '--cwd', cwd], cwd);
}

/** A server in a process of its own that prints its address when it listens. */
export interface ServerProcess {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

export async function startServer(program: string, args: readonly string[]): Promise<ServerProcess> {
  const argv = [JITI, join(PROJECT, 'plans', program), ...args];
  const child = spawn(process.execPath, argv, { cwd: PROJECT, env: environment(), stdio: ['ignore', 'pipe', 'inherit'] });
  const url = await firstLine(child);
  const stop = async () => {
    const ended = once(child, 'close');
    child.kill();
    await ended;
  };
  return { url: (JSON.parse(url) as { url: string }).url, stop };
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('a server without standard output');
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error('the server ended before it listened');
}

/** Git with known habits, and no test runner's variables. */
function environment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, ...rest } = process.env;
  return { ...rest, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', NO_COLOR: '1' };
}
