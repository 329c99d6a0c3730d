import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { TaskContext } from '../../../src/actions/task-context.js';

/** A context as a subtask gets it, in the given folder; commands are really run, log lines are kept. */
export function fakeContext(folder: string): TaskContext & { readonly logged: string[] } {
  const logged: string[] = [];
  return {
    signal: new AbortController().signal,
    log: (text) => logged.push(text),
    logged,
    item: undefined,
    index: undefined,
    attempt: 1,
    folder,
    results: () => Promise.reject(new Error('no other tasks here')),
    exec: ([program = '', ...args]) =>
      new Promise((resolve) => {
        const child = execFile(program, args, { cwd: folder }, (_, stdout, stderr) =>
          resolve({ exitCode: child.exitCode, stdout, stderr }),
        );
      }),
  };
}

/** A folder with the given files, by path; removed when the test is over. */
export async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'waveplan-plans-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [file, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
    await writeFile(path.join(folder, file), text);
  }
  return folder;
}
