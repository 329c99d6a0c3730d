import { canonicalJson, contentHash } from '../model/ids.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import type { TaskDefinition, Work } from './valid-plan.js';

/** What of a task decides what it does. */
type Doing = Pick<TaskDefinition, 'work' | 'with' | 'env' | 'cwd' | 'output' | 'success'>;

/**
 * What the task does, apart from its name, place and patience: equal hashes may share results. Values of the params
 * that it can see are part of it; a command sees all of them as `$PARAM_<name>`.
 */
export function taskHash({ work, with: input, env, cwd, output, success }: Doing, params: JsonObject): string {
  const does: JsonObject = {
    work: workIdentity(work),
    with: input ?? null,
    env: { ...env },
    cwd: cwd ?? null,
    output,
    success,
    params,
  };
  return contentHash(canonicalJson(does));
}

/** A module is its path as the plan writes it: a repository that moved is the same work. */
function workIdentity(work: Work): JsonValue {
  switch (work.kind) {
    case 'shell':
      return { run: work.command };
    case 'argv':
      return { run: work.argv };
    case 'module':
      return { uses: work.uses };
    case 'builtin':
      return { uses: work.action };
  }
}
