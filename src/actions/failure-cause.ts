import { stripVTControlCharacters } from 'node:util';

/*
 * Finds the line of a failed command's output that names the error. Programs end with other things: a stack, hints, `Node.js
 * v20.19.0`, a summary, or the line by which `make` repeats an exit code.
 *
 * Each rule knows one program's format. A rule is linear in its line, lines are cut, and the output is a tail of 16 KiB, so
 * that hostile output costs milliseconds.
 */

/** The end of what a command printed. */
export interface PrintedOutput {
  readonly stdout: string;
  readonly stderr: string;
}

/** The text that a rule finds in the lines of a stream. */
type Rule = (lines: readonly string[]) => string | undefined;

/** Lines that are read, from the end, and characters of each. */
const MOST_LINES = 1000;
const LINE_LENGTH = 2000;

/** The line that names the error, with the cause beneath it where the program tells one. undefined where nothing does. */
export function causeIn({ stdout, stderr }: PrintedOutput): string | undefined {
  const errors = linesOf(stderr);
  const output = linesOf(stdout);
  return (
    firstOf([...CRASHES, ...REPORTS, ...MESSAGES], errors) ??
    // Compilers, linters and test runners print to standard output.
    firstOf(REPORTS, output) ??
    lastLine(errors, (line) => !isNoise(line)) ??
    // All that is known where a command joins its streams (`2>&1`). Without a rule, a line here is as likely progress.
    firstOf([...CRASHES, ...MESSAGES], output) ??
    firstOf(WRAPPERS, errors)
  );
}

function linesOf(text: string): readonly string[] {
  if (text === '') return [];
  return stripVTControlCharacters(text)
    .split(/\r\n|[\r\n]/)
    .slice(-MOST_LINES)
    .map((line) => line.slice(0, LINE_LENGTH).trimEnd());
}

function firstOf(rules: readonly Rule[], lines: readonly string[]): string | undefined {
  if (lines.length === 0) return undefined;
  for (const rule of rules) {
    const found = rule(lines);
    if (found !== undefined && found !== '') return found;
  }
  return undefined;
}

function lastLine(lines: readonly string[], holds: (line: string) => boolean): string | undefined {
  return lines.findLast(holds)?.trim();
}

type Wording = (lines: readonly string[], at: number) => string;

function first(pattern: RegExp, wording: Wording = lineAt): Rule {
  return (lines) => {
    const at = lines.findIndex((line) => pattern.test(line) && !isNoise(line));
    return at < 0 ? undefined : wording(lines, at);
  };
}

function last(pattern: RegExp, wording: Wording = lineAt): Rule {
  return (lines) => {
    const at = lines.findLastIndex((line) => pattern.test(line) && !isNoise(line));
    return at < 0 ? undefined : wording(lines, at);
  };
}

function lineAt(lines: readonly string[], at: number): string {
  return (lines[at] ?? '').trim();
}

/** With the message on the next line. */
function withNext(lines: readonly string[], at: number): string {
  const next = lines.slice(at + 1).find((line) => line !== '');
  const line = lineAt(lines, at).replace(/:$/, '');
  return next === undefined ? line : `${line}: ${next.trim()}`;
}

/** With the file that heads a list of places. */
function withFile(lines: readonly string[], at: number): string {
  const file = lines.slice(0, at).findLast((line) => /^\S/.test(line));
  return file === undefined ? lineAt(lines, at) : `${file}: ${lineAt(lines, at)}`;
}

/** With the innermost of the causes that Node, Java and Rust's anyhow print below an error. */
function withCause(lines: readonly string[], at: number): string {
  const line = lineAt(lines, at)
    .replace(/ \{$/, '')
    .replace(/^\[(.*)\]$/, '$1');
  const below = lines.slice(at + 1);
  const found = below.findLastIndex((each) => /^\s*\[cause\]: |^Caused by:/.test(each));
  const errors = below.findIndex((each) => /^\s*\[errors\]: \[$/.test(each));
  const named = below[found]?.replace(/^\s*\[cause\]: |^Caused by:\s*/, '') || below[found < 0 ? errors + 1 : found + 1];
  if (named === undefined || (found < 0 && errors < 0)) return line.endsWith(':') ? withNext(lines, at) : line;
  const cause = named.trim().replace(/ \{$|^\d+: /, '');
  return line.includes(cause) ? line : `${line} (cause: ${cause})`;
}

/** An uncaught error of Node: below the source line and its caret, above the version. */
function nodeCrash(lines: readonly string[]): string | undefined {
  const end = lines.findLastIndex((line) => /^Node\.js v\d/.test(line));
  const caret = lines.slice(0, Math.max(0, end)).findLastIndex((line) => /^\s*\^+$/.test(line));
  const at = lines.findIndex((line, i) => i > caret && line !== '');
  return caret < 0 || at >= end ? undefined : withCause(lines, at);
}

/** The line that ends Python's last traceback, also within the frame of an exception group. */
function pythonTraceback(lines: readonly string[]): string | undefined {
  const start = lines.findLastIndex((line) => line.endsWith('Traceback (most recent call last):'));
  if (start < 0) return undefined;
  return lines
    .slice(start + 1)
    .map((line) => line.replace(/^ *\| /, ''))
    .find((line) => /^\S/.test(line));
}

/** Without the thread's id, which is another each time. */
function rustPanic(lines: readonly string[], at: number): string {
  const line = lineAt(lines, at).replace(/^thread '.*?' (?:\(\d+\) )?/, '');
  return line.endsWith(':') ? `${line} ${lineAt(lines, at + 1)}`.trimEnd() : line;
}

/** Line that an error class begins: `TypeError: …`, `java.io.IOException: …`, `Error [ERR_X]: …`, a bare `AssertionError`. */
const ERROR_CLASS = /^(?:Uncaught |\[)?[A-Za-z_$][\w$.:]*(?:Error|Exception|Failure|Interrupt)(?: \[\w+\])?(?::|\]|$)/;

/** A program that ended by an error nobody caught. */
const CRASHES: readonly Rule[] = [
  nodeCrash,
  pythonTraceback,
  // Java, and .NET.
  last(/^Exception in thread "/, withCause),
  last(/^Unhandled exception[.:] /i),
  // Go.
  first(/^(?:panic|fatal error): /),
  // Rust: the first of several panics is the cause of the others.
  first(/^thread '.*' (?:\(\d+\) )?panicked at /, rustPanic),
  last(/^(?:PHP )?(?:Fatal|Parse) error: /),
  // Ruby: `a.rb:1:in 'f': message (RuntimeError)`.
  first(/^\S+:\d+:in [`'].*\([\w:]+\)$/),
  // Elixir.
  first(/^\*\* \(\w/),
];

/** A list of errors. The first is the cause of many that follow. */
const REPORTS: readonly Rule[] = [
  // gcc, clang, javac, kotlinc, swiftc, mypy.
  first(/^\S[^:]*:\d+(?::\d+)?: (?:fatal )?error: /),
  // rustc and cargo.
  first(/^error\[E\d+\]: /),
  // tsc, csc and MSBuild; tsc --pretty; both without a file.
  first(/^\S.*\(\d+,\d+\): error [A-Z]+\d+: /),
  first(/^\S.*:\d+:\d+ - error TS\d+: /),
  first(/^(?:MSBUILD : )?error [A-Z]+\d+: /),
  // go build, go vet.
  first(/^\S+\.go:\d+:\d+: /),
  // Linkers.
  first(/: undefined reference to /),
  // ESLint: the file is the heading of its lines. Its format `unix`; flake8 and ruff.
  first(/^\s+\d+:\d+\s+error\s/, withFile),
  first(/^\S+:\d+:\d+: (?:.*\[Error\/|[A-Z]+\d+ )/),
  // pytest: the summary, else the lines below a source excerpt.
  first(/^(?:FAILED|ERROR) \S+(?:::|\.py)/),
  first(/^E {3}\S/),
  // Jest, Vitest, go test, TAP, Mocha and node:test.
  first(/^\s*● \S.* › /, withNext),
  first(/^\s*FAIL\s.* > /, withNext),
  first(/^\s*--- FAIL: /, withNext),
  first(/^\s*not ok \d+(?!.*# (?:TODO|SKIP))/),
  first(/^\s*AssertionError\b/),
  // Maven; Gradle.
  first(/^\[ERROR\] (?!COMPILATION ERROR|-+$)\S/),
  first(/^\* What went wrong:$/, withNext),
];

/** A message in one line. The last is what ended the program; those before may have been survived. */
const MESSAGES: readonly Rule[] = [
  last(ERROR_CLASS, withCause),
  // Shells: `sh: 1: foo: not found`, `a.sh: line 3: foo: command not found`.
  last(/^\S+: (?:line )?\d+: \S/),
  last(/^(?:fatal|curl: \(\d+\)):? /),
  // Perl.
  last(/ at \S+ line \d+\.$/),
  // `error: …`, `tool: error: …`, `Error: …` and `Error in f() : …`.
  last(/^(?:\S+: )?(?:fatal|error|critical)\b[^:]{0,60}: /i, withCause),
  last(/\b(?:ERROR|FATAL|CRITICAL)\b/),
  // An error class by another name, above its stack.
  (lines) => {
    const frame = lines.findIndex((line) => /^\s+at \S.*:\d+\)?$/.test(line));
    return frame < 1 ? undefined : withCause(lines, frame - 1);
  },
  last(/^\s+[\w$.]*(?:Error|Exception)(?: \[\w+\])?: /),
];

/** Programs that repeat the exit code of what they ran. What they ran mostly said more. */
const WRAPPERS: readonly Rule[] = [
  (lines) => lastLine(lines.filter((line) => NPM_MESSAGE.test(line)).slice(0, 1), () => true),
  (lines) => lines.find((line) => /^\S*make(?:\[\d+\])?: \*\*\* /.test(line)),
  (lines) => lastLine(lines, (line) => /\w/.test(line) && !/^\[\d+ bytes cut/.test(line)),
];

/** A line of npm that is neither the value of a field nor advice. */
const NPM_MESSAGE =
  /^npm (?:ERR!|error) (?!(?:code|syscall|path|errno|command|workspace|location|Lifecycle|A complete log|Exit status|in workspace)\b)\S+ \S/;

const NOISE: readonly RegExp[] = [
  /^[^\p{L}\p{N}]*$/u,
  // As a bounded text begins.
  /^\[\d+ bytes cut/,
  // Stacks, and what surrounds them.
  /^\s+at \S/,
  /^\s+(?:\d+: |from |\.\.\. \d+ more)/,
  /^Node\.js v\d/,
  /^Emitted 'error' event/,
  // Hints and warnings.
  /^\((?:Use `node|node:\d+\))/,
  /^(?:note|help|hint|warning|npm warn): /i,
  /^(?:For more information|Some errors have detailed)/,
  // Summaries.
  /: (?:Error is not recoverable|Exiting with failure status due to previous errors)/,
  /^\d+ (?:errors?|warnings?)\b/,
  /^error: (?:aborting due to|could not compile|test failed|build failed|\d+ targets? failed|process didn't exit)/,
  /^(?:collect2|clang|cc1): error: (?:ld|linker)/,
  /^Execution of .* aborted due to/,
  // Wrappers.
  /^\S*make(?:\[\d+\])?: (?:\*\*\* (?:\[|Waiting)|Entering|Leaving|Target)/,
  /^npm (?:ERR!|error)(?: |$)/,
  /^(?:error|info) (?:Command failed with exit code|Visit https:)/,
  /ELIFECYCLE/,
  /^ninja: build stopped/,
  /^(?:exit status \d+|Command exited with non-zero status)/,
];

function isNoise(line: string): boolean {
  return NOISE.some((pattern) => pattern.test(line));
}
