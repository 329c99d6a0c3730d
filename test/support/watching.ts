import { type ChildProcess, spawn } from 'node:child_process';
import { afterEach } from 'vitest';
import { cleanEnv, MAIN } from './cli.js';
import { PATIENCE_MS } from './processes.js';

/** `waveplan watch`, without a terminal. */
export interface Watching {
  readonly text: () => string;
  /** Resolves when `text` was printed after what earlier waits found; with what was printed up to it. */
  readonly waitFor: (text: string) => Promise<string>;
  readonly signal: (signal: NodeJS.Signals) => void;
  readonly pid: number;
  readonly exit: Promise<number | null>;
}

const running = new Set<ChildProcess>();
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
});

/** Starts it; it is ended with the test. `node`: how Node is started. */
export function watching(
  args: readonly string[],
  cwd: string,
  node: { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> } = { args: [], env: {} },
): Watching {
  const env = { ...cleanEnv(), ...node.env };
  const child = spawn(process.execPath, [...node.args, MAIN, 'watch', ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  let [printed, from] = ['', 0];
  const looks = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      printed += chunk;
      for (const look of [...looks]) look();
    });
  }
  const exit = new Promise<number | null>((resolve) => {
    child.on('close', (code) => {
      running.delete(child);
      resolve(code);
    });
  });
  return {
    text: () => printed,
    pid: child.pid ?? 0,
    signal: (signal) => child.kill(signal),
    exit,
    waitFor: (text) =>
      new Promise((resolve, reject) => {
        const vainly = setTimeout(
          () => reject(new Error(`waited in vain for ${JSON.stringify(text)}:\n${printed}`)),
          PATIENCE_MS,
        );
        const look = () => {
          const at = printed.indexOf(text, from);
          if (at < 0) return;
          const found = printed.slice(from, at + text.length);
          from = at + text.length;
          looks.delete(look);
          clearTimeout(vainly);
          resolve(found);
        };
        looks.add(look);
        look();
        void exit.then(() => {
          clearTimeout(vainly);
          if (looks.delete(look)) reject(new Error(`it ended before it printed ${JSON.stringify(text)}:\n${printed}`));
        });
      }),
  };
}
