import { spawn } from '@lydell/node-pty';
import { cleanEnv, MAIN } from './cli.js';
import { ENDED, keptOpen } from './kept-open.js';
import { PATIENCE_MS } from './processes.js';

/** The built command in a pseudo-terminal, driven as a person drives it. */
export interface Terminal {
  /** Everything printed so far. */
  readonly screen: () => string;
  /** Resolves when `text` was printed after what earlier waits found. */
  readonly waitFor: (text: string) => Promise<void>;
  readonly type: (text: string) => void;
  /** When it has ended, and everything that it printed is on the screen. */
  readonly exit: Promise<number>;
}

const END = new RegExp(`\u001b\\]${ENDED};(\\d+)\u0007`);

/** Starts the built command in a terminal of 100 by 50. */
export function inTerminal(args: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}): Terminal {
  const pty = spawn(...keptOpen([process.execPath, MAIN, ...args]), {
    cwd,
    cols: 100,
    rows: 50,
    env: { ...cleanEnv(env), TERM: 'xterm-256color' },
  });
  let printed = '';
  let from = 0;
  let ended: (code: number) => void = () => {};
  const exit = new Promise<number>((resolve) => {
    ended = resolve;
  });
  const waiting = new Set<() => void>();
  pty.onData((data) => {
    printed += data;
    const end = END.exec(printed);
    if (end !== null) printed = printed.slice(0, end.index);
    for (const look of [...waiting]) look();
    if (end === null) return;
    ended(Number(end[1]));
    pty.write('\n');
  });
  return {
    screen: () => printed,
    type: (text) => pty.write(text),
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
          from = at + text.length;
          waiting.delete(look);
          clearTimeout(vainly);
          resolve();
        };
        waiting.add(look);
        look();
        void exit.then(() => {
          clearTimeout(vainly);
          if (waiting.delete(look)) reject(new Error(`the command ended before it printed ${JSON.stringify(text)}:\n${printed}`));
        });
      }),
  };
}
