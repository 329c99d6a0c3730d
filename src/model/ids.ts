import { hash, randomBytes } from 'node:crypto';
import type { JsonValue } from './json.js';

/** What names of tasks and phases match. */
export const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** A subtask's name: the task's, and `name[index]` in a fan-out. */
export function subtaskId(task: string, index: number | undefined): string {
  return index === undefined ? task : `${task}[${index}]`;
}

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
