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

/** Whether git started any hook, by the trace; true where there is no trace, as nobody knows then. */
export async function hookRan(file: string): Promise<boolean> {
  const events = await hookEvents(file);
  return events === undefined || events.length > 0;
}

/** The hook that failed, by the trace; undefined where none did. */
export async function refusingHook(file: string): Promise<RefusingHook | undefined> {
  return (await hookEvents(file))?.find(({ exitCode }) => exitCode !== undefined && exitCode !== 0) as RefusingHook | undefined;
}

/**
 * The hooks of a trace in the order in which they ended; undefined without a trace. Format: one JSON object a line,
 * `child_start` with `child_class: hook` and `hook_name`, then `child_exit` with the same `child_id` and `code`
 * (https://git-scm.com/docs/api-trace2). Commands that a hook starts write to the same file, under longer session ids.
 */
async function hookEvents(
  file: string,
): Promise<readonly { readonly name: string; readonly exitCode: number | undefined }[] | undefined> {
  const events = (await readTrace(file)).split('\n').flatMap(parseEvent);
  if (events.length === 0) return undefined;
  const session = events[0]?.['sid'];
  const started = new Map<JsonValue | undefined, string>();
  const ended: { readonly name: string; readonly exitCode: number | undefined }[] = [];
  for (const event of events) {
    if (event['sid'] !== session) continue;
    const { event: kind, child_id: child, hook_name: name, code } = event;
    if (kind === 'child_start' && event['child_class'] === 'hook' && typeof name === 'string') started.set(child, name);
    const hook = started.get(child);
    if (kind !== 'child_exit' || hook === undefined) continue;
    ended.push({ name: hook, exitCode: typeof code === 'number' ? code : undefined });
  }
  return ended;
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
