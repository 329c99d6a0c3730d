import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Action, STOP_GRACE_MS, type SubtaskRequest } from '../../../src/actions/action.js';
import { type Host, perform } from '../../../src/actions/perform.js';
import { StopSource } from '../../../src/actions/stop-source.js';
import { SubtaskLog } from '../../../src/actions/subtask-log.js';
import type { JsonValue } from '../../../src/model/json.js';
import { tempFolder, writeFiles } from '../../support/repository.js';
import { lifeline } from './lifeline.js';

afterEach(() => {
  vi.useRealTimers();
});

/** One attempt and the thread around it, as a test holds them. */
class Attempt {
  readonly folder = tempFolder();
  readonly stop = new StopSource();
  readonly log = new SubtaskLog('example');
  readonly groups: number[] = [];
  readonly input = { n: 1 };
  /** Resolves when the module asks for results, which tests take for a sign of life. */
  readonly asked: Promise<string>;
  readonly #host: Host;

  constructor(results: JsonValue = null) {
    let tell: (task: string) => void = () => {};
    this.asked = new Promise((resolve) => {
      tell = resolve;
    });
    let now = 1000;
    this.#host = {
      results: (task) => {
        tell(task);
        return Promise.resolve(results);
      },
      groupStarted: (pid) => this.groups.push(pid),
      now: () => (now += 5),
      ownThread: true,
    };
  }

  async #perform(action: Action, overrides: Partial<SubtaskRequest>) {
    const request: SubtaskRequest = {
      id: 1,
      subtask: 'each[3]',
      action,
      item: 'the item',
      index: 3,
      attempt: 2,
      env: () => ({ GREETING: 'hello' }),
      cwd: this.folder,
      folder: '/work',
      timeoutMs: undefined,
      ...overrides,
    };
    const { results, ...outcome } = await perform(request, this.stop, this.log, this.#host);
    return { ...outcome, results: results.value };
  }

  /** Performs a module whose default export is a function with this body; it sees `input` and `context`. */
  module(body: string, overrides: Partial<SubtaskRequest> = {}) {
    writeFiles(this.folder, { 'task.mjs': `export default async function task(input, context) {\n${body}\n}\n` });
    const file = join(this.folder, 'task.mjs');
    return this.#perform({ kind: 'module', file, exportName: 'default', input: this.input }, overrides);
  }

  shell(script: string, overrides: Partial<SubtaskRequest> = {}) {
    return this.#perform({ kind: 'command', argv: ['sh', '-c', script], output: 'lines' }, overrides);
  }
}

describe('a module', () => {
  it('gets its input and its surroundings, and returns its results as JSON', async () => {
    const body = `
      const { item, index, attempt, folder, signal } = context;
      context.log('on it');
      return { input, item, index, attempt, folder, aborted: signal.aborted, scan: await context.results('scan'), when: new Date(0) };`;
    const attempt = new Attempt(['a']);
    expect(await attempt.module(body)).toEqual({
      failure: undefined,
      results: {
        input: { n: 1 },
        item: 'the item',
        index: 3,
        attempt: 2,
        folder: '/work',
        aborted: false,
        scan: ['a'],
        when: '1970-01-01T00:00:00.000Z',
      },
      log: 'on it\n',
      started: 1005,
      durationMs: 5,
      leaked: false,
    });
    expect(await attempt.asked).toBe('scan');
  });

  it('has its input and its item to itself, whatever it does to them', async () => {
    const attempt = new Attempt();
    const item = { tags: ['a'] };
    const body = `input.n = 2; context.item.tags.push('b'); return [input, context.item];`;
    for (let time = 0; time < 2; time++)
      expect(await attempt.module(body, { item })).toMatchObject({ results: [{ n: 2 }, { tags: ['a', 'b'] }] });
    expect([attempt.input, item]).toEqual([{ n: 1 }, { tags: ['a'] }]);
  });

  it('that throws fails with what it threw and where', async () => {
    const attempt = new Attempt();
    const { failure, results, log } = await attempt.module(`context.log('before'); throw new TypeError('odd item');`);
    expect(failure).toMatchObject({ kind: 'module', message: 'TypeError: odd item' });
    expect(failure?.stack).toContain('task.mjs');
    expect(failure?.stack).not.toContain('/src/');
    expect([results, log]).toEqual([null, 'before\n']);
  });

  it.each([
    ['return 1n;', 'output'],
    ['throw undefined;', 'module'],
  ])('%s fails as %s', async (body, kind) => {
    expect((await new Attempt().module(body)).failure?.kind).toBe(kind);
  });

  it('runs programs without a shell, in its folder, with its variables and its own', async () => {
    const body = `
      const inherited = await context.exec(['sh', '-c', 'echo "$GREETING $MORE" >&2; exit 3'], { env: { MORE: 'you' } });
      const literal = await context.exec(['printf', '%s', '$HOME *'], { cwd: '/' });
      return { inherited, literal };`;
    const attempt = new Attempt();
    const { failure, results } = await attempt.module(body);
    expect(failure).toBeUndefined();
    expect(results).toEqual({
      inherited: { exitCode: 3, stdout: '', stderr: 'hello you\n' },
      literal: { exitCode: 0, stdout: '$HOME *', stderr: '' },
    });
    expect(attempt.groups).toHaveLength(2);
  });

  it('is told by an exception when a program cannot be started', async () => {
    const { failure } = await new Attempt().module(`await context.exec(['no-such-program']);`);
    expect(failure?.kind).toBe('module');
    expect(failure?.message).toMatch(/^Error: cannot start no-such-program: /);
  });
});

/** The body of a module that says that it began and then waits for its signal. */
const UNTIL_ABORTED = `
  const aborted = new Promise((resolve) => context.signal.addEventListener('abort', resolve, { once: true }));
  await context.results('began');
  await aborted;`;

describe('time', () => {
  it('that is up asks a module to end, and is its failure whatever it throws then', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const attempt = new Attempt();
    const performing = attempt.module(`${UNTIL_ABORTED} throw new Error('because of the signal');`, { timeoutMs: 300 });
    await attempt.asked;
    vi.advanceTimersByTime(300);
    const { failure, leaked } = await performing;
    expect(failure).toEqual({ kind: 'timeout', message: 'timed out after 300 ms' });
    expect(leaked).toBe(false);
  });

  it('that is up is the failure of a module that still completes: what it returned is partial', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const attempt = new Attempt();
    const performing = attempt.module(`${UNTIL_ABORTED} return 'in the last moment';`, { timeoutMs: 300 });
    await attempt.asked;
    vi.advanceTimersByTime(300);
    const { failure, results, partial } = await performing;
    expect(failure).toEqual({ kind: 'timeout', message: 'timed out after 300 ms' });
    expect([results, partial?.value]).toEqual([null, 'in the last moment']);
  });

  it('that is up gives a module that does not hear the grace, and reports that it still runs', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const attempt = new Attempt();
    let ended = false;
    const performing = Promise.resolve(
      attempt.module(`await context.results('began'); await new Promise(() => {});`, { timeoutMs: 300 }),
    );
    void performing.then(() => {
      ended = true;
    });
    await attempt.asked;
    vi.advanceTimersByTime(300);
    await new Promise((resolve) => setImmediate(resolve));
    vi.advanceTimersByTime(STOP_GRACE_MS - 1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(ended).toBe(false);
    vi.advanceTimersByTime(1);
    expect(await performing).toMatchObject({ failure: { kind: 'timeout' }, leaked: true });
  });

  it('that is up ends a command and its children', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const attempt = new Attempt();
    const line = lifeline(attempt.folder);
    const performing = attempt.shell(`exec 3>${line.name}; echo before; sleep 1000 & echo ready >&3; wait`, { timeoutMs: 300 });
    await line.ready;
    vi.advanceTimersByTime(300);
    const { failure, results, partial } = await performing;
    expect(failure).toEqual({ kind: 'timeout', message: 'timed out after 300 ms' });
    expect(results).toBeNull();
    expect(partial?.value).toEqual({ exitCode: null, stdout: 'before\n', stderr: '' });
    await line.gone;
  });

  it('that is not up leaves no timer behind', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await new Attempt().module('return 1;', { timeoutMs: 300 });
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('cancelling', () => {
  it('asks a module to end', async () => {
    const attempt = new Attempt();
    const performing = attempt.module(`${UNTIL_ABORTED} throw new Error('because of the signal');`);
    await attempt.asked;
    attempt.stop.stop('cancelled');
    expect((await performing).failure).toEqual({ kind: 'cancelled', message: 'cancelled: the run was stopped' });
  });

  it('ends the programs that a module runs', async () => {
    const attempt = new Attempt();
    const line = lifeline(attempt.folder);
    const performing = attempt.module(
      `await context.exec(['sh', '-c', 'exec 3>${line.name}; echo ready >&3; sleep 1000']); throw 1;`,
    );
    await line.ready;
    attempt.stop.stop('cancelled');
    expect((await performing).failure?.kind).toBe('cancelled');
    await line.gone;
  });

  it('ends a command', async () => {
    const attempt = new Attempt();
    const line = lifeline(attempt.folder);
    const performing = attempt.shell(`exec 3>${line.name}; echo ready >&3; sleep 1000`);
    await line.ready;
    attempt.stop.stop('cancelled');
    expect((await performing).failure?.kind).toBe('cancelled');
    await line.gone;
  });
});
