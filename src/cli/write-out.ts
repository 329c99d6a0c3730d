import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { finished } from 'node:stream/promises';
import { makeFolders } from '../checkpoint/atomic-file.js';
import { type EnvironmentProblem, systemProblem } from '../checkpoint/problem.js';
import { err, ok, type Result } from '../model/result.js';
import type { ReportText } from './report-formats.js';

/** Writes a text that comes in pieces to a file; the folder is made where it is missing. */
export async function writeToFile(path: string, text: ReportText): Promise<Result<void, EnvironmentProblem>> {
  const file = resolve(path);
  try {
    await makeFolders(dirname(file));
    const stream = createWriteStream(file);
    const done = finished(stream);
    // Whoever waits below learns of it; until then it is no unhandled rejection.
    done.catch(() => undefined);
    for await (const piece of text) if (!stream.write(piece)) await Promise.race([once(stream, 'drain'), done]);
    stream.end();
    await done;
    return ok(undefined);
  } catch (error) {
    return err(systemProblem(`write ${file}`, error));
  }
}

/** Prints it as fast as its reader takes it; ends early where the reader goes away. */
export async function writeToOutput(text: ReportText): Promise<void> {
  const { stdout } = process;
  for await (const piece of text) {
    if (stdout.destroyed || stdout.errored) return;
    if (!stdout.write(piece)) await Promise.race([once(stdout, 'drain'), once(stdout, 'close')]).catch(() => undefined);
  }
}
