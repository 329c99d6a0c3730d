import { isJsonObject, type JsonValue } from '../model/json.js';
import { errnoOf } from './problem.js';
import { jsonOf, readStateText } from './state-file.js';

/** A hook that ended a git command. */
export interface RefusingHook {
  /** Such as `pre-commit`. */
  readonly name: string;
  readonly exitCode: number;
}

/** The environment that makes git write to `file` what it starts; a git before 2.22 writes nothing. */
export function hookTrace(file: string): Readonly<Record<string, string>> {
  return { GIT_TRACE2_EVENT: file };
}

/**
 * The hook that failed, by the trace; undefined where none did. Format: one JSON object a line, `child_start` with
 * `child_class: hook` and `hook_name`, then `child_exit` with the same `child_id` and `code`
 * (https://git-scm.com/docs/api-trace2). Commands that a hook starts write to the same file, under longer session ids.
 */
export async function refusingHook(file: string): Promise<RefusingHook | undefined> {
  const events = (await readTrace(file)).split('\n').flatMap(parseEvent);
  const session = events[0]?.['sid'];
  const hooks = new Map<JsonValue | undefined, string>();
  for (const event of events) {
    if (event['sid'] !== session) continue;
    const { event: kind, child_id: child, hook_name: name, code } = event;
    if (kind === 'child_start' && event['child_class'] === 'hook' && typeof name === 'string') hooks.set(child, name);
    const hook = hooks.get(child);
    if (kind === 'child_exit' && hook !== undefined && typeof code === 'number' && code !== 0) {
      return { name: hook, exitCode: code };
    }
  }
  return undefined;
}

async function readTrace(file: string): Promise<string> {
  try {
    return (await readStateText(file)) ?? '';
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return '';
  }
}

function parseEvent(line: string) {
  const value = jsonOf(line);
  return isJsonObject(value) ? [value] : [];
}
