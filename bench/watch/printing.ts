import { type ChildProcess, spawn } from 'node:child_process';

/** A process that prints lines, one of which is waited for. */
export interface Printing {
  readonly child: ChildProcess;
  /** Resolves when a text was printed after what earlier waits found. */
  readonly next: (text: string) => Promise<void>;
  /** Sends a signal, and resolves when the process has ended. */
  readonly end: (signal: NodeJS.Signals) => Promise<void>;
}

/** Starts Node with these arguments. */
export function printing(args: readonly string[], folder: string, env: Readonly<Record<string, string>> = {}): Printing {
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  let look = () => {};
  let fail: (error: Error) => void = () => {};
  child.once('exit', () => fail(new Error('a process ended too early')));
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    printed += chunk;
    look();
  });
  const next = (text: string) =>
    new Promise<void>((resolve, reject) => {
      look = () => {
        const at = printed.indexOf(text);
        if (at < 0) return;
        printed = printed.slice(at + text.length);
        look = () => {};
        fail = () => {};
        resolve();
      };
      fail = reject;
      look();
    });
  const end = (signal: NodeJS.Signals) =>
    new Promise<void>((resolve) => {
      child.once('close', () => resolve());
      child.kill(signal);
    });
  return { child, next, end };
}
