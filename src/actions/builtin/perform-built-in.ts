import type { Failure } from '../../model/failure.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../../model/json.js';
import { type LazyJson, NO_RESULTS } from '../../model/lazy-json.js';
import { err, type Result } from '../../model/result.js';
import { type BuiltInAction, inputValidator } from '../../plan/built-in.js';
import type { Action, SubtaskRequest } from '../action.js';
import { describeError, toJson } from '../module.js';
import type { SubtaskLog } from '../subtask-log.js';
import { actionFailure, inputFailure } from './failures.js';

/** What a built-in action may use of the subtask around it. */
export interface BuiltInContext extends Pick<SubtaskRequest, 'cwd' | 'folder' | 'env' | 'subtask'> {
  /** Aborts when the subtask's time is up or the run is stopped. */
  readonly signal: AbortSignal;
  readonly log: SubtaskLog;
  /** The same in every attempt of one subtask of one run, and another for every other. */
  readonly key: string;
  /** The expressions of the task's `success`. */
  readonly success: readonly string[];
  /** A process group was started on the subtask's behalf. */
  readonly groupStarted: (pid: number) => void;
}

/** A built-in action: its input fits the action's schema. It rejects with the system's errors, and returns its own. */
export type BuiltIn<Input> = (input: Input, context: BuiltInContext) => Promise<Result<JsonValue, Failure>>;

/** Each action is loaded by the thread that first performs it. */
const ACTIONS: Readonly<Record<BuiltInAction, () => Promise<BuiltIn<never>>>> = {
  'files/glob': async () => (await import('./files-glob.js')).globFiles,
  'files/read': async () => (await import('./files-read.js')).readOne,
  'files/write': async () => (await import('./files-write.js')).writeOne,
  'files/move': async () => (await import('./files-move.js')).moveFiles,
  'files/copy': async () => (await import('./files-copy.js')).copyFiles,
  'files/remove': async () => (await import('./files-remove.js')).removeFiles,
  'files/hash': async () => (await import('./files-hash.js')).hashFiles,
  'data/read': async () => (await import('./data-read.js')).readData,
  'http/request': async () => (await import('./http-request.js')).request,
  'agent/prompt': async () => (await import('./agent-prompt.js')).promptAgent,
};

/** Performs a built-in action. Never rejects. */
export async function performBuiltIn(
  action: Extract<Action, { kind: 'builtin' }>,
  context: Omit<BuiltInContext, 'key' | 'success'>,
): Promise<{ readonly failure: Failure | undefined; readonly results: LazyJson; readonly leaked: boolean }> {
  const outcome = await perform(action, context);
  return outcome.ok
    ? { failure: undefined, results: outcome.value, leaked: false }
    : { failure: outcome.error, results: NO_RESULTS, leaked: false };
}

async function perform(
  { name, input, key, success }: Extract<Action, { kind: 'builtin' }>,
  context: Omit<BuiltInContext, 'key' | 'success'>,
): Promise<Result<LazyJson, Failure>> {
  const checked = check(name, input);
  if (!checked.ok) return checked;
  try {
    const run = await ACTIONS[name]();
    const done = await run(checked.value as never, { ...context, key, success });
    return done.ok ? toJson(done.value) : done;
  } catch (error) {
    return err(actionFailure(messageOf(error)));
  }
}

/** Expressions are evaluated now: what only the run could know is held against the schema. */
function check(name: BuiltInAction, input: JsonValue): Result<JsonObject, Failure> {
  const validate = inputValidator(name);
  if (validate(input) && isJsonObject(input)) return { ok: true, value: input };
  const wrong = (validate.errors ?? []).filter(({ keyword }) => keyword !== 'if');
  const told = wrong.slice(0, MOST_MISTAKES).map(({ instancePath, message, params }) => {
    const place = instancePath.replace(/\/(\d+)(?=\/|$)/g, '[$1]').replaceAll('/', '.');
    const key = 'additionalProperty' in params ? `: ${String(params['additionalProperty'])}` : '';
    return `with${place} ${message ?? 'is not valid'}${key}`;
  });
  return err(inputFailure(`${name}: ${told.join('; ')}`));
}

const MOST_MISTAKES = 5;

/** The system's own words, which name the call and the path. */
function messageOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? error.message : describeError(error);
}
