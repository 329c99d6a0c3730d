import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CATCH_UP_MS } from '../../../src/execute/pacer.js';
import type { RunEvent } from '../../../src/model/run-event.js';
import { depthsOf, expectedRun, type Fate, failingAttempts, RESULT_LENGTH } from './expected-run.js';
import { type Execution, type OutcomeSketch, settled } from './fakes.js';
import { type RandomRun, sketchOf, stoppedRuns, undisturbedRuns } from './random-run.js';
import { Rig } from './rig.js';

const STOP = { status: 'stopped', reason: 'told to' } as const;
const RUNS = { numRuns: 250 };
/** More steps than any random run takes. */
const MOST_STEPS = 5000;

/** A run that was played to its end, and what was seen on the way. */
interface Played {
  readonly rig: Rig;
  /** Attempts, of the waves, that ran when the run was told to stop; undefined when it was not. */
  readonly runningAtStop: readonly Execution[] | undefined;
  /** Attempts that came after that. */
  readonly startedAfterStop: readonly Execution[];
}

/** Plays a run: lets one thing after the other happen, an attempt end or the clock go on, as its order says. */
async function play(run: RandomRun, check: (rig: Rig) => void = () => {}): Promise<Played> {
  let calls = 0;
  const rig = await new Rig({
    tasks: run.tasks.map(sketchOf),
    finally: [{ id: 'last' }],
    agents: run.agents,
    majorShare: run.majorShare,
    random: () => run.random[calls++ % run.random.length] ?? 0,
    ...(run.ratePerMinute === undefined ? {} : { ratePerMinute: run.ratePerMinute }),
  }).start();
  let runningAtStop: readonly Execution[] | undefined;
  let startedBefore = 0;
  for (let step = 0; rig.end === undefined; step++) {
    if (rig.broken !== undefined) throw rig.broken;
    if (step > MOST_STEPS) throw new Error('the run does not end');
    check(rig);
    if (step === run.stop?.step) {
      runningAtStop = wavesOnly(rig.executor.running);
      startedBefore = rig.executor.executions.length;
      rig.control[run.stop.kind](STOP);
    } else nextThing(rig, run, run.order[step % run.order.length] ?? 0);
    await settled();
  }
  const startedAfterStop = runningAtStop === undefined ? [] : wavesOnly(rig.executor.executions.slice(startedBefore));
  return { rig, runningAtStop, startedAfterStop };
}

function nextThing({ executor, clock }: Rig, run: RandomRun, choice: number): void {
  const { running } = executor;
  const choices = running.length + (clock.timers > 0 ? 1 : 0);
  if (choices === 0) throw new Error('nothing runs, nothing is waited for, and the run does not end');
  const execution = running[choice % choices];
  if (execution === undefined) clock.tick();
  else {
    clock.advance(choice % 7);
    executor.end(execution, outcomeOf(execution, run));
  }
}

function outcomeOf({ request, cancelled }: Execution, run: RandomRun): OutcomeSketch {
  const task = run.tasks.find(({ id }) => id === taskOf(request.subtask));
  // What is cancelled ends with a failure, or with success if it was just done.
  if (cancelled && request.id % 3 !== 0) return { failure: { kind: 'cancelled', message: 'cancelled' } };
  if (task !== undefined && request.attempt <= failingAttempts(task, request.index)) {
    return { failure: { kind: task.failure, message: 'as the plan has it' } };
  }
  return { results: Array.from({ length: RESULT_LENGTH }, (_, i) => i) };
}

function taskOf(subtask: string): string {
  return subtask.replace(/\[\d+\]$/, '');
}

function wavesOnly(executions: readonly Execution[]): readonly Execution[] {
  return executions.filter(({ request }) => request.subtask !== 'last');
}

/** How each subtask ended, by name; throws where one ended twice. */
function fatesIn(events: readonly RunEvent[]): Readonly<Record<string, Fate>> {
  const fates: Record<string, Fate> = {};
  const end = (subtask: string, fate: Fate) => {
    if (Object.hasOwn(fates, subtask)) throw new Error(`${subtask} ended twice`);
    fates[subtask] = fate;
  };
  for (const event of events) {
    if (event.type === 'subtask-finished') {
      const { task_id, status, attempt } = event.checkpoint;
      end(task_id, { status, attempt });
    }
    if (event.type === 'subtask-skipped') end(event.subtask, event.skip?.cause === 'if' ? 'left out' : 'skipped');
  }
  return fates;
}

/** Looks at a run in each of its quiet moments. */
function agentsAreUsedWell(rig: Rig, run: RandomRun): void {
  const { running } = rig.executor;
  const wave = rig.eventsOf('wave-started').at(-1);
  const agents = running.map(({ agent }) => agent);
  expect(new Set(agents).size, 'two subtasks on one agent').toBe(agents.length);
  expect(Math.max(0, ...agents), 'an agent that there is no room for').toBeLessThan(rig.executor.layouts.at(-1)?.agents ?? 1);
  expect(running.length).toBeLessThanOrEqual(run.agents);
  const ids = running.map(({ request }) => request.subtask);
  expect(new Set(ids).size, 'one subtask twice at a time').toBe(ids.length);
  if (run.ratePerMinute !== undefined || rig.control.state !== 'running' || wave === undefined || ids.includes('last')) return;
  if (running.length === wave.agents) return;
  const from = rig.events.lastIndexOf(wave);
  const begun = rig.events.slice(from).flatMap((event) => {
    if (event.type === 'subtask-started' || event.type === 'subtask-skipped') return [event.subtask];
    return event.type === 'subtask-finished' ? [event.checkpoint.task_id] : [];
  });
  expect(new Set(begun).size, 'an agent is idle while a subtask waits').toBe(wave.subtasks);
}

function needsCameFirst(rig: Rig, run: RandomRun): void {
  const over = new Set<string>();
  const depths = depthsOf(run.tasks);
  let running = 0;
  let wave = 0;
  for (const event of rig.events) {
    if (event.type === 'subtask-finished') over.add(event.task);
    if (event.type === 'wave-started') {
      expect(running, 'a wave began before the one before was over').toBe(0);
      expect(event.wave).toBe(++wave);
    }
    if (event.type === 'subtask-started') {
      expect(event.wave).toBe(depths.get(event.task));
      expect(event.wave, 'a subtask started outside its wave').toBe(wave);
    }
    if (event.type === 'subtask-started') running += 1;
    if (event.type === 'subtask-skipped' && event.agent !== undefined) running -= 1;
    if (event.type === 'subtask-retried' || (event.type === 'subtask-finished' && event.checkpoint.agent_id !== 'coordinator'))
      running -= 1;
  }
}

function retriesKeepTheirPolicy(rig: Rig, run: RandomRun): void {
  for (const [position, event] of rig.events.entries()) {
    if (event.type !== 'subtask-retried') continue;
    const policy = run.tasks.find(({ id }) => id === event.task)?.retries;
    if (policy === undefined) throw new Error(`${event.task} is retried`);
    const backoff = policy.backoffMs * policy.factor ** (event.attempt - 1);
    expect(event.attempt).toBeLessThanOrEqual(policy.max);
    if (policy.jitter === 'none') expect(event.delayMs).toBe(backoff);
    expect(event.delayMs).toBeGreaterThanOrEqual(0);
    expect(event.delayMs).toBeLessThanOrEqual(backoff);
    const again = rig.events.slice(position).find((later) => later.type === 'subtask-started' && later.subtask === event.subtask);
    if (again?.type !== 'subtask-started') continue;
    expect(again.attempt).toBe(event.attempt + 1);
    expect(again.at).toBeGreaterThanOrEqual(event.at + event.delayMs);
  }
}

function rateIsKept(rig: Rig, ratePerMinute: number): void {
  const starts = wavesOnly(rig.executor.executions).map(({ startedAt }) => startedAt);
  for (const [first, from] of starts.entries()) {
    for (const [beyond, to] of starts.slice(first).entries()) {
      expect(beyond + 1, 'starts in a window').toBeLessThanOrEqual(
        ((to - from + CATCH_UP_MS) * ratePerMinute) / 60_000 + 1 + 1e-4,
      );
    }
  }
}

function finallyRanOnceAndLast(rig: Rig): void {
  const last = rig.executor.executions.filter(({ request }) => request.subtask === 'last');
  expect(last).toHaveLength(1);
  // A request to abort that comes while it runs ends it.
  if (last[0]?.cancelled) return;
  expect(rig.events.filter(({ type }) => type === 'finally-finished')).toHaveLength(1);
  expect(rig.events.at(-1)?.type).toBe('finally-finished');
}

describe('any plan, in any order of ends', () => {
  it('comes to what its plan says, subtask by subtask', async () => {
    await fc.assert(
      fc.asyncProperty(undisturbedRuns, async (run) => {
        const { rig } = await play(run);
        const expected = expectedRun(run);
        expect(fatesIn(rig.events)).toEqual(expected.fates);
        expect(rig.eventsOf('wave-finished').map(({ check }) => check.verdict)).toEqual(expected.verdicts);
        expect(rig.end?.status).toBe(expected.status);
        expect(rig.clock.timers, 'timers that nobody waits for').toBe(0);
      }),
      RUNS,
    );
  });

  it('never gives an agent two subtasks, and lets none idle while one waits', async () => {
    await fc.assert(
      fc.asyncProperty(undisturbedRuns, async (run) => {
        await play(run, (rig) => agentsAreUsedWell(rig, run));
      }),
      RUNS,
    );
  });

  it('starts no subtask before all that it needs is over, retries as often and as late as it says, and keeps the rate', async () => {
    await fc.assert(
      fc.asyncProperty(undisturbedRuns, async (run) => {
        const { rig } = await play(run);
        needsCameFirst(rig, run);
        retriesKeepTheirPolicy(rig, run);
        if (run.ratePerMinute !== undefined) rateIsKept(rig, run.ratePerMinute);
        finallyRanOnceAndLast(rig);
      }),
      RUNS,
    );
  });
});

describe('any plan, stopped at any step', () => {
  it('starts nothing more, ends all the same, and keeps what was done', async () => {
    await fc.assert(
      fc.asyncProperty(stoppedRuns, async (run) => {
        const { rig, runningAtStop, startedAfterStop } = await play(run);
        const fates = fatesIn(rig.events);
        expect(startedAfterStop.map(({ request }) => request.subtask)).toEqual([]);
        for (const { request, cancelled } of runningAtStop ?? []) {
          expect(cancelled, `${request.subtask} was cancelled`).toBe(run.stop?.kind === 'abort');
        }
        // Whatever ended, ended as it would have without the stop.
        const expected = expectedRun(run).fates;
        for (const [subtask, fate] of Object.entries(fates))
          expect({ [subtask]: fate }).toEqual({ [subtask]: expected[subtask] });
        finallyRanOnceAndLast(rig);
        expect(rig.executor.running).toEqual([]);
        expect(rig.clock.timers).toBe(0);
      }),
      RUNS,
    );
  });
});
