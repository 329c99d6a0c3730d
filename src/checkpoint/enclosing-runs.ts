import { join } from 'node:path';
import { RUN_VARIABLE } from '../actions/leftovers.js';
import { NAME_PATTERN } from '../model/ids.js';
import { currentHolder } from './lock.js';
import { type RunManifest, readManifest } from './run-store.js';

/** Read at the start: a run sets the variable for the processes that it starts. */
const STARTED_BY = process.env[RUN_VARIABLE];

/** How often it is looked whether the lock is still held. */
const LOOK_MS = 1000;

/** The runs of a state folder in which this process was started by a task, the innermost first. */
export async function enclosingRuns(stateDir: string): Promise<readonly RunManifest[]> {
  const found: RunManifest[] = [];
  for (let run = STARTED_BY; run !== undefined && NAME_PATTERN.test(run); ) {
    const manifest = await readManifest(join(stateDir, 'runs', run));
    if (!manifest.ok || found.some((one) => one.run === manifest.value.run)) break;
    found.push(manifest.value);
    run = manifest.value.within;
  }
  return found;
}

/** Calls `onGone` when the process that holds the lock does not hold it any more, as after a kill; the returned function ends that. */
export function whenHolderIsGone(stateDir: string, onGone: () => void): () => void {
  const first = currentHolder(stateDir);
  const look = async () => {
    const [before, now] = await Promise.all([first, currentHolder(stateDir)]);
    if (now?.pid !== before?.pid) onGone();
  };
  const timer = setInterval(() => void look(), LOOK_MS).unref();
  return () => clearInterval(timer);
}
