import type { ErrorObject, ValidateFunction } from 'ajv';
import { didYouMean } from './closest.js';
import type { Problem, Report } from './problems.js';
import { entryAt, itemsOf, type SourceNode, type Span, valueAt } from './source-node.js';

/** Formats whose text is parsed by code later, with better messages than a pattern's. */
const PARSED_LATER = /^#\/definitions\/(duration|size|rate|percent)\/pattern$|^#\/definitions\/agents\/(minimum|maximum)$/;

/** Keys that other tools call differently; the hint where a key is unknown and no known key looks like it. */
const SYNONYMS: ReadonlyMap<string, string> = new Map([
  ['after', 'needs'],
  ['cmd', 'run'],
  ['command', 'run'],
  ['condition', 'if'],
  ['depends', 'needs'],
  ['depends_on', 'needs'],
  ['dependsOn', 'needs'],
  ['deps', 'needs'],
  ['directory', 'cwd'],
  ['each', 'foreach'],
  ['environment', 'env'],
  ['for', 'foreach'],
  ['function', 'uses'],
  ['input', 'with'],
  ['items', 'foreach'],
  ['jobs', 'tasks'],
  ['loop', 'foreach'],
  ['extends', 'template'],
  ['imports', 'include'],
  ['includes', 'include'],
  ['matrix', 'foreach'],
  ['module', 'uses'],
  ['parallel', 'agents'],
  ['parameters', 'params'],
  ['script', 'run'],
  ['shell', 'run'],
  ['stage', 'phase'],
  ['steps', 'tasks'],
  ['vars', 'params'],
  ['when', 'if'],
  ['working-directory', 'cwd'],
]);

const TYPE_WORDS: ReadonlyMap<string, string> = new Map([
  ['object', 'a mapping'],
  ['array', 'a list'],
  ['string', 'text'],
  ['integer', 'a whole number'],
  ['number', 'a number'],
  ['boolean', 'true or false'],
  ['null', 'empty'],
]);

/** What a schema check needs to know beside the validator. */
export interface SchemaCheckOptions {
  /** How messages name the document as a whole, such as 'a plan'. */
  readonly document: string;
  /** Required keys at the top that a document of this kind may lack. */
  readonly mayLack?: readonly string[];
  /** Unknown keys about which another check says more. */
  readonly leaveToOthers?: (path: readonly string[], key: string) => boolean;
  /** What of a value only the run will know: everything, or only which text it is. Absent: nothing. */
  readonly openness?: (node: SourceNode) => 'any' | 'text' | undefined;
  /** Where to show what the document as a whole lacks. Absent: at its first key. */
  readonly place?: Span;
}

/** Holds a document against its compiled schema and reports every mismatch with its place. Whether all is well. */
export function checkSchema(validate: ValidateFunction, root: SourceNode, report: Report, options: SchemaCheckOptions): boolean {
  if (validate(root.json) === true) return true;
  let wrong = false;
  for (const error of validate.errors ?? []) {
    if (isOpen(error, root, options)) continue;
    const problem = problemOf(error, root, options);
    if (problem !== undefined) report(problem);
    wrong = true;
  }
  return !wrong;
}

/** Whether the value that does not fit is one that an expression will put there. */
function isOpen({ instancePath, keyword }: ErrorObject, root: SourceNode, { openness }: SchemaCheckOptions): boolean {
  const open = openness?.(nodeAt(root, pathOf(instancePath)));
  return open === 'any' ? keyword !== 'false schema' : open === 'text' && keyword !== 'type' && keyword !== 'false schema';
}

function problemOf(error: ErrorObject, root: SourceNode, options: SchemaCheckOptions): Problem | undefined {
  const path = pathOf(error.instancePath);
  const node = nodeAt(root, path);
  if (error.propertyName !== undefined && error.keyword !== 'propertyNames') {
    const { propertyName } = error;
    const message = `the name '${propertyName}' ${patternMessage(error)}`;
    return { code: 'NAME', message, span: entryAt(node, propertyName)?.key ?? node };
  }
  const subject = subjectOf(path, options.document);
  switch (error.keyword) {
    // The mistake itself is told beside them.
    case 'propertyNames':
    case 'if':
    case 'anyOf':
      // What is below them says it.
      return undefined;
    case 'false schema':
      return {
        code: 'VALUE',
        message: `${subject} cannot stand beside its alternative`,
        span: node,
        hint: 'remove one of the two',
      };
    case 'additionalProperties':
      return unknownKey(error, { path, node, options });
    case 'required': {
      const key = String(error.params['missingProperty']);
      if (path.length === 0 && options.mayLack?.includes(key) === true) return undefined;
      // A plan has tasks or an include; where it has neither, tasks are what it lacks.
      if (error.schemaPath.startsWith('#/anyOf/1')) return undefined;
      return {
        code: 'MISSING-KEY',
        message: `${subject} has no '${key}'`,
        span: path.length === 0 && options.place !== undefined ? options.place : placeOfMissing(root, path),
        hint: missingHint(key),
      };
    }
    case 'type':
      return wrongType(error, { subject, node });
    case 'enum':
      return notInList(error, { subject, node });
    case 'pattern':
      if (PARSED_LATER.test(error.schemaPath)) return undefined;
      return { code: path.at(-1) === 'phase' ? 'NAME' : 'VALUE', message: `${subject} ${patternMessage(error)}`, span: node };
    case 'minimum':
    case 'maximum':
      if (PARSED_LATER.test(error.schemaPath)) return undefined;
      return { code: 'VALUE', message: `${subject} ${boundMessage(error)}, not ${shownNumber(error.data)}`, span: node };
    default:
      return { code: 'VALUE', message: `${subject} ${boundMessage(error)}`, span: node };
  }
}

function unknownKey(
  error: ErrorObject,
  at: { readonly path: readonly string[]; readonly node: SourceNode; readonly options: SchemaCheckOptions },
): Problem | undefined {
  const key = String(error.params['additionalProperty']);
  if (at.options.leaveToOthers?.(at.path, key) === true) return undefined;
  const known = propertiesOf(error.parentSchema);
  const synonym = SYNONYMS.get(key);
  const hint =
    synonym !== undefined && known.includes(synonym)
      ? `did you mean '${synonym}'?`
      : (didYouMean(key, known) ?? `the keys here are ${known.join(', ')}`);
  const place = at.path.length === 0 ? '' : ` in ${subjectOf(at.path, at.options.document)}`;
  return { code: 'UNKNOWN-KEY', message: `unknown key '${key}'${place}`, span: entryAt(at.node, key)?.key ?? at.node, hint };
}

function propertiesOf(schema: unknown): readonly string[] {
  if (typeof schema !== 'object' || schema === null || !('properties' in schema)) return [];
  return Object.keys(schema.properties ?? {});
}

function wrongType(error: ErrorObject, at: { readonly subject: string; readonly node: SourceNode }): Problem {
  const wanted: unknown = error.params['type'];
  const types = Array.isArray(wanted) ? wanted.map(String) : [String(wanted)];
  const words = types.map((type) => TYPE_WORDS.get(type) ?? type).join(' or ');
  if (at.node.json === null) return { code: 'TYPE', message: `${at.subject} is empty: it must be ${words}`, span: at.node };
  const message = `${at.subject} must be ${words}, not ${TYPE_WORDS.get(typeOf(at.node)) ?? 'that'}`;
  return { code: 'TYPE', message, span: at.node, hint: typeHint(error.parentSchema, at.node) };
}

function typeHint(schema: unknown, node: SourceNode): string | undefined {
  const examples = examplesOf(schema);
  if (examples === undefined) return undefined;
  const lacksUnit = typeof node.json === 'number' && /^\d+[^\d,]/.test(examples);
  return `${lacksUnit ? 'it needs a unit, ' : ''}for example: ${examples}`;
}

function typeOf(node: SourceNode): string {
  switch (node.kind) {
    case 'list':
      return 'array';
    case 'map':
      return 'object';
    case 'scalar':
      return node.json === null ? 'null' : typeof node.json;
  }
}

function examplesOf(schema: unknown): string | undefined {
  if (typeof schema !== 'object' || schema === null || !('examples' in schema) || !Array.isArray(schema.examples))
    return undefined;
  return schema.examples.map((example: unknown) => (typeof example === 'string' ? example : JSON.stringify(example))).join(', ');
}

function notInList(error: ErrorObject, at: { readonly subject: string; readonly node: SourceNode }): Problem {
  const allowed: unknown = error.params['allowedValues'];
  const words = Array.isArray(allowed) ? allowed.map(String) : [];
  const given = at.node.kind === 'scalar' ? at.node.source : '';
  const message = `${at.subject} must be one of ${words.join(', ')}, not '${given.slice(0, 40)}'`;
  return { code: 'VALUE', message, span: at.node, hint: didYouMean(given, words) };
}

function patternMessage(error: ErrorObject): string {
  const schema: unknown = error.parentSchema;
  if (typeof schema === 'object' && schema !== null && 'patternErrorMessage' in schema) return String(schema.patternErrorMessage);
  return `must match ${String(error.params['pattern'])}`;
}

function boundMessage(error: ErrorObject): string {
  const limit = String(error.params['limit']);
  switch (error.keyword) {
    case 'minimum':
      return `must be at least ${limit}`;
    case 'exclusiveMinimum':
      return `must be more than ${limit}`;
    case 'maximum':
      return `must be at most ${limit}`;
    case 'minLength':
    case 'minItems':
    case 'minProperties':
      return 'is empty';
    case 'maxLength':
      return `is longer than ${limit} characters`;
    case 'uniqueItems':
      return `has items that are equal (${Number(error.params['j']) + 1} and ${Number(error.params['i']) + 1})`;
    case 'const':
      return `must be ${JSON.stringify(error.params['allowedValue'])}`;
    default:
      return error.message ?? 'is not valid';
  }
}

function shownNumber(value: unknown): string {
  return typeof value === 'number' ? String(value) : 'that';
}

function missingHint(key: string): string {
  return key === 'version' ? "add 'version: 1'" : `add '${key}:'`;
}

/** A missing key is shown at the key of the mapping that lacks it; for the document, at its first key. */
function placeOfMissing(root: SourceNode, path: readonly string[]): Span {
  const last = path.at(-1);
  if (last !== undefined) {
    const parent = nodeAt(root, path.slice(0, -1));
    return entryAt(parent, last)?.key ?? nodeAt(root, path);
  }
  if (root.kind !== 'map') return root;
  for (const entry of root.entries.values()) return entry.key;
  return root;
}

/** A JSON pointer's steps. */
function pathOf(pointer: string): readonly string[] {
  if (pointer === '') return [];
  return pointer
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** The node at a path, or the last one on the way that exists. */
function nodeAt(root: SourceNode, path: readonly string[]): SourceNode {
  let node = root;
  for (const step of path) {
    const next: SourceNode | undefined = node.kind === 'list' ? itemsOf(node)[Number(step)] : valueAt(node, step);
    if (next === undefined) return node;
    node = next;
  }
  return node;
}

/** How a message names a place: `'timeout'`, `item 2 of 'needs'`, `task 'scan'`. */
function subjectOf(path: readonly string[], document: string): string {
  const last = path.at(-1);
  const parent = path.at(-2);
  if (last === undefined) return document;
  if (path.length === 2 && (parent === 'tasks' || parent === 'finally')) return `task '${last}'`;
  if (path.length === 2 && parent === 'templates') return `template '${last}'`;
  if (/^\d+$/.test(last) && parent !== undefined) return `item ${Number(last) + 1} of '${parent}'`;
  return `'${last}'`;
}
