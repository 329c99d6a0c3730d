import { parseJson } from '../data/json.js';
import { inWords } from '../data/place.js';
import { decodeUtf8 } from '../data/text.js';
import type { Failure } from '../model/failure.js';
import type { JsonValue } from '../model/json.js';
import { ok } from '../model/result.js';
import type { OutputForm } from './action.js';
import { causeIn } from './failure-cause.js';
import { launch } from './launchers.js';
import { COMMAND_VARIABLE, commandEnded, commandStarts, endEscaped } from './leftovers.js';
import { type GroupEnd, runGroup } from './process-group.js';
import { Tail } from './tail.js';

/** Bytes of each stream that a result keeps. */
export const OUTPUT_TAIL_BYTES = 16 * 1024;
/** Bytes that `output: lines` and `output: json` read at most: they need the whole. */
export const OUTPUT_WHOLE_BYTES = 32 * 1024 * 1024;

/** What a command did. `failure` is absent when it ended with 0 and its output has the asked form. */
export interface CommandOutcome {
  readonly failure: Failure | undefined;
  readonly results: { readonly exitCode: number | null; readonly stdout: JsonValue; readonly stderr: string };
}

/** A command to run; see `GroupOptions` for the fields it shares. */
export interface CommandOptions {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly output: OutputForm;
  readonly signal: AbortSignal;
  readonly stdin?: string | undefined;
  readonly onStart?: (pid: number) => void;
}

/** A command's end and what it wrote. */
export interface CapturedCommand {
  readonly end: GroupEnd;
  readonly stdout: Tail;
  readonly stderr: Tail;
}

/** Runs a command and keeps the end of its output. Never rejects. */
export async function captureCommand(options: Omit<CommandOptions, 'output'>, stdoutBytes: number): Promise<CapturedCommand> {
  const stdout = new Tail(stdoutBytes);
  const stderr = new Tail(OUTPUT_TAIL_BYTES);
  const mark = commandStarts();
  const end =
    (await launch({ ...options, stdout, stderr, mark })) ??
    (await runGroup({
      ...options,
      env: { ...options.env, [COMMAND_VARIABLE]: mark },
      onStdout: (chunk) => stdout.push(chunk),
      onStderr: (chunk) => stderr.push(chunk),
      onLeft: () => endEscaped(mark, undefined),
    }));
  commandEnded(mark);
  return { end, stdout, stderr };
}

/** Runs a command and reads its output: the tail as text, or the whole as lines or JSON. Never rejects. */
export async function runCommand(options: CommandOptions): Promise<CommandOutcome> {
  const { output, ...command } = options;
  const { end, stdout, stderr } = await captureCommand(command, output === 'text' ? OUTPUT_TAIL_BYTES : OUTPUT_WHOLE_BYTES);
  const failure = failureOf(end, stderr, stdout);
  const exitCode = end.kind === 'exit' ? end.code : null;
  if (output === 'text' || failure !== undefined) {
    return { failure, results: { exitCode, stdout: stdout.text(OUTPUT_TAIL_BYTES), stderr: stderr.text() } };
  }
  const parsed = parseOutput(stdout, output);
  return { failure: parsed.failure, results: { exitCode, stdout: parsed.value, stderr: stderr.text() } };
}

/** The failure of a command that did not end with 0. */
export function failureOf(end: GroupEnd, stderr: Tail, stdout: Tail): Failure | undefined {
  switch (end.kind) {
    case 'not-started':
      return { kind: 'spawn', message: end.message };
    case 'signal':
      return { kind: 'command', message: `ended by ${end.signal}`, signal: end.signal };
    case 'exit': {
      if (end.code === 0) return undefined;
      const cause = causeIn({ stdout: stdout.text(OUTPUT_TAIL_BYTES), stderr: stderr.text() });
      const message = cause === undefined ? `exit code ${end.code}` : `exit code ${end.code}: ${cause.slice(0, 500)}`;
      return { kind: 'command', message, exitCode: end.code };
    }
  }
}

function parseOutput(stdout: Tail, form: 'lines' | 'json'): { readonly failure: Failure | undefined; readonly value: JsonValue } {
  if (stdout.dropped > 0) {
    const limit = OUTPUT_WHOLE_BYTES / (1024 * 1024);
    return {
      failure: { kind: 'output', message: `output: ${form} reads at most ${limit} MiB; write larger output to a file` },
      value: null,
    };
  }
  const text = decodeUtf8(stdout.bytes());
  const value = text.ok && form === 'json' ? parseJson(text.value) : text.ok ? ok(linesOf(text.value)) : text;
  if (value.ok) return { failure: undefined, value: value.value };
  const message = `output: ${form}: ${inWords('standard output', value.error)}`;
  return { failure: { kind: 'output', message }, value: stdout.text(OUTPUT_TAIL_BYTES) };
}

function linesOf(text: string): readonly string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}
