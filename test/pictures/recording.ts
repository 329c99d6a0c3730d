import { spawn } from '@lydell/node-pty';
import unicode11 from '@xterm/addon-unicode11';
import xterm, { type IBufferCell } from '@xterm/headless';
import { ENDED, keptOpen } from '../support/kept-open.js';

/** A cell of a terminal's screen, as its emulator holds it. */
export interface Cell {
  readonly text: string;
  /** Columns: 2 for a wide character. What lies under its second half is no cell. */
  readonly width: number;
  readonly style: CellStyle;
}

export interface CellStyle {
  /** One of the sixteen colours of a terminal; absent: the default. */
  readonly color: number | undefined;
  readonly bold: boolean;
  readonly dim: boolean;
}

/** A command in a pseudo-terminal of a fixed size, seen through a terminal emulator. */
export interface Recording {
  /** Resolves when the screen, with what was scrolled off it, matches. Blanks at the ends of lines are left out. */
  readonly waitFor: (shows: RegExp) => Promise<void>;
  readonly type: (text: string) => void;
  /** All lines from the first to the last that is not empty. */
  readonly lines: () => readonly (readonly Cell[])[];
  readonly exit: Promise<number>;
  /** Closes the terminal, as its window's button does. */
  readonly end: () => void;
}

export interface RecordingOptions {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly columns: number;
  readonly rows: number;
}

export function record({ command, cwd, env, columns, rows }: RecordingOptions): Recording {
  const screen = new xterm.Terminal({ cols: columns, rows, scrollback: 1000, allowProposedApi: true });
  // Without it an emoji takes one column, as in a terminal of twenty years ago.
  screen.loadAddon(new unicode11.Unicode11Addon());
  screen.unicode.activeVersion = '11';
  const pty = spawn(...keptOpen(command), { cwd, cols: columns, rows, env: { ...env, TERM: 'xterm-256color' } });
  const waiting = new Set<() => void>();
  const look = () => {
    for (const each of [...waiting]) each();
  };
  // What the emulator answers (where the cursor is, for instance) goes back to the command, as a terminal's answers do.
  screen.onData((answer) => pty.write(answer));
  pty.onData((data) => screen.write(data, look));
  const exit = new Promise<number>((resolve) => {
    // The emulator takes what it is given in order: it has drawn everything that was printed before this.
    screen.parser.registerOscHandler(ENDED, (code) => {
      resolve(Number(code));
      pty.write('\n');
      return true;
    });
    // Where the terminal is closed, nothing tells of the end.
    pty.onExit(({ exitCode }) => screen.write('', () => resolve(exitCode)));
  });
  const text = () => {
    const buffer = screen.buffer.active;
    return Array.from({ length: buffer.length }, (_, row) => buffer.getLine(row)?.translateToString(true) ?? '')
      .join('\n')
      .trimEnd();
  };
  let over = false;
  void exit.then(() => {
    over = true;
  });
  return {
    exit,
    end: () => {
      if (!over) pty.kill();
    },
    type: (keys) => pty.write(keys),
    lines: () => {
      const buffer = screen.buffer.active;
      const lines = Array.from({ length: buffer.length }, (_, row) => cellsOf(row, columns, screen));
      return lines.slice(0, lines.findLastIndex((cells) => cells.some((cell) => cell.text.trim() !== '')) + 1);
    },
    waitFor: (shows) =>
      new Promise((resolve, reject) => {
        const check = () => {
          if (!shows.test(text())) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
        void exit.then((code) => {
          check();
          if (waiting.delete(check)) reject(new Error(`the command ended with ${code} and never showed ${shows}:\n${text()}`));
        });
      }),
  };
}

function cellsOf(row: number, columns: number, screen: InstanceType<typeof xterm.Terminal>): readonly Cell[] {
  const line = screen.buffer.active.getLine(row);
  const cells: Cell[] = [];
  for (let column = 0; column < columns; column++) {
    const cell = line?.getCell(column);
    if (cell === undefined || cell.getWidth() === 0) continue;
    cells.push({ text: cell.getChars() || ' ', width: cell.getWidth(), style: styleOf(cell) });
  }
  return cells;
}

function styleOf(cell: IBufferCell): CellStyle {
  const color = cell.isFgPalette() ? cell.getFgColor() : undefined;
  return { color, bold: cell.isBold() !== 0, dim: cell.isDim() !== 0 };
}
