import { rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** All of the new text or all of the old, whenever the run is cut short. */
export async function replaceFile(file: string, text: string): Promise<void> {
  const beside = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}.tmp`);
  try {
    await writeFile(beside, text, { mode: (await stat(file)).mode });
    await rename(beside, file);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}
