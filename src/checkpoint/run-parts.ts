import { type FinishedIndex, type JournalEnds, readFinished } from './finished-index.js';
import { readManifest } from './run-store.js';

/** What of the records of a run that was resumed still holds. */
export interface RunParts {
  /** How often the run was started; events of all starts but the last tell of a part that is over. */
  readonly starts: number;
  /** How far each wave's file reached when the last part began. */
  readonly ends: JournalEnds;
  readonly index: FinishedIndex;
}

/**
 * The parts of a run that was resumed; undefined for one that was not, or whose manifest cannot be read: such a run is told as
 * its records come. `countStarts` tells how often the run's events say that it was started; it is asked only where there are parts.
 */
export async function readRunParts(runDir: string, countStarts: () => Promise<number>): Promise<RunParts | undefined> {
  const manifest = await readManifest(runDir);
  if (!manifest.ok) return undefined;
  const { resumes = [] } = manifest.value;
  const last = resumes.at(-1);
  if (last === undefined) return undefined;
  const index = await readFinished(runDir, { voided: resumes, repair: false });
  if (!index.ok) return undefined;
  const starts = await countStarts();
  // A resume that was killed before it told of its start has added nothing.
  return { starts, ends: starts > resumes.length ? last.ends : {}, index: index.value };
}

/** Whether a record was there before the last part of the run began. */
export function isEarlier(
  { ends }: Pick<RunParts, 'ends'>,
  { wave, offset }: { readonly wave: number; readonly offset: number },
): boolean {
  return offset < (ends[String(wave)] ?? 0);
}
