import type { Failure } from '../model/failure.js';
import { copyOf, type JsonValue } from '../model/json.js';
import { LazyJson, NO_RESULTS } from '../model/lazy-json.js';
import { type Result, unreachable } from '../model/result.js';
import { type ActionOutcome, STOP_GRACE_MS, type SubtaskRequest } from './action.js';
import { captureCommand, OUTPUT_WHOLE_BYTES, runCommand } from './command.js';
import { afterRunning, Deadline } from './deadline.js';
import { describeError, loadedTaskFunction, loadTaskFunction, stackOf, toJson } from './module.js';
import type { StopSource } from './stop-source.js';
import type { SubtaskLog } from './subtask-log.js';
import type { ExecResult, TaskContext, TaskFunction } from './task-context.js';
import { watchThreadUse } from './thread-holder.js';

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
  /** The thread runs nothing but subtasks: what is nobody's there is no output of the coordinator. */
  readonly ownThread: boolean;
  /** Milliseconds for which the whole process has been paused so far, as by SIGSTOP; absent where that is not watched. */
  readonly pausedMs?: () => number;
  /** The subtask's code begins to run, and returns; absent where nobody watches the thread. */
  readonly onHold?: (holding: boolean) => void;
}

type Work = Pick<ActionOutcome, 'failure' | 'results' | 'partial' | 'leaked'>;

/**
 * Makes one attempt at a subtask: the work, its time-out and its cancellation. Never throws or rejects, and gives its
 * outcome at once where a module's function does: a promise for each would cost more than a small function takes.
 * A command is ended by its process group; a module is asked by `context.signal` and, if it does not
 * end within the grace, its outcome is reported as `leaked`: JavaScript cannot be ended from inside.
 *
 * Work that was asked to stop has failed, no matter how it ends: what it returns then is kept as `partial`.
 */
export function perform(
  request: SubtaskRequest,
  stop: StopSource,
  log: SubtaskLog,
  host: Host,
): ActionOutcome | Promise<ActionOutcome> {
  const started = host.now();
  const { timeoutMs } = request;
  if (timeoutMs === undefined) {
    const work = performAction(request, stop, log, host, undefined);
    const over = (done: Work) => outcomeOf(stopped(done, request, stop), started, log, host);
    return work instanceof Promise ? work.then(over) : over(work);
  }
  const pausedBefore = pausedMs(host);
  const deadline = new Deadline(timeoutMs);
  const over = (done: Work) => {
    const elapsed = host.now() - started - (pausedMs(host) - pausedBefore);
    if (deadline.passedRunning && elapsed > timeoutMs) stop.stop('timeout');
    return outcomeOf(stopped(done, request, stop), started, log, host);
  };
  const work = performAction(request, stop, log, host, deadline);
  if (!(work instanceof Promise)) return over(work);
  const cancelTimer = afterRunning(timeoutMs, () => stop.stop('timeout'));
  const unwatch =
    request.action.kind === 'module'
      ? watchThreadUse(log, { onHold: (holding) => host.onHold?.(holding), used: (from, to) => deadline.used(from, to) })
      : undefined;
  return work.then((done) => {
    cancelTimer();
    unwatch?.();
    return over(done);
  });
}

function pausedMs(host: Host): number {
  return host.pausedMs?.() ?? 0;
}

/** The work as it counts: what was asked to stop has failed, and what it returned is no result. */
function stopped(work: Work, request: SubtaskRequest, stop: StopSource): Work {
  const failure = stopFailure(request, stop);
  if (failure === undefined) return work;
  return { ...work, failure, results: NO_RESULTS, ...(work.results !== NO_RESULTS && { partial: work.results }) };
}

function outcomeOf({ failure, results, partial, leaked }: Work, started: number, log: SubtaskLog, host: Host): ActionOutcome {
  const outcome = { failure, results, log: log.text(), started, durationMs: Math.max(0, host.now() - started), leaked };
  return partial === undefined ? outcome : { ...outcome, partial };
}

function stopFailure(request: SubtaskRequest, { cause }: StopSource): Failure | undefined {
  switch (cause) {
    case 'timeout':
      return timeoutFailure(request.timeoutMs ?? 0);
    case 'cancelled':
      return cancelledFailure();
    case undefined:
      return undefined;
  }
}

/** The failure of a subtask whose time was up. */
export function timeoutFailure(timeoutMs: number): Failure {
  return { kind: 'timeout', message: `timed out after ${timeoutMs} ms` };
}

/** The failure of a subtask that ran when the run was stopped. */
export function cancelledFailure(): Failure {
  return { kind: 'cancelled', message: 'cancelled: the run was stopped' };
}

function performAction(
  request: SubtaskRequest,
  stop: StopSource,
  log: SubtaskLog,
  host: Host,
  deadline: Deadline | undefined,
): Work | Promise<Work> {
  const { action } = request;
  switch (action.kind) {
    case 'command': {
      const { cwd, env } = request;
      const { argv, output } = action;
      return runCommand({ argv, cwd, env: env(), output, signal: stop.signal, onStart: host.groupStarted }).then((outcome) => ({
        ...outcome,
        results: LazyJson.ofValue(outcome.results),
        leaked: false,
      }));
    }
    case 'module': {
      const { file, exportName, input } = action;
      const call = (found: Result<TaskFunction, Failure>) => {
        if (found.ok) return callFunction(found.value, input, { request, stop, log, host, deadline });
        log.close();
        return { failure: found.error, results: NO_RESULTS, leaked: false };
      };
      const loaded = loadedTaskFunction(file, exportName);
      if (loaded !== undefined) return call(loaded);
      return log.attribute(() => loadTaskFunction(file, exportName)).then(call);
    }
    case 'builtin':
      // Loaded by the thread that first performs one.
      return import('./builtin/perform-built-in.js').then(({ performBuiltIn }) =>
        performBuiltIn(action, { ...request, signal: stop.signal, log, groupStarted: host.groupStarted }),
      );
    default:
      return unreachable(action);
  }
}

interface Attempt {
  readonly request: SubtaskRequest;
  readonly stop: StopSource;
  readonly log: SubtaskLog;
  readonly host: Host;
  readonly deadline: Deadline | undefined;
}

/** How functions gave their results so far. Most do it the same way each time. */
const habits = new WeakMap<TaskFunction, 'at once' | 'later'>();

function callFunction(task: TaskFunction, input: JsonValue, attempt: Attempt): Work | Promise<Work> {
  const { log, stop, host, deadline } = attempt;
  // A copy, since what a function does to its input must not be in the next one's, or in its own when it is tried again.
  const call = () => task(copyOf(input), new AttemptContext(attempt));
  const habit = host.ownThread ? habits.get(task) : undefined;
  const begun = deadline === undefined ? 0 : performance.now();
  let returned: unknown;
  let promised: boolean;
  try {
    returned = habit === 'at once' ? log.attributeCall(call) : log.attribute(call);
    promised = isThenable(returned);
  } catch (error) {
    log.close();
    return { failure: thrownFailure(error), results: NO_RESULTS, leaked: false };
  } finally {
    deadline?.used(begun, performance.now());
  }
  if (!promised) {
    if (habit === undefined) habits.set(task, 'at once');
    log.close();
    return returnedWork(returned);
  }
  habits.set(task, 'later');
  if (habit === 'at once') log.goesOn();
  // `Promise.resolve` would run a getter of `constructor`, and give back a promise whose `then` may be anything.
  const work = new Promise<unknown>((resolve) => resolve(returned)).then(
    returnedWork,
    (error): Work => ({
      failure: thrownFailure(error),
      results: NO_RESULTS,
      leaked: false,
    }),
  );
  const stray = log.stray().then(({ reason }): Work => ({ failure: thrownFailure(reason), results: NO_RESULTS, leaked: false }));
  return Promise.race([work, stray, leakedAfterGrace(stop)]).then((outcome) => {
    log.close();
    return outcome;
  });
}

function returnedWork(value: unknown): Work {
  const json = toJson(value);
  return json.ok
    ? { failure: undefined, results: json.value, leaked: false }
    : { failure: json.error, results: NO_RESULTS, leaked: false };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** Most functions ask for little of it, so what takes a closure or an object is made when it is asked for. */
class AttemptContext implements TaskContext {
  readonly #attempt: Attempt;
  #item: JsonValue | undefined;
  readonly index: number | undefined;
  readonly attempt: number;
  readonly folder: string;

  constructor(attempt: Attempt) {
    const { request } = attempt;
    this.#attempt = attempt;
    this.index = request.index;
    this.attempt = request.attempt;
    this.folder = request.folder;
  }

  get item(): JsonValue | undefined {
    const { item } = this.#attempt.request;
    if (item !== undefined) this.#item ??= copyOf(item);
    return this.#item;
  }

  get signal(): AbortSignal {
    return this.#attempt.stop.signal;
  }

  get log(): TaskContext['log'] {
    const { log } = this.#attempt;
    return (text) => log.write(`${text}\n`);
  }

  get results(): TaskContext['results'] {
    return this.#attempt.host.results;
  }

  get exec(): TaskContext['exec'] {
    const { request, stop, host } = this.#attempt;
    return (argv, options) =>
      exec(argv, { cwd: options?.cwd ?? request.cwd, env: { ...request.env(), ...options?.env } }, stop.signal, host);
  }
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

function leakedAfterGrace(stop: StopSource): Promise<Work> {
  return new Promise((resolve) => {
    stop.onStop(() => {
      const leaked: Work = {
        failure: { kind: 'cancelled', message: 'did not end when it was told to' },
        results: NO_RESULTS,
        leaked: true,
      };
      setTimeout(() => resolve(leaked), STOP_GRACE_MS).unref();
    });
  });
}
