import type { JsonObject } from '../model/json.js';
import { err, ok, type Result } from '../model/result.js';
import { didYouMean } from './closest.js';
import type { Report } from './problems.js';
import { entriesOf, entryAt, type MapEntry, type SourceNode, type Span, textOf, valueAt } from './source-node.js';

const PARAM_TYPES = ['string', 'number', 'integer', 'boolean'] as const;

/** What the text of a `--param` is turned into. */
type ParamType = (typeof PARAM_TYPES)[number];

type ParamValue = string | number | boolean;

/** The plan's params: names as declared, values as far as there are valid ones. */
export interface Params {
  readonly names: ReadonlySet<string>;
  readonly values: JsonObject;
}

/** Values from outside the plan. */
export interface SetParams {
  /** Texts of `--param`. */
  readonly given: Readonly<Record<string, string>>;
  /** Of an earlier run; undeclared ones do not matter. */
  readonly earlier: JsonObject;
}

/**
 * The declared defaults with the given texts laid over them, each turned into its declared type. Reports values of
 * another type, params without a value, and given names that are not declared.
 */
export function readParams(root: SourceNode, set: SetParams, report: Report): Params {
  const declared = valueAt(root, 'params');
  const values: [string, ParamValue][] = [];
  const names = new Set<string>();
  const { given, earlier } = set;
  for (const [name, entry] of entriesOf(declared)) {
    names.add(name);
    const text = Object.hasOwn(given, name) ? given[name] : Object.hasOwn(earlier, name) ? String(earlier[name]) : undefined;
    const value = paramValue(name, { entry, text, report });
    if (value !== undefined) values.push([name, value]);
  }
  for (const name of Object.keys(given)) {
    if (!names.has(name)) report(undeclared(name, { names, key: entryAt(root, 'params')?.key }));
  }
  return { names, values: Object.fromEntries(values) };
}

function undeclared(name: string, at: { readonly names: ReadonlySet<string>; readonly key: Span | undefined }) {
  const known = at.names.size === 0 ? 'the plan has no params' : `the params are ${[...at.names].join(', ')}`;
  const message = `--param ${name}: the plan declares no such param`;
  return { code: 'PARAM', message, span: at.key, hint: didYouMean(name, at.names) ?? known } as const;
}

interface ParamSource {
  readonly entry: MapEntry;
  readonly text: string | undefined;
  readonly report: Report;
}

function paramValue(name: string, { entry, text, report }: ParamSource): ParamValue | undefined {
  if (entry.value.kind !== 'map') return undefined;
  const typeNode = valueAt(entry.value, 'type');
  const type = typeNode === undefined ? 'string' : PARAM_TYPES.find((known) => known === textOf(typeNode));
  const fallback = valueAt(entry.value, 'default');
  if (type === undefined) return undefined;
  if (text !== undefined) {
    const value = coerce(text, type);
    if (value.ok) return value.value;
    report({ code: 'PARAM', message: `--param ${name}=${text.slice(0, 60)}: ${value.error}`, span: entry.key });
    return undefined;
  }
  if (fallback === undefined) {
    report({
      code: 'PARAM',
      message: `param '${name}' has no value`,
      span: entry.key,
      hint: `pass --param ${name}=…, or give it a default`,
    });
    return undefined;
  }
  // Another kind of value, a list say, is reported by the schema.
  if (fallback.kind !== 'scalar' || fallback.json === null) return undefined;
  if (isOfType(fallback.json, type)) return fallback.json;
  const hint = type === 'string' ? 'put it in quotes, or give the param another type' : undefined;
  report({ code: 'PARAM', message: `the default of param '${name}' is not ${TYPE_WORDS[type]}`, span: fallback, hint });
  return undefined;
}

const TYPE_WORDS: Readonly<Record<ParamType, string>> = {
  string: 'text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
};

function isOfType(value: ParamValue, type: ParamType): boolean {
  return type === 'integer' ? Number.isSafeInteger(value) : typeof value === type;
}

function coerce(text: string, type: ParamType): Result<ParamValue, string> {
  const wrong = err(`must be ${TYPE_WORDS[type]}`);
  switch (type) {
    case 'string':
      return ok(text);
    case 'boolean':
      return text === 'true' || text === 'false' ? ok(text === 'true') : wrong;
    case 'number':
    case 'integer': {
      const number = /^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i.test(text) ? Number(text) : Number.NaN;
      return isOfType(number, type) && Number.isFinite(number) ? ok(number) : wrong;
    }
  }
}
