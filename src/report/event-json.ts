import { parseCheckpoints } from '../model/checkpoint.js';
import type { RunEvent } from '../model/run-event.js';
import { inertJson } from './inert.js';

/**
 * One event as NDJSON, newlines included: what `--json` writes. `type` comes first; no byte of it acts on a terminal. A group
 * of subtasks becomes a line for each: how many were told at once is the engine's business.
 */
export function eventToLine(event: RunEvent): string {
  if (event.type === 'subtasks-finished') {
    const { at, task } = event;
    return [...parseCheckpoints(event.lines)]
      .map((checkpoint) => eventToLine({ type: 'subtask-finished', at, task, checkpoint }))
      .join('');
  }
  if (event.type === 'subtasks-up-to-date') {
    const { at, task } = event;
    return [...parseCheckpoints(event.lines)]
      .map((checkpoint) => eventToLine({ type: 'subtask-finished', at, task, checkpoint, resumed: 'up-to-date' }))
      .join('');
  }
  const { type, ...rest } = event;
  return `${inertJson({ type, ...rest })}\n`;
}
