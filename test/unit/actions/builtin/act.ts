import { Ajv } from 'ajv';
import { performBuiltIn } from '../../../../src/actions/builtin/perform-built-in.js';
import { SubtaskLog } from '../../../../src/actions/subtask-log.js';
import type { Failure } from '../../../../src/model/failure.js';
import type { JsonValue } from '../../../../src/model/json.js';
import { type BuiltInAction, resultSchema } from '../../../../src/plan/built-in.js';

/** What an action came to, as a test looks at it. */
export interface Acted {
  readonly failure: Failure | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: a test asserts on fields that the action's schema was just held against.
  readonly results: any;
  readonly log: string;
}

export interface ActOptions {
  readonly signal?: AbortSignal;
  readonly key?: string;
  readonly folder?: string;
  readonly success?: readonly string[];
}

const ajv = new Ajv({ strict: false });

/** Performs a built-in action in `cwd`, and holds what it comes to against the action's own schema of results. */
export async function act(name: BuiltInAction, input: JsonValue, cwd: string, options: ActOptions = {}): Promise<Acted> {
  const log = new SubtaskLog('example');
  const done = await performBuiltIn(
    { kind: 'builtin', name, input, key: options.key ?? 'key-of-the-subtask', success: options.success ?? [] },
    {
      cwd,
      folder: options.folder ?? cwd,
      env: () => ({}),
      subtask: 'example',
      signal: options.signal ?? new AbortController().signal,
      log,
      groupStarted: () => {},
    },
  );
  const results = done.results.value;
  if (done.failure === undefined && !ajv.validate(resultSchema(name) ?? true, results)) {
    throw new Error(`${name}: its results do not fit their schema: ${ajv.errorsText()} ${JSON.stringify(results).slice(0, 500)}`);
  }
  return { failure: done.failure, results, log: log.text() };
}
