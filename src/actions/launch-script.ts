/** What a launcher is told to run. */
export interface LaunchOrder {
  readonly argv: readonly string[];
  readonly cwd: string;
  /** Laid over the environment of the launcher. */
  readonly env: Readonly<Record<string, string>>;
}

/** The lines that a launcher's shell reads for one command, and what they leave to know. */
export interface LaunchScript {
  readonly text: string;
  /**
   * Whether the status is that of the program itself. Else it is that of a shell that ran it, and above 128 it may be the
   * shell's word for a signal.
   */
  readonly direct: boolean;
  /** The command may leave processes behind on purpose. */
  readonly backgrounds: boolean;
}

/** Longer orders are started by Node itself: they are rare, and an argument that is too long has its own error there. */
const MOST_BYTES = 32 * 1024;
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** A program with its path and plain words: no shell could read anything else into it. */
const PLAIN_WORDS = /^\/[A-Za-z0-9_./+-]+(?: +[A-Za-z0-9_.,:=@%/+-]+)*$/;
/** The process id of a shell: every command has its own, so one that asks for it gets a shell of its own. */
const ASKS_FOR_PID = /\$(?:\$|\{\$|PPID|\{PPID)/;

/** What makes a launcher's shell ready: a request to end the group is for the command, not for the shell. */
export const LAUNCHER_PRELUDE = 'trap : TERM\n';

/**
 * The lines for a launcher's shell (POSIX; fast in dash, where `exec` and plain commands take one fork). Standard output is
 * the launcher's own, standard error its descriptor 3, and its standard error is for the status: `=` and a number.
 *
 * A shell's text is evaluated in a forked copy of the launcher, so `cd`, `export`, `exit`, `trap`, `set -e`, redirections
 * and functions end with it. When the command has ended, whatever it left in the group is told to end.
 *
 * `undefined` where a shell cannot say it: a zero byte, a variable that is no identifier, an order that is too long.
 */
export function launchScript({ argv, cwd, env }: LaunchOrder): LaunchScript | undefined {
  const [program, ...args] = argv;
  if (program === undefined || program === '') return undefined;
  const names = Object.keys(env);
  if (!names.every((name) => IDENTIFIER.test(name))) return undefined;
  const shellText = isShell(argv) ? argv[2] : undefined;
  const assignments = names.map((name) => `${name}=${quote(env[name] ?? '')}`);
  const command = shellText === undefined ? programLine(program, args, assignments) : textLine(shellText, assignments);
  const text = `if cd ${quote(cwd)} 2>/dev/null; then ${command}; echo "=$?" >&2; else echo "=cd" >&2; fi; kill -TERM 0\n`;
  if (text.length > MOST_BYTES || text.includes('\0')) return undefined;
  const direct = shellText === undefined || PLAIN_WORDS.test(shellText) || ASKS_FOR_PID.test(shellText);
  return { text, direct, backgrounds: shellText !== undefined && /(?<![&><])&(?![&>])/.test(shellText) };
}

/** Whether a command is a text for the shell. */
export function isShell(argv: readonly string[]): boolean {
  return argv.length === 3 && argv[0] === 'sh' && argv[1] === '-c';
}

const REDIRECT = '</dev/null 2>&3 3>&-';

function textLine(text: string, assignments: readonly string[]): string {
  if (PLAIN_WORDS.test(text)) return [...assignments, text, REDIRECT].join(' ');
  const exports = assignments.length === 0 ? '' : `export ${assignments.join(' ')}; `;
  const work = ASKS_FOR_PID.test(text) ? `exec sh -c ${quote(text)}` : `eval ${quote(text)}`;
  return `(${exports}${work}) ${REDIRECT}`;
}

/** With its path, a program is no builtin of the shell, which then needs no copy of itself to start it. */
function programLine(program: string, args: readonly string[], assignments: readonly string[]): string {
  const words = [program, ...args].map(quote);
  if (program.includes('/')) return [...assignments, ...words, REDIRECT].join(' ');
  const exports = assignments.length === 0 ? '' : `export ${assignments.join(' ')}; `;
  return `(${exports}exec ${words.join(' ')}) ${REDIRECT}`;
}

/** A text as one word of the shell, whatever is in it. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
