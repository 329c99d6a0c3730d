import type { Failure } from './failure.js';
import type { JsonValue } from './json.js';
import { type Mask, maskFailure } from './mask.js';
import type { RunEvent } from './run-event.js';

/** Names, codes and hashes, by which events are told apart: a secret that happens to be one of them is none there. */
const STRUCTURE: ReadonlySet<string> = new Set([
  'type',
  'run',
  'task',
  'subtask',
  'task_id',
  'agent',
  'agent_id',
  'id',
  'confirmed',
  'key',
  'status',
  'timestamp',
  'kind',
  'mode',
  'verdict',
  'methodologyHash',
  'commit',
  'ref',
]);

/**
 * The event without secrets, for everything that is told or stored: views, checkpoints, logs, reports, history. Every
 * text in it is masked but names, codes and hashes; of what a subtask left behind, numbers and keys too.
 */
export function maskEvent(event: RunEvent, mask: Mask): RunEvent {
  // Lines of checkpoints, masked before they were lines.
  if (event.type === 'subtasks-finished' || event.type === 'subtasks-up-to-date') return event;
  return maskMembers(event, mask) as RunEvent;
}

function maskMembers(value: object, mask: Mask): object {
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]: [string, unknown]) => {
      // Figures, and words of our own that tell what they mean.
      if (key === 'decision' || key === 'measured') return [key, inner];
      if (key === 'results' || key === 'partial') return [key, mask.json(inner as JsonValue)];
      if ((key === 'error' || key === 'failure') && typeof inner === 'object' && inner !== null) {
        return [key, maskFailure(inner as Failure, mask)];
      }
      return [key, STRUCTURE.has(key) && typeof inner === 'string' ? inner : maskMember(inner, mask)];
    }),
  );
}

function maskMember(value: unknown, mask: Mask): unknown {
  if (typeof value === 'string') return mask.text(value);
  if (Array.isArray(value)) return value.map((item) => maskMember(item, mask));
  return typeof value === 'object' && value !== null ? maskMembers(value, mask) : value;
}
