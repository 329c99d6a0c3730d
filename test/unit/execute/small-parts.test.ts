import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layoutAgents, maxThreads } from '../../../src/execute/layout.js';
import { CATCH_UP_MS, Pacer } from '../../../src/execute/pacer.js';
import { ancestorsOf, ResultsStore } from '../../../src/execute/results-store.js';
import { isWorthRepeating, retryDelayMs } from '../../../src/execute/retry.js';
import { RunControl } from '../../../src/execute/run-control.js';
import { checkWave } from '../../../src/execute/wave-check.js';
import type { Failure, FailureKind } from '../../../src/model/failure.js';
import { TASK_TYPES } from '../../../src/model/scaling-decision.js';
import type { RetryPolicy } from '../../../src/plan/valid-plan.js';
import { compiled } from '../../support/plans.js';
import { FakeClock, failureOf } from './fakes.js';

describe('Pacer', () => {
  it('makes no start wait that comes late enough', () => {
    const clock = new FakeClock();
    const pacer = new Pacer(120, clock);
    expect(pacer.waitMs()).toBe(0);
    pacer.started();
    expect(pacer.waitMs()).toBe(500);
    clock.advance(200);
    expect(pacer.waitMs()).toBe(300);
    clock.advance(300);
    expect(pacer.waitMs()).toBe(0);
  });

  it('lets nobody save up starts while none are made', () => {
    const clock = new FakeClock();
    const pacer = new Pacer(60, clock);
    pacer.started();
    clock.advance(60_000);
    pacer.started();
    expect(pacer.waitMs()).toBe(1000);
  });

  it('holds any window to its share of starts, and one', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 2, maxLength: 60 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6000 }), gaps, (perMinute, idle) => {
        const clock = new FakeClock();
        const pacer = new Pacer(perMinute, clock);
        const starts = idle.map((ms) => {
          clock.advance(ms);
          clock.advance(pacer.waitMs());
          pacer.started();
          return clock.now();
        });
        for (const [first, from] of starts.entries()) {
          for (const [beyond, to] of starts.slice(first).entries()) {
            expect(beyond + 1).toBeLessThanOrEqual(((to - from + CATCH_UP_MS) * perMinute) / 60_000 + 1 + 1e-6);
            // Over a second, a fast rate is kept to the start.
            if (to - from >= 1000 && perMinute >= 3000)
              expect(beyond + 1).toBeLessThanOrEqual(((to - from) * perMinute) / 60_000 + 1 + 1e-6);
          }
        }
      }),
    );
  });
});

/** A failed attempt that left no results. */
function failed(failure: Failure) {
  return { failure, results: null };
}

describe('what is worth another attempt', () => {
  const policy = (on: RetryPolicy['on']): RetryPolicy => ({
    max: 1,
    backoffMs: 0,
    factor: 1,
    jitter: 'none',
    ...(on && { on }),
  });
  const command = { kind: 'command', exitCode: 75, message: 'exit code 75: connection reset by peer' } as const;

  it.each([
    [undefined, true],
    [[{ kind: 'exit-code', code: 75 }], true],
    [[{ kind: 'exit-code', code: 1 }], false],
    [[{ kind: 'failure-kind', failure: 'timeout' }], false],
    [
      [
        { kind: 'failure-kind', failure: 'timeout' },
        { kind: 'pattern', source: 'RESET', flags: 'i' },
      ],
      true,
    ],
    [[{ kind: 'pattern', source: 'RESET', flags: '' }], false],
  ] as const)('with on: %j, a reset connection: %s', (on, again) => {
    expect(isWorthRepeating(policy(on), failed(command))).toBe(again);
    expect(retryDelayMs(policy(on), failed(command), 1, () => 0) !== undefined).toBe(again);
  });

  it('a pattern is looked for in all that a command printed, stream by stream', () => {
    const failure = { kind: 'command', exitCode: 1, message: 'exit code 1: gave up' } as const;
    const results = { exitCode: 1, stdout: 'connecting\nECONNRESET\n', stderr: 'try 1 of 1\ngave up\n' };
    const worthIt = (source: string) => isWorthRepeating(policy([{ kind: 'pattern', source, flags: '' }]), { failure, results });
    expect(['ECONNRESET', 'try \\d of', '^connecting', 'exit code 1'].map(worthIt)).toEqual([true, true, true, true]);
    expect(['ECONNREFUSED', 'gave up\\s+connecting', 'stdout'].map(worthIt)).toEqual([false, false, false]);
  });
});

describe('retryDelayMs', () => {
  const policy = { max: 5, backoffMs: 200, factor: 3, jitter: 'none' } as const;

  it('grows by the factor, for as many attempts as there may be', () => {
    const delays = [1, 2, 3, 4, 5, 6].map((attempt) => retryDelayMs(policy, failed(failureOf('command')), attempt, () => 0.5));
    expect(delays).toEqual([200, 600, 1800, 5400, 16_200, undefined]);
  });

  it('takes a random share of the back-off under full jitter', () => {
    const full = { ...policy, jitter: 'full' } as const;
    expect([0, 0.25, 0.999].map((random) => retryDelayMs(full, failed(failureOf('command')), 2, () => random))).toEqual([
      0, 150, 599.4,
    ]);
  });

  it.each<[FailureKind, boolean]>([
    ['command', true],
    ['spawn', true],
    ['module', true],
    ['module-load', false],
    ['timeout', true],
    ['success', true],
    ['expression', false],
    ['output', true],
    ['agent-lost', true],
    ['cancelled', false],
  ])('after a failure of kind %s: %s', (kind, again) => {
    expect(retryDelayMs(policy, failed(failureOf(kind)), 1, () => 0.5) !== undefined).toBe(again);
  });

  it('is a number from 0 to an hour for every policy that a plan may state', () => {
    const policies = fc.record({
      max: fc.integer({ min: 0, max: 100 }),
      backoffMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2 ** 31 - 1 })),
      factor: fc.oneof(fc.constant(100), fc.double({ min: 1, max: 100, noNaN: true })),
      jitter: fc.constantFrom('full' as const, 'none' as const),
    });
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(policies, fc.integer({ min: 1, max: 101 }), random, (each, attempt, share) => {
        const delay = retryDelayMs(each, failed(failureOf('command')), attempt, () => share);
        expect(delay === undefined).toBe(attempt > each.max);
        if (delay === undefined) return;
        expect(delay).toBeGreaterThanOrEqual(0);
        expect(delay).toBeLessThanOrEqual(3_600_000);
      }),
    );
  });
});

describe('checkWave', () => {
  it.each([
    [{ expected: 100, recorded: 100, failed: 0 }, 'READY', '100 of 100 checkpoints verified'],
    [{ expected: 100, recorded: 100, failed: 10 }, 'READY', '10 of 100 failed, within 10%'],
    [{ expected: 100, recorded: 100, failed: 11 }, 'FAILED', '11 of 100 failed, more than 10%'],
    [{ expected: 100, recorded: 99, failed: 0 }, 'INCOMPLETE', '1 of 100 checkpoints are missing'],
    [{ expected: 100, recorded: 99, failed: 99 }, 'INCOMPLETE', '1 of 100 checkpoints are missing'],
    [{ expected: 1, recorded: 1, failed: 1 }, 'FAILED', '1 of 1 failed, more than 10%'],
    [{ expected: 0, recorded: 0, failed: 0 }, 'READY', '0 of 0 checkpoints verified'],
  ] as const)('%o is %s', (found, verdict, reason) => {
    expect(checkWave(found.expected, found, 0.1)).toEqual({ ...found, verdict, reason });
  });

  it('states its bound as the methodology does', () => {
    expect(checkWave(3, { recorded: 3, failed: 3 }, 0.075).reason).toBe('3 of 3 failed, more than 7.5%');
    expect(checkWave(1000, { recorded: 1000, failed: 3 }, 0.003).verdict).toBe('READY');
  });
});

describe('layoutAgents', () => {
  it.each([
    [1, 'computation', 2, 1],
    [5, 'computation', 2, 5],
    [100, 'computation', 2, 8],
    [1, 'general', 2, 1],
    [100, 'general', 2, 2],
    [100, 'api_calls', 8, 8],
  ] as const)('%i agents of %s on %i cores: %i threads', (agents, type, cores, threads) => {
    expect(layoutAgents(agents, type, cores)).toEqual({ agents, threads });
  });

  it.each(TASK_TYPES)('never asks for more threads than its bound: %s', (type) => {
    const cores = fc.integer({ min: 1, max: 256 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), cores, (agents, count) => {
        const { threads } = layoutAgents(agents, type, count);
        expect(threads).toBeGreaterThanOrEqual(1);
        expect(threads).toBeLessThanOrEqual(Math.min(agents, maxThreads(type, count)));
      }),
    );
  });
});

describe('ResultsStore', () => {
  it('shows expressions what they read, and null where there is nothing', () => {
    const results = new ResultsStore();
    results.set('scan', ['a']);
    results.set('nothing', null);
    expect(results.scope(['scan', 'nothing', 'later', 'constructor'])).toEqual({
      scan: { results: ['a'] },
      nothing: { results: null },
      later: { results: null },
      constructor: { results: null },
    });
  });

  it('keeps states apart from results', () => {
    const results = new ResultsStore();
    results.setState('a', 'failed');
    expect([results.state('a'), results.get('a'), results.state('toString')]).toEqual(['failed', undefined, undefined]);
  });
});

describe('ancestorsOf', () => {
  it('names direct and indirect needs, each once', () => {
    const { graph } = compiled([
      { id: 'a' },
      { id: 'b', needs: ['a'] },
      { id: 'c', needs: ['a'] },
      { id: 'd', needs: ['b', 'c'] },
      { id: 'other' },
    ]);
    const found = graph.nodes.map((node) => [node.task.id, [...ancestorsOf(node, graph.nodes)].sort().join(' ')]);
    expect(Object.fromEntries(found)).toEqual({ a: '', b: 'a', c: 'a', d: 'a b c', other: '' });
  });

  it('follows a chain of 100,000 tasks', () => {
    const length = 100_000;
    const { graph } = compiled(Array.from({ length }, (_, i) => ({ id: `t${i}`, needs: i === 0 ? [] : [`t${i - 1}`] })));
    const last = graph.nodes[length - 1];
    if (last === undefined) throw new Error('there is no last task');
    expect(ancestorsOf(last, graph.nodes).size).toBe(length - 1);
  });
});

describe('RunControl', () => {
  const why = (reason: string) => ({ status: 'stopped', reason }) as const;

  it('goes from running to draining to aborting, and never back', () => {
    const control = new RunControl();
    const states: string[] = [control.state];
    for (const ask of ['drain', 'abort', 'drain'] as const) {
      control[ask](why(ask));
      states.push(control.state);
    }
    expect(states).toEqual(['running', 'draining', 'aborting', 'aborting']);
    expect(control.stopReason).toEqual(why('drain'));
  });

  it('tells its listeners at every request, until they end that, also while they are told', () => {
    const control = new RunControl();
    const heard: string[] = [];
    const unlisten = control.listen(() => {
      heard.push(`once: ${control.state}`);
      unlisten();
    });
    control.listen(() => heard.push(control.state));
    control.drain(why('first'));
    control.abort(why('second'));
    expect(heard).toEqual(['once: draining', 'draining', 'aborting']);
  });
});
