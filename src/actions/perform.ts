import type { Failure } from '../model/failure.js';
import type { JsonValue } from '../model/json.js';
import { unreachable } from '../model/result.js';
import { type ActionOutcome, STOP_GRACE_MS, type SubtaskRequest } from './action.js';
import { performBuiltIn } from './builtin/perform-built-in.js';
import { captureCommand, OUTPUT_WHOLE_BYTES, runCommand } from './command.js';
import { describeError, loadTaskFunction, stackOf, toJson } from './module.js';
import type { SubtaskLog } from './subtask-log.js';
import type { ExecResult, TaskContext } from './task-context.js';

/** What `context.results` rejects with for a task that may not be read. */
export function unreadable(task: string): Error {
  return new Error(`context.results('${task}'): there is no such task among this task's needs, direct or indirect`);
}

/** What an attempt needs from the thread that hosts it. */
export interface Host {
  /** The results of an earlier task, asked from the coordinator; rejects for a task that may not be read. */
  readonly results: (task: string) => Promise<JsonValue>;
  /** A process group was started on the subtask's behalf. */
  readonly groupStarted: (pid: number) => void;
  /** Milliseconds since the epoch on the run's monotonic time line. */
  readonly now: () => number;
}

type Work = { readonly failure: Failure | undefined; readonly results: JsonValue; readonly leaked: boolean };

/**
 * Makes one attempt at a subtask: the work, its time-out and its cancellation. Never rejects.
 * A command is ended by its process group; a module is asked by `context.signal` and, if it does not
 * end within the grace, its outcome is reported as `leaked`: JavaScript cannot be ended from inside.
 */
export async function perform(request: SubtaskRequest, cancel: AbortSignal, log: SubtaskLog, host: Host): Promise<ActionOutcome> {
  const started = host.now();
  const timeout = new AbortController();
  const timer = request.timeoutMs === undefined ? undefined : setTimeout(() => timeout.abort(), request.timeoutMs);
  const signal = AbortSignal.any([cancel, timeout.signal]);
  const work = await workOf(request, signal, log, host);
  clearTimeout(timer);
  // Work that ended by itself in the very moment of its time-out counts as what it is.
  const stopped = work.failure === undefined ? undefined : stopFailure(request, cancel, timeout.signal);
  return {
    failure: stopped ?? work.failure,
    results: work.results,
    log: log.text(),
    started,
    durationMs: Math.max(0, host.now() - started),
    leaked: work.leaked,
  };
}

function workOf(request: SubtaskRequest, signal: AbortSignal, log: SubtaskLog, host: Host): Promise<Work> {
  const { action } = request;
  switch (action.kind) {
    case 'command':
      return performCommand(request, signal, host);
    case 'module':
      return performModule(request, signal, log, host);
    case 'builtin':
      return performBuiltIn(action, { ...request, signal, log, groupStarted: host.groupStarted });
    default:
      return unreachable(action);
  }
}

function stopFailure(request: SubtaskRequest, cancel: AbortSignal, timeout: AbortSignal): Failure | undefined {
  if (timeout.aborted) return timeoutFailure(request.timeoutMs ?? 0);
  if (cancel.aborted) return { kind: 'cancelled', message: 'cancelled: the run was stopped' };
  return undefined;
}

/** The failure of a subtask whose time was up. */
export function timeoutFailure(timeoutMs: number): Failure {
  return { kind: 'timeout', message: `timed out after ${timeoutMs} ms` };
}

async function performCommand(request: SubtaskRequest, signal: AbortSignal, host: Host): Promise<Work> {
  const { action, cwd, env } = request;
  if (action.kind !== 'command') throw new Error('Internal error: not a command');
  const outcome = await runCommand({ argv: action.argv, cwd, env, output: action.output, signal, onStart: host.groupStarted });
  return { ...outcome, leaked: false };
}

async function performModule(request: SubtaskRequest, signal: AbortSignal, log: SubtaskLog, host: Host): Promise<Work> {
  const { action } = request;
  if (action.kind !== 'module') throw new Error('Internal error: not a module');
  const found = await log.attribute(() => loadTaskFunction(action.file, action.exportName));
  if (!found.ok) return { failure: found.error, results: null, leaked: false };
  const context: TaskContext = {
    signal,
    log: (text) => log.write(`${text}\n`),
    item: request.item,
    index: request.index,
    attempt: request.attempt,
    folder: request.folder,
    results: host.results,
    exec: (argv, options) =>
      exec(argv, { cwd: options?.cwd ?? request.cwd, env: { ...request.env, ...options?.env } }, signal, host),
  };
  const work = log.attribute(async (): Promise<Work> => {
    try {
      const json = toJson(await found.value(action.input, context));
      return json.ok
        ? { failure: undefined, results: json.value, leaked: false }
        : { failure: json.error, results: null, leaked: false };
    } catch (error) {
      return { failure: thrownFailure(error), results: null, leaked: false };
    }
  });
  const stray = log.stray.then((reason): Work => ({ failure: thrownFailure(reason), results: null, leaked: false }));
  const outcome = await Promise.race([work, stray, leakedAfterGrace(signal)]);
  log.close();
  return outcome;
}

function thrownFailure(thrown: unknown): Failure {
  return { kind: 'module', message: describeError(thrown), ...stackOf(thrown) };
}

async function exec(
  argv: readonly string[],
  place: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
  signal: AbortSignal,
  host: Host,
): Promise<ExecResult> {
  const { end, stdout, stderr } = await captureCommand(
    { argv, ...place, signal, onStart: host.groupStarted },
    OUTPUT_WHOLE_BYTES,
  );
  if (end.kind === 'not-started') throw new Error(end.message);
  return { exitCode: end.kind === 'exit' ? end.code : null, stdout: stdout.text(), stderr: stderr.text() };
}

function leakedAfterGrace(signal: AbortSignal): Promise<Work> {
  return new Promise((resolve) => {
    const wait = () => {
      const leaked: Work = {
        failure: { kind: 'cancelled', message: 'did not end when it was told to' },
        results: null,
        leaked: true,
      };
      setTimeout(() => resolve(leaked), STOP_GRACE_MS).unref();
    };
    if (signal.aborted) wait();
    else signal.addEventListener('abort', wait, { once: true });
  });
}
