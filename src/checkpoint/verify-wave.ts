import { crc32 } from 'node:zlib';
import { piecesOfRegular } from '../data/files.js';
import { type Journal, waveFile } from './journal.js';
import { type RecordFilter, readWave } from './read-journal.js';
import type { WrittenWave } from './wave-file.js';

/**
 * Makes sure that a wave's checkpoints are on the disk, reads them back, and counts them. Where the bytes are the ones that
 * were written, the counts are known; only where they are not does every line have to be looked at. What cannot be read is
 * missing. `counts` admits the records of a run that was resumed, whose file may hold others.
 */
export async function verifyWave(
  journal: Journal,
  runDir: string,
  wave: number,
  counts?: RecordFilter,
): Promise<{ readonly recorded: number; readonly failed: number }> {
  await journal.closeWave(wave);
  const written = journal.written(wave);
  if (written.begin === 0 && (await holds(waveFile(runDir, wave), written)))
    return { recorded: written.records, failed: written.failures };
  const tally = await readWave(runDir, wave, counts);
  return tally.ok ? { recorded: tally.value.distinct, failed: tally.value.failed } : { recorded: 0, failed: 0 };
}

/** Whether a file is what was written, to the byte. */
async function holds(path: string, { bytes, crc }: WrittenWave): Promise<boolean> {
  let length = 0;
  let found = 0;
  try {
    for await (const chunk of piecesOfRegular(path, 1024 * 1024)) {
      length += chunk.length;
      found = crc32(chunk, found);
    }
  } catch {
    return false;
  }
  return length === bytes && found === crc;
}
