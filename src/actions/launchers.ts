import { accessSync, constants, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { isShell, type LaunchOrder, launchScript } from './launch-script.js';
import { Launcher } from './launcher.js';
import { type GroupEnd, startMessage } from './process-group.js';
import type { Tail } from './tail.js';

/** What a thread's launchers do, told as it happens: whoever ends the thread from outside must end them first. */
export type LauncherListener = (pid: number, state: 'started' | 'ended') => void;

/** Idle launchers that are kept; more were needed once, and cost memory. */
const MOST_IDLE = 64;

const idle: Launcher[] = [];
const all = new Set<Launcher>();
let listener: LauncherListener = () => {};

/** Tells `heard` of the launchers of this thread, from now on. */
export function watchLaunchers(heard: LauncherListener): void {
  listener = heard;
}

/** Ends all launchers of this thread; `leftoversEnded` then waits for what they leave. */
export function endLaunchers(): void {
  idle.length = 0;
  for (const launcher of all) launcher.retire();
}

/** A command for a launcher. */
export interface LaunchOptions extends LaunchOrder {
  readonly signal: AbortSignal;
  readonly stdout: Tail;
  readonly stderr: Tail;
  readonly onStart?: (pid: number) => void;
}

/** Runs a command from a launcher of this thread; `undefined` where Node must start it. The promise never rejects. */
export function launch(options: LaunchOptions): Promise<GroupEnd> | undefined {
  const { argv, cwd, env, signal, stdout, stderr, onStart } = options;
  if (signal.aborted || process.platform === 'win32') return undefined;
  const program = isShell(argv) ? 'sh' : programPath(argv[0] ?? '', cwd, env['PATH'] ?? process.env['PATH'] ?? '');
  // What is wrong with a program that is not there, Node says best.
  if (program === undefined) return undefined;
  const script = launchScript({ argv: isShell(argv) ? argv : [program, ...argv.slice(1)], cwd, env });
  const launcher = script === undefined ? undefined : takeLauncher();
  if (script === undefined || launcher === undefined) return undefined;
  if (launcher.pid !== undefined) onStart?.(launcher.pid);
  const noFolder = (): GroupEnd => {
    const code = statSync(cwd, { throwIfNoEntry: false })?.isDirectory() === true ? 'EACCES' : 'ENOENT';
    return { kind: 'not-started', message: startMessage(argv[0] ?? '', Object.assign(new Error(code), { code }), cwd) };
  };
  return launcher.run({ script, signal, stdout, stderr, noFolder }).then((end) => {
    if (launcher.idle && idle.length < MOST_IDLE) idle.push(launcher);
    else launcher.retire();
    return end;
  });
}

/** Undefined where the system gives no process or no file: Node then says why. */
function takeLauncher(): Launcher | undefined {
  for (let launcher = idle.pop(); launcher !== undefined; launcher = idle.pop()) if (launcher.idle) return launcher;
  try {
    const launcher = new Launcher(() => {
      all.delete(launcher);
      if (launcher.pid !== undefined) listener(launcher.pid, 'ended');
    });
    if (launcher.pid === undefined) return undefined;
    all.add(launcher);
    listener(launcher.pid, 'started');
    return launcher;
  } catch {
    return undefined;
  }
}

const found = new Map<string, string>();

/** Where a program is, as `execvp` looks for it; undefined where it is not, or may not be executed. */
function programPath(program: string, cwd: string, path: string): string | undefined {
  if (program.includes('/')) return executable(isAbsolute(program) ? program : join(cwd, program)) ? program : undefined;
  const id = `${program}\0${path}`;
  const known = found.get(id);
  if (known !== undefined && executable(known)) return known;
  for (const folder of path.split(':')) {
    if (!isAbsolute(folder)) continue;
    const candidate = join(folder, program);
    if (!executable(candidate)) continue;
    found.set(id, candidate);
    return candidate;
  }
  return undefined;
}

function executable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
