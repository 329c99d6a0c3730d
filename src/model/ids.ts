import { hash, randomBytes } from 'node:crypto';
import type { JsonValue } from './json.js';

/** What names of tasks and phases match. */
export const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** A subtask by its task and, in a fan-out, its index. Printed and parsed here and nowhere else: `task`, or `task[index]`. */
export interface SubtaskId {
  readonly task: string;
  /** Undefined for the one subtask of a task without `foreach`. */
  readonly index: number | undefined;
}

/** Indexes are below this. No run has as many subtasks; a damaged record may name one. */
export const SUBTASK_INDEX_BOUND = 2 ** 26;

/** The name of a subtask. */
export function subtaskId(task: string, index: number | undefined): string {
  return index === undefined ? task : `${task}[${index}]`;
}

/**
 * Parses the name of a subtask. A text that ends in no index, or in one that `subtaskId` would not print, is a task's name
 * as a whole. No regular expression, because a resume parses the name in each of a million records.
 */
export function parseSubtaskId(text: string): SubtaskId {
  const open = indexStart(text);
  return open === undefined ? { task: text, index: undefined } : { task: text.slice(0, open), index: indexFrom(text, open) };
}

/** The task of a subtask, by the subtask's name. */
export function taskOfSubtask(text: string): string {
  const open = indexStart(text);
  return open === undefined ? text : text.slice(0, open);
}

/** The position of the bracket before a valid index; undefined where there is none. */
function indexStart(text: string): number | undefined {
  if (text.charCodeAt(text.length - 1) !== CLOSE) return undefined;
  const open = text.lastIndexOf('[');
  const digits = text.length - open - 2;
  if (open < 0 || digits < 1 || digits > MOST_DIGITS) return undefined;
  if (digits > 1 && text.charCodeAt(open + 1) === ZERO) return undefined;
  const index = indexFrom(text, open);
  return index < SUBTASK_INDEX_BOUND ? open : undefined;
}

/** The number after the bracket at `open`; not a number where something else than digits is there. */
function indexFrom(text: string, open: number): number {
  let index = 0;
  for (let at = open + 1; at < text.length - 1; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    index = index * 10 + digit;
  }
  return index;
}

const CLOSE = 0x5d;
const ZERO = 0x30;
const MOST_DIGITS = String(SUBTASK_INDEX_BOUND - 1).length;

/** A run's id: sorts by time, and does not collide when two runs start in one millisecond. */
export function newRunId(now: Date = new Date()): string {
  const stamp = now.toISOString().replace(/[-:]/g, '').replace('T', '-').replace('.', '').replace('Z', '');
  return `${stamp}-${randomBytes(3).toString('hex')}`;
}

/** JSON with keys in order, so that equal values have equal text. */
export function canonicalJson(value: JsonValue): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`).join(',')}}`;
}

/** A short content hash (SHA-256, 16 hex digits): enough for a run's millions of keys, short enough to read. */
export function contentHash(text: string): string {
  return hash('sha256', text, 'hex').slice(0, 16);
}
