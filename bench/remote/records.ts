import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fromRecordLine } from '../../src/data/checkpoint-line.ts';
import type { Checkpoint } from '../../src/model/checkpoint.ts';

/** The folder of the last run that worked in a folder; undefined before its first record. */
export function lastRunIn(folder: string): string | undefined {
  const runs = join(folder, '.waveplan', 'runs');
  if (!existsSync(runs)) return undefined;
  const last = readdirSync(runs).sort().at(-1);
  return last === undefined ? undefined : join(runs, last);
}

/** Bytes of records that the last run wrote so far. */
export function recordedBytes(folder: string): number {
  return waveFiles(folder).reduce((sum, file) => sum + statSync(file).size, 0);
}

/** The whole records of the last run, in the order in which each wave's were written. A line that lost its end is none. */
export function recordsOf(folder: string): readonly Checkpoint[] {
  return waveFiles(folder).flatMap((file) =>
    readFileSync(file, 'latin1')
      .split('\n')
      .flatMap((line) => fromRecordLine(Buffer.from(line, 'latin1')) ?? []),
  );
}

function waveFiles(folder: string): readonly string[] {
  const run = lastRunIn(folder);
  if (run === undefined) return [];
  return readdirSync(run)
    .filter((name) => /^wave\d+\.ndjson$/.test(name))
    .sort()
    .map((name) => join(run, name));
}
