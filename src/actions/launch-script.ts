import { COMMAND_VARIABLE, RUN_VARIABLE } from './leftovers.js';

/** What a launcher is told to run. */
export interface LaunchOrder {
  readonly argv: readonly string[];
  readonly cwd: string;
  /** Laid over the environment of the launcher. */
  readonly env: Readonly<Record<string, string>>;
  /** What its processes have in `COMMAND_VARIABLE`; absent: nothing. */
  readonly mark?: string;
  /** What its standard input holds; absent: nothing. */
  readonly stdin?: string | undefined;
}

/** The lines that a launcher's shell reads for one command, given the paths of its pipes, and what they leave to know. */
export interface LaunchScript {
  readonly text: (stdout: string, stderr: string) => string;
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

/** Descriptors of a launcher, from `=ready` until its first command: the pipes for output. */
export const STDOUT_PIPE = 8;
export const STDERR_PIPE = 9;

/**
 * What makes a launcher's shell ready. A request to end the group is for the command, not for the shell. A small
 * here-document is a pipe (in dash, busybox, and bash since 5.1), the only one that costs neither a process nor a name.
 */
export const LAUNCHER_PRELUDE = `trap : TERM
exec ${STDOUT_PIPE}<<A ${STDERR_PIPE}<<A
x
A
x
A
echo =ready >&2
`;

/**
 * Where a launcher has /dev/null, and a command its lifeline: a copy of standard error for which it has no use. Where a
 * process is left behind that has its output elsewhere, it shows in that the pipe of standard error is not at its end.
 */
const SPARE = 9;

/**
 * What a launcher's shell is told when the other side has opened the pipes. It closes them, so that nothing can read them but
 * that side: should it be killed, whatever writes ends. Its standard output is for statuses from then on.
 */
export const LEAVE_PIPES = `exec ${STDOUT_PIPE}<&- ${SPARE}</dev/null >&2\n`;

/** Ends what is left of the last command's group. */
export const END_GROUP = 'kill -TERM 0; ';

/**
 * The lines for a launcher's shell (POSIX; fast in dash, where `exec` and plain commands take one fork). Its standard output
 * is for the status: `=` and a number.
 *
 * A shell's text is evaluated in a forked copy of the launcher, so `cd`, `export`, `exit`, `trap`, `set -e`, redirections
 * and functions end with it. Nothing may test its status, or the shell would ignore `set -e` in it.
 *
 * `undefined` where a shell cannot say it: a zero byte, a variable that is no identifier, an order that is too long.
 */
export function launchScript({ argv, cwd, env, stdin, mark }: LaunchOrder): LaunchScript | undefined {
  const [program, ...args] = argv;
  if (program === undefined || program === '') return undefined;
  const shell = shellText(argv);
  const assignments = mark === undefined ? [] : [`${COMMAND_VARIABLE}=${mark}`];
  for (const name of Object.keys(env)) {
    if (!IDENTIFIER.test(name)) return undefined;
    // The launcher has it itself.
    if (name !== RUN_VARIABLE) assignments.push(`${name}=${quote(env[name] ?? '')}`);
  }
  const command = shell === undefined ? programLine(program, args, assignments) : textLine(shell, assignments);
  const before = `if cd ${quote(cwd)}; then ${stdin === undefined ? '' : `printf %s ${quote(stdin)} 2>/dev/null | `}${command}`;
  if (before.length > MOST_BYTES || before.includes('\0')) return undefined;
  const input = stdin === undefined ? ` <&${SPARE}` : '';
  return {
    text: (stdout, stderr) => `${before}${input} >${stdout} 2>${stderr} ${SPARE}>&2; echo "=$?"; else echo =cd; fi\n`,
    direct: shell === undefined || PLAIN_WORDS.test(shell.text) || ASKS_FOR_PID.test(shell.text),
    backgrounds: shell !== undefined && /(?<![&><])&(?![&>])/.test(shell.text),
  };
}

/** A text for the shell. */
export interface ShellText {
  readonly text: string;
  /** `-e`: it ends at the first command that fails. */
  readonly stops: boolean;
}

/** The text of a command that is one for the shell. */
export function shellText(argv: readonly string[]): ShellText | undefined {
  const text = argv.at(-1);
  if (argv[0] !== 'sh' || text === undefined) return undefined;
  if (argv.length === 3 && argv[1] === '-c') return { text, stops: false };
  return argv.length === 4 && argv[1] === '-e' && argv[2] === '-c' ? { text, stops: true } : undefined;
}

function textLine({ text, stops }: ShellText, assignments: readonly string[]): string {
  if (PLAIN_WORDS.test(text)) return [...assignments, text].join(' ');
  const exports = assignments.length === 0 ? '' : `export ${assignments.join(' ')}; `;
  const work = ASKS_FOR_PID.test(text)
    ? `exec sh ${stops ? '-e ' : ''}-c ${quote(text)}`
    : `${stops ? 'set -e; ' : ''}eval ${quote(text)}`;
  return `(${exports}${work})`;
}

/** With its path, a program is no builtin of the shell, which then needs no copy of itself to start it. */
function programLine(program: string, args: readonly string[], assignments: readonly string[]): string {
  const words = [program, ...args].map(quote);
  if (program.includes('/')) return [...assignments, ...words].join(' ');
  const exports = assignments.length === 0 ? '' : `export ${assignments.join(' ')}; `;
  return `(${exports}exec ${words.join(' ')})`;
}

/** A text as one word of the shell, whatever is in it. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
