import { createRequire } from 'node:module';
import type { ValidateFunction } from 'ajv';
import type { Report } from './problems.js';
import { checkSchema } from './schema-check.js';
import type { MapEntry, SourceNode } from './source-node.js';
import { TEMPLATE_START, wholeExpression } from './template.js';

/** What `uses` names without a path. Each has a schema in `schemas/actions/`, for its `with` and for its result. */
export const BUILT_IN_ACTIONS = [
  'files/glob',
  'files/read',
  'files/write',
  'files/move',
  'files/copy',
  'files/remove',
  'files/hash',
  'data/read',
  'http/request',
  'agent/prompt',
] as const;

export type BuiltInAction = (typeof BUILT_IN_ACTIONS)[number];

export function isBuiltInAction(uses: string): uses is BuiltInAction {
  return (BUILT_IN_ACTIONS as readonly string[]).includes(uses);
}

/** The part of JSON Schema that schemas of results use. */
export interface ResultSchema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, ResultSchema>>;
  readonly items?: ResultSchema;
  readonly additionalProperties?: boolean;
}

// Loaded when a plan first names a built-in action: most plans of commands and modules never do.
const load = createRequire(import.meta.url);
let validators: Readonly<Record<string, ValidateFunction>> | undefined;
let results: Readonly<Record<string, ResultSchema>> | undefined;

/** The validator of an action's `with`; the same for a plan and, with every expression evaluated, for a subtask. */
export function inputValidator(action: BuiltInAction): ValidateFunction {
  validators ??= load('#validators/actions') as Readonly<Record<string, ValidateFunction>>;
  const found = validators[action.replace('/', '_')];
  if (found === undefined) throw new Error(`Internal error: no schema for ${action}`);
  return found;
}

/** What an action's results look like; `undefined` for one whose results depend on its input. */
export function resultSchema(action: BuiltInAction): ResultSchema | undefined {
  results ??= load('#validators/action-results') as Readonly<Record<string, ResultSchema>>;
  return results[action];
}

/** Holds the `with` of a built-in action against its schema, as far as it is known before the run. */
export function checkInput(
  action: BuiltInAction,
  at: { readonly uses: MapEntry; readonly input: SourceNode | undefined; readonly report: Report },
): void {
  const { uses, input, report } = at;
  if (input === undefined) {
    const required = requiredKeys(action);
    const message = `'${action}' needs 'with' (${required.join(', ')})`;
    if (required.length > 0) report({ code: 'MISSING-KEY', message, span: uses.value, hint: "add 'with:'" });
    return;
  }
  if (openness(input) === 'any') return;
  checkSchema(inputValidator(action), input, report, { document: `'with' of ${action}`, openness, place: uses.value });
}

/** How much of a value is left to the run: all, or only which text it is. */
function openness(node: SourceNode): 'any' | 'text' | undefined {
  if (node.kind !== 'scalar' || typeof node.json !== 'string' || !node.json.includes(TEMPLATE_START)) return undefined;
  return wholeExpression(node.json) === undefined ? 'text' : 'any';
}

function requiredKeys(action: BuiltInAction): readonly string[] {
  const validate = inputValidator(action);
  validate({});
  return (validate.errors ?? []).flatMap(({ keyword, params }) =>
    keyword === 'required' ? [String(params['missingProperty'])] : [],
  );
}
