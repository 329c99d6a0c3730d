import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { STOP_GRACE_MS } from '../../../src/actions/action.js';
import { type CommandOptions, OUTPUT_TAIL_BYTES, OUTPUT_WHOLE_BYTES, runCommand } from '../../../src/actions/command.js';
import { runGroup, signalExitCode, signalGroup } from '../../../src/actions/process-group.js';
import { tempFolder, writeFiles } from '../../support/repository.js';
import { lifeline } from './lifeline.js';

afterEach(() => {
  vi.useRealTimers();
});

const MIB = 1024 * 1024;

function run(argv: readonly string[], options: Partial<CommandOptions> = {}) {
  return runCommand({ argv, cwd: tempFolder(), env: {}, output: 'text', signal: new AbortController().signal, ...options });
}

/** The first line, which says what was cut, and the rest; short enough for a report of a failed test. */
function cutText(text: unknown): { readonly mark: string; readonly end: string; readonly kept: number } {
  const [mark = '', ...rest] = String(text).split('\n');
  return { mark: mark.slice(0, 30), end: rest.join('\n').slice(-30), kept: Buffer.byteLength(rest.join('\n')) };
}

/** As a bounded text begins. */
const MARK = /^\[\d+ bytes cut: the last /;

function sh(script: string, options: Partial<CommandOptions> = {}) {
  return run(['sh', '-c', script], options);
}

describe('a command', () => {
  it('that ends with 0 is a success', async () => {
    expect(await sh('echo out; echo err >&2')).toEqual({
      failure: undefined,
      results: { exitCode: 0, stdout: 'out\n', stderr: 'err\n' },
    });
  });

  it.each([
    ['exit 7', 7, 'exit code 7'],
    ['echo one >&2; echo two >&2; exit 1', 1, 'exit code 1: two'],
    ['printf "why \\n\\n" >&2; exit 255', 255, 'exit code 255: why'],
    ['echo only out; exit 3', 3, 'exit code 3'],
  ])('%s: fails with its code and its last words', async (script, exitCode, message) => {
    const { failure, results } = await sh(script);
    expect(failure).toEqual({ kind: 'command', message, exitCode });
    expect(results.exitCode).toBe(exitCode);
  });

  it('keeps its output when it fails', async () => {
    const { results } = await sh('echo out; echo err >&2; exit 1', { output: 'json' });
    expect(results).toEqual({ exitCode: 1, stdout: 'out\n', stderr: 'err\n' });
  });

  it.each(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGSEGV'] as const)('that ends by %s says so', async (signal) => {
    const { failure, results } = await sh(`kill -${signal.slice(3)} $$`);
    expect(failure).toEqual({ kind: 'command', message: `ended by ${signal}`, signal });
    expect(results.exitCode).toBeNull();
  });

  it('gets its arguments literally', async () => {
    const words = ['$HOME', '`id`', '* ? [a]', 'a"b\'c', '', '-n', 'two\nlines', ';|&><', '\\', '🌊'];
    const print = 'process.stdout.write(JSON.stringify(process.argv.slice(1)))';
    const { results } = await run([process.execPath, '-e', print, '--', ...words], { output: 'json' });
    expect(results.stdout).toEqual(words);
  });

  it('runs in its folder, with its variables over those of the process, and nothing to read', async () => {
    const folder = tempFolder();
    const { results } = await sh('pwd; echo "$GREETING, $HOME"; cat', {
      cwd: folder,
      env: { GREETING: 'hello $USER' },
      output: 'lines',
    });
    expect(results.stdout).toEqual([folder, `hello $USER, ${process.env['HOME']}`]);
  });
});

describe('the output of a command', () => {
  it.each<[string, string[]]>([
    ['printf "a\\nb\\n"', ['a', 'b']],
    ['printf "a\\nb"', ['a', 'b']],
    ['printf "a\\r\\n\\r\\nb\\r\\n"', ['a', '', 'b']],
    ['printf "\\n"', ['']],
    ['true', []],
  ])('as lines: %s', async (script, lines) => {
    expect(await sh(script, { output: 'lines' })).toMatchObject({ failure: undefined, results: { stdout: lines } });
  });

  it('as JSON', async () => {
    const { failure, results } = await sh(`echo '{"a": [1, null]}'`, { output: 'json' });
    expect([failure, results.stdout]).toEqual([undefined, { a: [1, null] }]);
  });

  it.each(['echo "not JSON"', 'true', `echo '{"a": 1} {"b": 2}'`])('that is not JSON fails: %s', async (script) => {
    const { failure, results } = await sh(script, { output: 'json' });
    expect(failure?.kind).toBe('output');
    expect(failure?.message).toMatch(/^output: json: standard output, line 1, column \d+: not JSON: expected /);
    expect(results.exitCode).toBe(0);
  });

  it('as text is its end, and says what was cut', async () => {
    const { results } = await sh(
      `head -c ${MIB} /dev/zero | tr '\\0' x; echo out; { head -c ${MIB} /dev/zero | tr '\\0' x; echo err; } >&2`,
    );
    const [out, err] = [cutText(results.stdout), cutText(results.stderr)];
    expect(err).toEqual({ mark: expect.stringMatching(MARK), end: `${'x'.repeat(26)}err\n`, kept: OUTPUT_TAIL_BYTES });
    expect(out).toEqual({ mark: expect.stringMatching(MARK), end: `${'x'.repeat(26)}out\n`, kept: OUTPUT_TAIL_BYTES });
  });

  it('as text has no torn mark where characters have several bytes', async () => {
    const { results } = await sh(`head -c ${MIB} /dev/zero | tr '\\0' x; echo äöü`);
    expect(cutText(results.stdout)).toMatchObject({ mark: expect.stringMatching(MARK), end: `${'x'.repeat(26)}äöü\n` });
  });

  it('of a failed command is its end too, and says what was cut, under every form', async () => {
    const { results } = await sh(`head -c ${MIB} /dev/zero | tr '\\0' x; echo why; exit 1`, { output: 'lines' });
    expect(cutText(results.stdout)).toEqual({
      mark: expect.stringMatching(MARK),
      end: `${'x'.repeat(26)}why\n`,
      kept: OUTPUT_TAIL_BYTES,
    });
  });

  it('is whole, up to 32 MiB', async () => {
    const script = `head -c ${OUTPUT_WHOLE_BYTES - 1} /dev/zero | tr '\\0' x; echo`;
    const { failure, results } = await sh(script, { output: 'lines' });
    expect(failure).toBeUndefined();
    expect((results.stdout as string[]).map((line) => line.length)).toEqual([OUTPUT_WHOLE_BYTES - 1]);
  });

  it.each(['lines', 'json'] as const)('beyond 32 MiB fails as %s', async (output) => {
    const { failure, results } = await sh(`head -c ${OUTPUT_WHOLE_BYTES + 1} /dev/zero | tr '\\0' 1`, { output });
    expect(failure).toEqual({
      kind: 'output',
      message: `output: ${output} reads at most 32 MiB; write larger output to a file`,
    });
    expect(results.stdout).toBeNull();
  });

  it('is all there when a command writes much and ends at once', async () => {
    const { results } = await run([process.execPath, '-e', `require('fs').writeSync(1, 'x'.repeat(60_000) + '\\n')`], {
      output: 'lines',
    });
    expect((results.stdout as string[])[0]).toHaveLength(60_000);
  });
});

describe('a command that cannot start', () => {
  it('is not found', async () => {
    const cwd = tempFolder();
    const { failure, results } = await run(['no-such-program'], { cwd });
    expect(failure).toEqual({
      kind: 'spawn',
      message: `cannot start no-such-program: no such program, or no such folder ${cwd}`,
    });
    expect(results).toEqual({ exitCode: null, stdout: '', stderr: '' });
  });

  it('has no folder', async () => {
    const { failure } = await sh('true', { cwd: '/no/such/folder' });
    expect(failure).toEqual({ kind: 'spawn', message: 'cannot start sh: no such program, or no such folder /no/such/folder' });
  });

  it('is not executable', async () => {
    const cwd = tempFolder();
    writeFiles(cwd, { 'script.sh': '#!/bin/sh\ntrue\n' });
    const { failure } = await run(['./script.sh'], { cwd });
    expect(failure).toEqual({
      kind: 'spawn',
      message: `cannot start ./script.sh: it may not be executed, or ${cwd} may not be entered`,
    });
  });

  it('has an argument that is too long', async () => {
    const { failure } = await run(['true', 'x'.repeat(MIB)]);
    expect(failure).toEqual({
      kind: 'spawn',
      message: 'cannot start true: arguments and environment are larger than the system allows (a single one may hold 128 KiB)',
    });
  });

  it('has an argument with a zero byte', async () => {
    const { failure } = await run(['true', 'a\0b']);
    expect(failure?.kind).toBe('spawn');
    expect(failure?.message).toMatch(/^cannot start true: .*null byte/);
  });

  it.each([[[]], [['']]])('is none: %j', async (argv) => {
    expect((await run(argv)).failure).toEqual({ kind: 'spawn', message: 'there is no program to start' });
  });
});

describe('what a command leaves behind', () => {
  it('neither delays its outcome nor outlives it', async () => {
    const cwd = tempFolder();
    const line = lifeline(cwd);
    const { failure, results } = await sh(`exec 3>${line.name}; sleep 1000 & echo started`, { cwd });
    expect([failure, results.stdout]).toEqual([undefined, 'started\n']);
    await line.gone;
  });

  it('is ended after the grace where it ignores the request', async () => {
    const cwd = tempFolder();
    const line = lifeline(cwd);
    let group = 0;
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    // The command ends when its background job has put the trap up.
    const job = `sh -c 'trap "" TERM; echo >trapped; sleep 1000' >/dev/null 2>&1 &`;
    await sh(`exec 3>${line.name}; mkfifo trapped; ${job} read _ <trapped`, { cwd, onStart: (pid) => (group = pid) });
    vi.advanceTimersByTime(STOP_GRACE_MS - 1);
    expect(signalGroup(group, 'SIGCONT')).toBe(true);
    vi.advanceTimersByTime(1);
    await line.gone;
  });
});

describe('ending a command', () => {
  it('ends all of its group', async () => {
    const cwd = tempFolder();
    const line = lifeline(cwd);
    const stop = new AbortController();
    const running = sh(`exec 3>${line.name}; sleep 1000 & echo ready >&3; wait`, { cwd, signal: stop.signal });
    await line.ready;
    stop.abort();
    expect((await running).failure).toEqual({ kind: 'command', message: 'ended by SIGTERM', signal: 'SIGTERM' });
    await line.gone;
  });

  it('lets it clean up', async () => {
    const cwd = tempFolder();
    const line = lifeline(cwd);
    const stop = new AbortController();
    const script = `exec 3>${line.name}; trap 'echo swept > swept; exit 0' TERM; sleep 1000 & echo ready >&3; wait`;
    const running = sh(script, { cwd, signal: stop.signal });
    await line.ready;
    stop.abort();
    expect((await running).failure).toBeUndefined();
    expect(readFileSync(join(cwd, 'swept'), 'utf8')).toBe('swept\n');
  });

  it('ends what ignores the request after the grace', async () => {
    const cwd = tempFolder();
    const line = lifeline(cwd);
    const stop = new AbortController();
    let group = 0;
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const script = `exec 3>${line.name}; trap '' TERM; echo ready >&3; sleep 1000`;
    const running = sh(script, { cwd, signal: stop.signal, onStart: (pid) => (group = pid) });
    await line.ready;
    stop.abort();
    vi.advanceTimersByTime(STOP_GRACE_MS - 1);
    expect(signalGroup(group, 'SIGCONT')).toBe(true);
    vi.advanceTimersByTime(1);
    expect((await running).failure).toEqual({ kind: 'command', message: 'ended by SIGKILL', signal: 'SIGKILL' });
    await line.gone;
  });

  it('ends one that was to be ended before it began', async () => {
    const stop = new AbortController();
    stop.abort();
    expect((await sh('sleep 1000', { signal: stop.signal })).failure).toMatchObject({ signal: 'SIGTERM' });
  });

  it('after its end does nothing', async () => {
    const stop = new AbortController();
    const { failure } = await sh('true', { signal: stop.signal });
    stop.abort();
    expect(failure).toBeUndefined();
  });
});

describe('runGroup', () => {
  it('tells of the group before it tells of its end, and of each stream apart', async () => {
    const told: string[] = [];
    const end = await runGroup({
      argv: ['sh', '-c', 'echo out; echo err >&2; exit 4'],
      cwd: tempFolder(),
      env: {},
      signal: new AbortController().signal,
      onStart: (pid) => told.push(`group ${pid > 0}`),
      onStdout: (chunk) => told.push(`out: ${chunk.toString().trim()}`),
      onStderr: (chunk) => told.push(`err: ${chunk.toString().trim()}`),
    });
    expect(end).toEqual({ kind: 'exit', code: 4 });
    expect(told[0]).toBe('group true');
    expect(told.slice(1).sort()).toEqual(['err: err', 'out: out']);
  });

  it('signals no group that is gone', async () => {
    let group = 0;
    const quiet = { onStdout: () => {}, onStderr: () => {}, signal: new AbortController().signal };
    await runGroup({ argv: ['true'], cwd: tempFolder(), env: {}, ...quiet, onStart: (pid) => (group = pid) });
    expect(signalGroup(group, 'SIGTERM')).toBe(false);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGKILL', 137],
    ['SIGTERM', 143],
  ] as const)('has the exit code of a shell for %s', (signal, code) => {
    expect(signalExitCode(signal)).toBe(code);
  });
});
