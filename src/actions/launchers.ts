import { accessSync, constants, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { keptEnvironment } from './kept-environment.js';
import { type LaunchOrder, launchScript, shellText } from './launch-script.js';
import { Launcher } from './launcher.js';
import { endEscaped, RUN_VARIABLE } from './leftovers.js';
import { type GroupEnd, startMessage } from './process-group.js';
import type { Tail } from './tail.js';

/** What a thread's launchers do, told as it happens: whoever ends the thread from outside must end them first. */
export type LauncherListener = (pid: number, state: 'started' | 'ended') => void;

/** Idle launchers that are kept; more were needed once, and cost memory. */
const MOST_IDLE = 64;

/** By run: a process that starts as a copy of its launcher shows the environment of that one. */
const idle = new Map<string, Launcher[]>();
const all = new Map<Launcher, string>();
let listener: LauncherListener = () => {};
/** No shell of this system makes pipes: Node starts the commands then. */
let pipeless = process.platform !== 'linux';

/** Tells `heard` of the launchers of this thread, from now on. */
export function watchLaunchers(heard: LauncherListener): void {
  listener = heard;
}

/** Ends the launchers of this thread, or those for one run; `leftoversEnded` then waits for what they leave. */
export function endLaunchers(run?: string): void {
  for (const [launcher, its] of all) {
    if (run !== undefined && its !== run) continue;
    launcher.retire();
    idle.delete(its);
  }
}

/** A command for a launcher. */
export interface LaunchOptions extends LaunchOrder {
  readonly signal: AbortSignal;
  readonly stdout: Tail;
  readonly stderr: Tail;
  readonly mark: string;
  readonly onStart?: (pid: number) => void;
}

/** Runs a command from a launcher of this thread; `undefined` where Node must start it. The promise never rejects. */
export async function launch(options: LaunchOptions): Promise<GroupEnd | undefined> {
  const { argv, cwd, env, stdin, signal, stdout, stderr, mark, onStart } = options;
  if (signal.aborted || pipeless) return undefined;
  const isShell = shellText(argv) !== undefined;
  const program = isShell ? 'sh' : programPath(argv[0] ?? '', cwd, env['PATH'] ?? keptEnvironment()['PATH'] ?? '');
  // What is wrong with a program that is not there, Node says best.
  if (program === undefined) return undefined;
  const script = launchScript({ argv: isShell ? argv : [program, ...argv.slice(1)], cwd, env, stdin, mark });
  const run = env[RUN_VARIABLE] ?? '';
  const launcher = script === undefined ? undefined : takeLauncher(run);
  if (script === undefined || launcher === undefined) return undefined;
  if (launcher.pid !== undefined) onStart?.(launcher.pid);
  const noFolder = (): GroupEnd => {
    const code = statSync(cwd, { throwIfNoEntry: false })?.isDirectory() === true ? 'EACCES' : 'ENOENT';
    return { kind: 'not-started', message: startMessage(argv[0] ?? '', Object.assign(new Error(code), { code }), cwd) };
  };
  const left = (group: number | undefined) => endEscaped(mark, group);
  const end = await launcher.run({ script, signal, stdout, stderr, noFolder, left });
  if (launcher.pipeless) pipeless = true;
  const others = idle.get(run);
  if (!launcher.idle || (others?.length ?? 0) >= MOST_IDLE) launcher.retire();
  else if (others === undefined) idle.set(run, [launcher]);
  else others.push(launcher);
  return end;
}

/** Undefined where the system gives no process: Node then says why. */
function takeLauncher(run: string): Launcher | undefined {
  const others = idle.get(run) ?? [];
  for (let launcher = others.pop(); launcher !== undefined; launcher = others.pop()) if (launcher.idle) return launcher;
  try {
    const launcher = new Launcher(run === '' ? {} : { [RUN_VARIABLE]: run }, () => {
      all.delete(launcher);
      if (launcher.pid !== undefined) listener(launcher.pid, 'ended');
    });
    if (launcher.pid === undefined) return undefined;
    all.set(launcher, run);
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
