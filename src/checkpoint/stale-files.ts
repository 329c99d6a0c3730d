import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Checkpoint } from '../model/checkpoint.js';
import { checkpointFileName } from './checkpoint-files.js';
import { waveFile } from './journal.js';
import { readRunEvents, recordedWaves } from './read-events.js';
import { OutcomeTally, readCheckpoints } from './read-journal.js';
import { readStateJson } from './state-file.js';

/**
 * Removes the checkpoint files of a run that was resumed whose subtasks its plan no longer has. A file that holds something else than
 * the run's own record stays. Best effort: a file that cannot be read or removed stays too.
 */
export async function removeStaleFiles(folder: string, runDir: string): Promise<void> {
  const counted = new Map<number, OutcomeTally>();
  for await (const entry of readRunEvents(runDir)) {
    if (entry.kind !== 'event') continue;
    const { event } = entry;
    if (event.type !== 'subtask-finished' && event.type !== 'finally-finished') continue;
    const { wave, task_id: id } = event.checkpoint;
    const names = counted.get(wave) ?? new OutcomeTally();
    names.add(id, true);
    counted.set(wave, names);
  }
  for (const wave of await recordedWaves(runDir)) {
    for await (const entry of readCheckpoints(waveFile(runDir, wave))) {
      if (entry.kind !== 'checkpoint' || counted.get(wave)?.has(entry.checkpoint.task_id) === true) continue;
      const path = join(folder, checkpointFileName(entry.checkpoint));
      try {
        const { key, timestamp } = ((await readStateJson(path)) ?? {}) as Partial<Checkpoint>;
        if (key === entry.checkpoint.key && timestamp === entry.checkpoint.timestamp) await unlink(path);
      } catch {
        // It is gone, or not ours.
      }
    }
  }
}
