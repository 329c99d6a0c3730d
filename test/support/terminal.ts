import { spawn } from '@lydell/node-pty';
import { cleanEnv, MAIN } from './cli.js';

/** The built command in a pseudo-terminal, driven as a person drives it. */
export interface Terminal {
  /** Everything printed so far. */
  readonly screen: () => string;
  /** Resolves when `text` was printed after what earlier waits found. */
  readonly waitFor: (text: string) => Promise<void>;
  readonly type: (text: string) => void;
  readonly exit: Promise<number>;
  readonly pid: number;
}

/** Starts the built command in a terminal of 100 by 50. */
export function inTerminal(args: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}): Terminal {
  const pty = spawn(process.execPath, [MAIN, ...args], {
    cwd,
    cols: 100,
    rows: 50,
    env: { ...cleanEnv(env), TERM: 'xterm-256color' },
  });
  let printed = '';
  let from = 0;
  const waiting = new Set<() => void>();
  const check = () => {
    for (const look of [...waiting]) look();
  };
  pty.onData((data) => {
    printed += data;
    check();
  });
  const exit = new Promise<number>((resolve) => {
    pty.onExit(({ exitCode }) => {
      resolve(exitCode);
      check();
    });
  });
  return {
    screen: () => printed,
    pid: pty.pid,
    type: (text) => pty.write(text),
    exit,
    waitFor: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const at = printed.indexOf(text, from);
          if (at < 0) return;
          from = at + text.length;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
        void exit.then(() => {
          if (waiting.delete(look)) reject(new Error(`the command ended before it printed ${JSON.stringify(text)}:\n${printed}`));
        });
      }),
  };
}
