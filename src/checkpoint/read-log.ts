import { join } from 'node:path';
import { openRegular } from '../data/files.js';
import { displayText } from '../data/text.js';
import { logFileName } from './run-store.js';

/** The end of what a subtask said, at most `bytes` of it; `undefined` where nothing was kept. */
export async function readLogTail(runDir: string, subtask: string, bytes: number): Promise<string | undefined> {
  try {
    const handle = await openRegular(join(runDir, 'logs', logFileName(subtask)));
    try {
      const { size } = await handle.stat();
      const length = Math.min(size, bytes);
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, size - length);
      const text = displayText(buffer, 0, bytesRead);
      // A cut through the middle of a character, or of a line, leaves a part that says nothing.
      return size > length ? text.slice(text.indexOf('\n') + 1) : text;
    } finally {
      await handle.close();
    }
  } catch {
    return undefined;
  }
}
