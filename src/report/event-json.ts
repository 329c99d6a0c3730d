import type { RunEvent } from '../model/run-event.js';
import { inertJson } from './inert.js';

/** One event as one line of NDJSON, newline included: what `--json` writes. `type` comes first; no byte of it acts on a terminal. */
export function eventToLine(event: RunEvent): string {
  const { type, ...rest } = event;
  return `${inertJson({ type, ...rest })}\n`;
}
