import { extname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isTooDeep, MAX_RESULT_DEPTH, tooDeepMessage } from '../data/json.js';
import type { Failure } from '../model/failure.js';
import { LazyJson, NO_RESULTS } from '../model/lazy-json.js';
import { err, ok, type Result } from '../model/result.js';
import type { TaskFunction } from './task-context.js';

const loading = new Map<string, Promise<Result<TaskFunction, Failure>>>();
const loaded = new Map<string, Result<TaskFunction, Failure>>();

/** Loads a task module's function, once for each thread. The failure names the file, and the line where there is one. */
export function loadTaskFunction(file: string, exportName: string): Promise<Result<TaskFunction, Failure>> {
  const id = `${file}#${exportName}`;
  const known = loading.get(id);
  if (known !== undefined) return known;
  const coming = load(file, exportName).then((found) => {
    loaded.set(id, found);
    return found;
  });
  loading.set(id, coming);
  return coming;
}

/** What was asked for last: ten thousand subtasks in a row have one function, and its name would be put together for each. */
let last: { readonly file: string; readonly exportName: string; readonly found: Result<TaskFunction, Failure> } | undefined;

/** What `loadTaskFunction` came to in this thread; undefined before. */
export function loadedTaskFunction(file: string, exportName: string): Result<TaskFunction, Failure> | undefined {
  if (last?.file === file && last.exportName === exportName) return last.found;
  const found = loaded.get(`${file}#${exportName}`);
  if (found !== undefined) last = { file, exportName, found };
  return found;
}

async function load(file: string, exportName: string): Promise<Result<TaskFunction, Failure>> {
  let namespace: Record<string, unknown>;
  try {
    namespace = await importModule(file);
  } catch (error) {
    const message = `cannot load ${file}: ${await describeLoadError(file, error)}`;
    return err({ kind: 'module-load', message, ...stackOf(error) });
  }
  const found = exportOf(namespace, exportName);
  if (typeof found !== 'function') {
    const exported = Object.entries(namespace).map(([name, value]) =>
      typeof value === 'function' ? name : `${name} (no function)`,
    );
    const has = exported.length === 0 ? 'it exports nothing' : `it exports ${exported.join(', ')}`;
    return err({ kind: 'module-load', message: `${file} has no function exported as '${exportName}': ${has}` });
  }
  return ok(found as TaskFunction);
}

function exportOf(namespace: Record<string, unknown>, name: string): unknown {
  const found = Object.hasOwn(namespace, name) ? namespace[name] : undefined;
  // What a compiler made of `export default` for CommonJS is one level further down.
  const inner = typeof found === 'object' && found !== null && 'default' in found ? found.default : undefined;
  return name === 'default' && typeof inner === 'function' ? inner : found;
}

async function importModule(file: string): Promise<Record<string, unknown>> {
  if (!['.ts', '.mts'].includes(extname(file))) return import(pathToFileURL(file).href);
  const { createJiti } = await import('jiti');
  // No cache on disk: a run leaves files in its state folder only.
  return createJiti(import.meta.url, { fsCache: false }).import(file);
}

/** What kept a module from loading, with its line. Node does not tell where a syntax error of an ES module is; jiti does. */
async function describeLoadError(file: string, thrown: unknown): Promise<string> {
  if (isSyntaxError(thrown)) {
    try {
      const { createJiti } = await import('jiti');
      await createJiti(import.meta.url, { fsCache: false, tryNative: false }).import(file);
    } catch (error) {
      if (error instanceof Error && /:\d+:\d+/.test(error.message)) return error.message.replace(/\s*\n\s*/g, ' ');
    }
  }
  const place = stackOf(thrown).stack?.match(/\(?((?:file:\/\/)?\/[^\s()]+:\d+:\d+)\)?/)?.[1];
  return place === undefined ? describeError(thrown) : `${describeError(thrown)} (${place.replace('file://', '')})`;
}

function isSyntaxError(thrown: unknown): boolean {
  try {
    return thrown instanceof SyntaxError;
  } catch {
    return false;
  }
}

/** Characters of a message that are kept. */
const MESSAGE_LENGTH = 10_000;

/** A description of anything that was thrown, in bounded length. Never throws: a getter of the value may. */
export function describeError(thrown: unknown): string {
  for (const describe of [describeAsError, describeAsJson, describeAsObject]) {
    try {
      return describe(thrown).slice(0, MESSAGE_LENGTH);
    } catch {
      // The next one asks the value for less.
    }
  }
  return 'threw a value that cannot be described';
}

function describeAsError(thrown: unknown): string {
  if (!(thrown instanceof Error)) return describeAsJson(thrown);
  const message = nameAndMessage(thrown);
  const cause = nameAndMessage(innermostCause(thrown));
  // As causes of commands are shown: `TypeError: fetch failed` alone says little.
  return message.includes(cause) ? message : `${message} (cause: ${cause})`;
}

function describeAsJson(thrown: unknown): string {
  return `threw ${JSON.stringify(thrown) ?? String(thrown)}`;
}

function describeAsObject(thrown: unknown): string {
  return `threw ${Object.prototype.toString.call(thrown)}`;
}

function nameAndMessage({ name, message }: Error): string {
  return String(message) === '' ? String(name) : `${String(name)}: ${String(message)}`;
}

/** Causes that are followed; a cause may be its own. */
const MOST_CAUSES = 8;

function innermostCause(thrown: Error): Error {
  let found = thrown;
  for (let i = 0; i < MOST_CAUSES; i++) {
    const beneath: unknown = found instanceof AggregateError ? found.errors[0] : found.cause;
    if (!(beneath instanceof Error)) break;
    found = beneath;
  }
  return found;
}

/** The frames of the user's own code; none where the value has no stack that can be read. */
export function stackOf(thrown: unknown): { readonly stack?: string } {
  const stack = ownStack(thrown);
  if (stack === undefined) return {};
  const own = new URL('..', import.meta.url).pathname;
  const lines = stack.split('\n').filter((line) => !line.includes(own) && !/\bnode:[a-z_/]+:\d+/.test(line));
  return { stack: lines.slice(0, 20).join('\n').slice(0, MESSAGE_LENGTH) };
}

function ownStack(thrown: unknown): string | undefined {
  try {
    return thrown instanceof Error && typeof thrown.stack === 'string' ? thrown.stack : undefined;
  } catch {
    return undefined;
  }
}

/** Characters of JSON that a result may have: it goes into a checkpoint, and into the memory of every run that reads it. */
const RESULT_LENGTH = 16 * 1024 * 1024;

function notJson(why: string): Failure {
  return { kind: 'output', message: `the module's result is not representable as JSON: ${why}` };
}

/**
 * A module's return value as JSON, as a checkpoint will hold it: dates become strings, `undefined` becomes null. What JSON would
 * make an empty object of, such as a Map, is refused.
 */
export function toJson(value: unknown): Result<LazyJson, Failure> {
  if (value === null || value === undefined) return ok(NO_RESULTS);
  try {
    const text = JSON.stringify(value);
    if (text === undefined) return err(notJson(`it is a ${typeof value}`));
    if (text.length > RESULT_LENGTH) {
      const megabytes = Math.ceil(text.length / (1024 * 1024));
      return err({
        kind: 'output',
        message: `the module's result has ${megabytes} MiB: at most ${RESULT_LENGTH / (1024 * 1024)} MiB are kept; write more to a file`,
      });
    }
    if (isTooDeep(text, MAX_RESULT_DEPTH)) return err(notJson(tooDeepMessage()));
    // Where the text has neither of these, nothing was lost; to look is much quicker than to be sure.
    const lost = text.includes('{}') || text.includes('null') ? lostIn(value) : undefined;
    return lost === undefined ? ok(LazyJson.ofText(text)) : err(notJson(lost));
  } catch (error) {
    // The engine's own bound is further than ours, on every stack.
    return err(notJson(isStackOverflow(error) ? tooDeepMessage() : describeError(error)));
  }
}

function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError && error.message.includes('call stack');
}

/**
 * What JSON would change without a word, and what to do: an object that is not plain (a Map, a Set, an Error, a Response) becomes an
 * empty one, a number that is none or has no end becomes null, as does a date that is none.
 */
function lostIn(value: unknown): string | undefined {
  let lost: string | undefined;
  JSON.stringify(value, function (this: unknown, key, item: unknown) {
    if (lost !== undefined) return item;
    const where = key === '' ? '' : ` under '${key.slice(0, 100)}'`;
    if (typeof item === 'number' && !Number.isFinite(item)) lost = `${item}${where} would become null; return text or null`;
    else if (item === null && isInvalidDate(this, key)) lost = `the invalid date${where} would become null; return text or null`;
    else if (isLost(item)) {
      const name = String(item.constructor?.name).slice(0, 100);
      lost = `nothing would be left of the ${name}${where}; return a plain object or a list`;
    }
    return item;
  });
  return lost;
}

function isInvalidDate(holder: unknown, key: string): boolean {
  const original: unknown = typeof holder === 'object' && holder !== null ? Reflect.get(holder, key) : undefined;
  return original instanceof Date && Number.isNaN(original.getTime());
}

function isLost(item: unknown): item is object {
  if (typeof item !== 'object' || item === null || Array.isArray(item) || Object.keys(item).length > 0) return false;
  if (item instanceof Number || item instanceof String || item instanceof Boolean) return false;
  // Plain objects, of any realm, have a prototype without one of its own, or none.
  const prototype: unknown = Object.getPrototypeOf(item);
  return prototype !== null && Object.getPrototypeOf(prototype) !== null;
}
