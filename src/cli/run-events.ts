import { readRunEvents } from '../checkpoint/read-events.js';
import { readLogTail } from '../checkpoint/read-log.js';
import type { RunEvent } from '../model/run-event.js';

/** Of the log of one failed subtask, in a report that has all of them. */
const LOG_BYTES = 4096;

/** A run's events once more, for formats that name every subtask. What cannot be read was reported by the fold before. */
export async function* runEvents(runDir: string): AsyncGenerator<RunEvent, void, undefined> {
  for await (const entry of readRunEvents(runDir)) if (entry.kind === 'event') yield entry.event;
}

/** The end of a subtask's log. */
export function logTail(runDir: string, subtask: string): Promise<string | undefined> {
  return readLogTail(runDir, subtask, LOG_BYTES);
}
