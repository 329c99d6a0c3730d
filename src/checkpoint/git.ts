import type { SimpleGitOptions } from 'simple-git';
import { err, ok, type Result } from '../model/result.js';
import type { EnvironmentProblem } from './problem.js';

/**
 * The only file that imports simple-git. It turns one git command into a value: its bytes, or how it failed.
 *
 * What simple-git does by default and is not wanted here: an exit code other than 0 with nothing on stderr, and an end
 * by a signal, count as success; output that comes later than 50 ms after the exit is dropped; stdout is decoded as
 * UTF-8, which damages other file names; stdin stays open.
 */

/** How to run one git command. */
export interface GitOptions {
  /** Written to stdin, which is then closed. */
  readonly input?: string | Buffer;
  /** Laid over the process environment. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * `plumbing` (the default) runs no hooks and asks no file system monitor, so that nothing of the user's can alter what
   * is saved. `user` behaves as the user's own `git` would: for making the commit.
   */
  readonly manners?: 'plumbing' | 'user';
}

/** How a git command failed. */
export type GitFailure =
  | { readonly kind: 'not-installed' }
  /** `code` is null where a signal ended it. */
  | {
      readonly kind: 'failed';
      readonly command: string;
      readonly code: number | null;
      readonly stdout: Buffer;
      readonly stderr: string;
    };

/** The variables of the user's environment that still apply; those that point at another repository or index do not. */
const INHERITED =
  /^GIT_(AUTHOR|COMMITTER)_(NAME|EMAIL|DATE)$|^GIT_CONFIG_|^GIT_CONFIG$|^GIT_(SSH|SSH_COMMAND|ASKPASS|TERMINAL_PROMPT|CEILING_DIRECTORIES|DISCOVERY_ACROSS_FILESYSTEM|TRACE\w*)$/;

/** Variables beyond GIT_* that simple-git refuses; none of the commands here needs an editor or a pager. */
const REFUSED: ReadonlySet<string> = new Set(['EDITOR', 'VISUAL', 'PAGER', 'PREFIX', 'SSH_ASKPASS']);

/**
 * simple-git guards against arguments from strangers. All arguments here are ours, and the environment is the user's own,
 * which their git reads anyway; refusing it would only make a CI machine's settings fatal.
 */
const UNSAFE: NonNullable<SimpleGitOptions['unsafe']> = {
  allowUnsafeAlias: true,
  allowUnsafeAskPass: true,
  allowUnsafeConfigPaths: true,
  allowUnsafeConfigEnvCount: true,
  allowUnsafeCredentialHelper: true,
  allowUnsafeDiffExternal: true,
  allowUnsafeDiffTextConv: true,
  allowUnsafeEditor: true,
  allowUnsafeFilter: true,
  allowUnsafeFsMonitor: true,
  allowUnsafeGitProxy: true,
  allowUnsafeGpgProgram: true,
  allowUnsafeHooksPath: true,
  allowUnsafeInclude: true,
  allowUnsafeMergeDriver: true,
  allowUnsafePack: true,
  allowUnsafePager: true,
  allowUnsafeProtocolOverride: true,
  allowUnsafeSshCommand: true,
  allowUnsafeSubmodule: true,
  allowUnsafeTemplateDir: true,
  allowUnsafeUrlRewrite: true,
};

const PLUMBING_CONFIG: readonly string[] = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  // Would refuse to save a file whose line ends git is going to change.
  'core.safecrlf=false',
  'submodule.recurse=false',
  'advice.addEmbeddedRepo=false',
  'core.quotePath=false',
];

/** Runs git in `folder` and returns what it wrote to stdout. Expects exit code 0. */
export async function git(
  folder: string,
  args: readonly string[],
  options: GitOptions = {},
): Promise<Result<Buffer, GitFailure>> {
  const { simpleGit } = await import('simple-git');
  const environment = gitEnvironment(options.env ?? {});
  const manners = options.manners ?? 'plumbing';
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  let end: { readonly code: number | null } | undefined;
  const client = simpleGit({
    baseDir: folder,
    config: manners === 'plumbing' ? [...PLUMBING_CONFIG] : [],
    unsafe: UNSAFE,
    allowEnvironment: Object.keys(environment),
    // A hook may leave a process behind that holds the pipes: the commit is then done although they do not close.
    completion: { onClose: true, onExit: manners === 'plumbing' ? false : 1000 },
    input: () => (typeof options.input === 'string' ? Buffer.from(options.input) : (options.input ?? Buffer.alloc(0))),
    errors: (error, result) => {
      end = { code: result.exitCode };
      return error ?? (result.exitCode === 0 ? undefined : new Error('git failed'));
    },
  });
  client.env(environment).outputHandler((_command, out, error) => {
    out.on('data', (chunk: Buffer) => stdout.push(chunk));
    error.on('data', (chunk: Buffer) => stderr.push(chunk));
    // simple-git gives a command that said nothing another 50 ms; it goes by 'data' events, so an empty one saves them.
    out.once('end', () => out.emit('data', Buffer.alloc(0)));
  });
  try {
    await client.raw([...args]);
    return ok(Buffer.concat(stdout));
  } catch (error) {
    // Without an end, git was never started: simple-git itself refused, which is a bug in the options above.
    if (end === undefined) throw error;
    // A spawn that fails is reported through stderr only, with this negative code.
    if (end.code !== null && end.code < 0) return err({ kind: 'not-installed' });
    const text = Buffer.concat(stderr).toString();
    return err({ kind: 'failed', command: `git ${args[0] ?? ''}`, code: end.code, stdout: Buffer.concat(stdout), stderr: text });
  }
}

/** The same, as text without the final line end: for ids and names of ours. */
export async function gitText(
  folder: string,
  args: readonly string[],
  options: GitOptions = {},
): Promise<Result<string, GitFailure>> {
  const result = await git(folder, args, options);
  return result.ok ? ok(result.value.toString().replace(/\n$/, '')) : result;
}

/** What a user is told when git refuses. `doing` completes 'git could not …'; the hint gives the way out. */
export function gitProblem(doing: string, failure: GitFailure, hint: string): EnvironmentProblem {
  if (failure.kind === 'not-installed') {
    return { message: 'git is not installed, or not on the PATH', hint: 'install git, or run without a backup: --backup none' };
  }
  const end = failure.code === null ? 'it was ended by a signal' : `exit code ${failure.code}`;
  const said = outputOf(failure);
  if (said.includes('safe.directory')) {
    return {
      message: `git could not ${doing}: the repository belongs to another user`,
      hint: 'git config --global --add safe.directory <folder>',
    };
  }
  return {
    message: said === '' ? `git could not ${doing} (${failure.command}: ${end})` : `git could not ${doing}: ${said}`,
    hint,
  };
}

/** The end of what git, or what it started, said; empty where it said nothing. */
export function outputOf(failure: GitFailure): string {
  if (failure.kind === 'not-installed') return '';
  return lastLines(failure.stderr) || lastLines(failure.stdout.toString());
}

/** NUL-separated output as names. Latin-1 keeps every byte, so that a name that is not UTF-8 can be handed back to git. */
export function namesOf(output: Buffer): string[] {
  const names = output.toString('latin1').split('\0');
  if (names.at(-1) === '') names.pop();
  return names;
}

/** The inverse of `namesOf`, for `--stdin -z`. */
export function nulTerminated(names: readonly string[]): Buffer {
  return Buffer.from(names.map((name) => `${name}\0`).join(''), 'latin1');
}

/** A name from `namesOf` as people read it. */
export function readableName(name: string): string {
  return Buffer.from(name, 'latin1').toString();
}

function gitEnvironment(own: Readonly<Record<string, string>>): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [key, value] of Object.entries(process.env)) {
    if (value === undefined) continue;
    const name = key.toUpperCase();
    if (REFUSED.has(name) || (name.startsWith('GIT_') && !INHERITED.test(name))) continue;
    environment[key] = value;
  }
  // Reading must not touch the user's index, and nothing may wait for a password that nobody is asked for.
  return { ...environment, GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0', ...own };
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-8).join('\n').slice(-1500);
}
