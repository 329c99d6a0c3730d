import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** Whether a program is installed. */
export function isInstalled(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}

/** Runs a command to its end; milliseconds. Throws where it fails. */
export function timeCommand(argv: readonly string[], folder: string): number {
  const [program = '', ...args] = argv;
  const begun = performance.now();
  execFileSync(program, args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  return performance.now() - begun;
}

/** Runs the built command; milliseconds from its start to its end. */
export function timeWaveplan(args: readonly string[], folder: string): number {
  return timeCommand([process.execPath, MAIN, ...args], folder);
}

/** What a run's own report says. */
export interface RunReport {
  readonly statistics: { readonly wavesMs: number };
  readonly waves: readonly { readonly durationMs: number; readonly subtasks: number }[];
  readonly barrier?: { readonly seconds: number };
}

/** Runs a plan with `--quiet`, and gives its report, with the time between the first start of a subtask and the last end. */
export function runPlan(args: readonly string[], folder: string): RunReport & { readonly makespanMs: number } {
  timeWaveplan(['run', ...args, '--yes', '--quiet'], folder);
  const runs = join(folder, '.waveplan', 'runs');
  const run = readdirSync(runs).sort().at(-1) ?? '';
  const report = JSON.parse(readFileSync(join(runs, run, 'report.json'), 'utf8')) as RunReport;
  const spans = readdirSync(join(runs, run))
    .filter((name) => /^wave\d+\.ndjson$/.test(name))
    .flatMap((name) =>
      readFileSync(join(runs, run, name), 'utf8')
        .trim()
        .split('\n'),
    )
    .map((line) => JSON.parse(line) as { readonly started: number; readonly duration_ms: number });
  const first = spans.reduce((least, { started }) => Math.min(least, started), Number.POSITIVE_INFINITY);
  const last = spans.reduce((most, { started, duration_ms }) => Math.max(most, started + duration_ms), 0);
  rmSync(runs, { recursive: true });
  return { ...report, makespanMs: last - first };
}

/** Runs the built command and looks at its memory while it runs: the most that it ever had, in megabytes. */
export async function peakMemory(
  args: readonly string[],
  folder: string,
): Promise<{ readonly ms: number; readonly megabytes: number }> {
  const begun = performance.now();
  const child = spawn(process.execPath, [MAIN, ...args], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  let kilobytes = 0;
  const look = () => {
    try {
      const found = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1];
      kilobytes = Math.max(kilobytes, Number(found ?? 0));
    } catch {
      // It has just ended.
    }
  };
  const timer = setInterval(look, 20);
  const code = await new Promise((resolve) => child.on('exit', resolve));
  clearInterval(timer);
  if (code !== 0) throw new Error(`waveplan ${args.join(' ')} ended with ${code}`);
  return { ms: performance.now() - begun, megabytes: kilobytes / 1024 };
}
