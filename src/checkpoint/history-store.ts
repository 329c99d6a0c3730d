import { join } from 'node:path';
import { openRegular, openToAppend } from '../data/files.js';
import { displayText } from '../data/text.js';
import { err, ok, type Result } from '../model/result.js';
import type { HistoryRecord } from '../scaling/history.js';
import { type EnvironmentProblem, errnoOf, systemProblem } from './problem.js';
import { jsonOf } from './state-file.js';

/** Only so much of the end of the file is read: records are some 250 bytes, and only the newest count. */
const READ_BYTES = 4 * 1024 * 1024;

/** The newest records of a state folder's history, oldest first. No file is no history; a line that is no record is passed over. */
export async function readHistory(stateDir: string): Promise<readonly HistoryRecord[]> {
  const text = await readEnd(historyFile(stateDir));
  return text.split('\n').flatMap((line) => {
    const record = parseRecord(line);
    return record === undefined ? [] : [record];
  });
}

/** Adds what a run learned, in one write. */
export async function appendHistory(
  stateDir: string,
  records: readonly HistoryRecord[],
): Promise<Result<void, EnvironmentProblem>> {
  if (records.length === 0) return ok(undefined);
  const file = historyFile(stateDir);
  try {
    // A line break first: a run that was killed may have left a torn line.
    const handle = await openToAppend(file);
    try {
      await handle.appendFile(`\n${records.map((record) => JSON.stringify(record)).join('\n')}\n`);
    } finally {
      await handle.close();
    }
    return ok(undefined);
  } catch (error) {
    return err(systemProblem(`write ${file}`, error));
  }
}

function historyFile(stateDir: string): string {
  return join(stateDir, 'history.ndjson');
}

async function readEnd(file: string): Promise<string> {
  try {
    const handle = await openRegular(file);
    try {
      const { size } = await handle.stat();
      const length = Math.min(size, READ_BYTES);
      const { buffer } = await handle.read(Buffer.alloc(length), 0, length, size - length);
      return displayText(buffer);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return '';
  }
}

function parseRecord(line: string): HistoryRecord | undefined {
  if (line === '') return undefined;
  const value: unknown = jsonOf(line);
  return isRecord(value) ? value : undefined;
}

function isRecord(value: unknown): value is HistoryRecord {
  if (typeof value !== 'object' || value === null) return false;
  const field = (name: string) => (value as Readonly<Record<string, unknown>>)[name];
  if (typeof field('key') !== 'string' || typeof field('machine') !== 'string') return false;
  if (field('kind') === 'wave') return Number.isFinite(field('extra_seconds'));
  return (
    field('kind') === 'task' &&
    ['mean_ms', 'median_ms', 'quartile_range_ms', 'max_ms', 'cpu_share'].every((name) => Number.isFinite(field(name)))
  );
}
