import { isExact } from '../data/exact-number.js';
import type { JsonObject } from '../model/json.js';
import { err, ok, type Result } from '../model/result.js';
import { warnOfChangedText } from './changed-text.js';
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
  if (type === undefined) return undefined;
  warnOfChangedText(valueAt(entry.value, 'default'), report, numberHint);
  warnOfChangedText(valueAt(entry.value, 'choices'), report, numberHint);
  const choices = readChoices(name, { node: valueAt(entry.value, 'choices'), type, report });
  const fallback = readDefault(name, { node: valueAt(entry.value, 'default'), type, choices, report });
  if (text !== undefined) {
    const value = coerce(text, type);
    const wrong = value.ok ? notAmong(value.value, choices) : { message: value.error, hint: undefined };
    if (value.ok && wrong === undefined) return value.value;
    const message = `--param ${name}=${text.slice(0, 60)}: ${wrong?.message}`;
    report({ code: 'PARAM', message, span: entry.key, hint: wrong?.hint });
    return undefined;
  }
  if (entryAt(entry.value, 'default') === undefined) {
    const among = choices === undefined ? '' : `, one of ${shownChoices(choices)}`;
    report({
      code: 'PARAM',
      message: `param '${name}' has no value`,
      span: entry.key,
      hint: `pass --param ${name}=…${among}, or give it a default`,
    });
  }
  return fallback;
}

function numberHint(written: string, becomes: string): string {
  return `write ${becomes}; or, to keep "${written}", quote it and give the param the type string`;
}

interface ParamPart {
  readonly node: SourceNode | undefined;
  readonly type: ParamType;
  readonly report: Report;
}

/** The values that a param may have, as far as they are of its type; `undefined` where it may have any. */
function readChoices(name: string, { node, type, report }: ParamPart): readonly ParamValue[] | undefined {
  // An empty list is reported by the schema.
  if (node?.kind !== 'list' || node.items.length === 0) return undefined;
  return node.items.flatMap((item) => {
    // Another kind of value, a list say, is reported by the schema.
    if (item.kind !== 'scalar' || item.json === null) return [];
    if (isOfType(item.json, type)) return [item.json];
    report({
      code: 'PARAM',
      message: `a choice of param '${name}' is not ${TYPE_WORDS[type]}`,
      span: item,
      hint: typeHint(type),
    });
    return [];
  });
}

function readDefault(
  name: string,
  { node, type, choices, report }: ParamPart & { readonly choices: readonly ParamValue[] | undefined },
): ParamValue | undefined {
  if (node?.kind !== 'scalar' || node.json === null) return undefined;
  if (!isOfType(node.json, type)) {
    const message = `the default of param '${name}' is not ${TYPE_WORDS[type]}`;
    report({ code: 'PARAM', message, span: node, hint: typeHint(type) });
    return undefined;
  }
  const wrong = notAmong(node.json, choices);
  if (wrong === undefined) return node.json;
  report({ code: 'PARAM', message: `the default of param '${name}' ${wrong.message}`, span: node, hint: wrong.hint });
  return undefined;
}

function typeHint(type: ParamType): string | undefined {
  return type === 'string' ? 'put it in quotes, or give the param another type' : undefined;
}

function notAmong(
  value: ParamValue,
  choices: readonly ParamValue[] | undefined,
): { readonly message: string; readonly hint: string | undefined } | undefined {
  if (choices === undefined || choices.includes(value)) return undefined;
  return { message: `must be one of ${shownChoices(choices)}`, hint: didYouMean(String(value), choices.map(String)) };
}

/** Choices that a message lists. */
const SHOWN_CHOICES = 20;

function shownChoices(choices: readonly ParamValue[]): string {
  return `${choices.slice(0, SHOWN_CHOICES).join(', ')}${choices.length > SHOWN_CHOICES ? ', …' : ''}`;
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
      if (!isOfType(number, type) || !Number.isFinite(number)) return wrong;
      return isExact(text) ? ok(number) : err(`must be a number that can be kept exactly: it would become ${number}`);
    }
  }
}
