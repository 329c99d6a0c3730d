import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MOST_PASSES } from '../../../src/execute/assess-pass.js';
import type { FailureHandling } from '../../../src/execute/failure-passes.js';
import type { FinishedSubtasks } from '../../../src/execute/finished.js';
import type { Checkpoint } from '../../../src/model/checkpoint.js';
import type { RunEvent } from '../../../src/model/run-event.js';
import { expectedRun, failingAttempts, RESULT_LENGTH } from './expected-run.js';
import { type Execution, type OutcomeSketch, settled } from './fakes.js';
import { type RandomRun, sketchOf, stoppedRuns, undisturbedRuns } from './random-run.js';
import { Rig } from './rig.js';

const RUNS = { numRuns: 250 };
const MOST_STEPS = 20_000;
const STOP = { status: 'stopped', reason: 'told to' } as const;

interface Ways {
  readonly sync: 'wave' | 'eager';
  readonly failure?: FailureHandling;
  readonly finished?: FinishedSubtasks;
}

const syncs = fc.constantFrom('wave' as const, 'eager' as const);
const handlings: fc.Arbitrary<FailureHandling> = fc.record({
  rules: fc.record({
    minor: fc.constant(0.01),
    major: fc.constantFrom(0.1, 0.3),
    critical: fc.constantFrom(0.5, 1),
    agentsReduction: fc.constant(0.25),
    onMajor: fc.constantFrom('sequential' as const, 'abort' as const),
  }),
  keepGoing: fc.boolean(),
  failFast: fc.constant(false),
});

/** Plays a run to its end, one thing after the other as its order says, and looks at it in each quiet moment. */
async function play(run: RandomRun, ways: Ways, look: (rig: Rig) => void = () => {}): Promise<Rig> {
  let calls = 0;
  const rig = await new Rig({
    ...ways,
    tasks: run.tasks.map(sketchOf),
    agents: run.agents,
    majorShare: ways.failure?.rules.major ?? run.majorShare,
    random: () => run.random[calls++ % run.random.length] ?? 0,
  }).start();
  for (let step = 0; rig.end === undefined; step++) {
    if (rig.broken !== undefined) throw rig.broken;
    if (step > MOST_STEPS) throw new Error('the run does not end');
    look(rig);
    if (step === run.stop?.step) rig.control[run.stop.kind](STOP);
    else next(rig, run, run.order[step % run.order.length] ?? 0);
    await settled();
  }
  return rig;
}

function next({ executor, clock }: Rig, run: RandomRun, choice: number): void {
  const choices = executor.running.length + (clock.timers > 0 ? 1 : 0);
  if (choices === 0) throw new Error('nothing runs, nothing is waited for, and the run does not end');
  const execution = executor.running[choice % choices];
  if (execution === undefined) clock.tick();
  else {
    clock.advance(choice % 7);
    executor.end(execution, outcomeOf(execution, run));
  }
}

function outcomeOf({ request, cancelled }: Execution, run: RandomRun): OutcomeSketch {
  const task = run.tasks.find(({ id }) => id === request.subtask.replace(/\[\d+\]$/, ''));
  if (cancelled) return { failure: { kind: 'cancelled', message: 'cancelled' } };
  if (task !== undefined && request.attempt <= failingAttempts(task, request.index))
    return { failure: { kind: task.failure, message: `${request.subtask} in attempt ${request.attempt}` } };
  return { results: Array.from({ length: RESULT_LENGTH }, (_, i) => i) };
}

function endsIn(events: readonly RunEvent[]): ReadonlyMap<string, string> {
  const ends = new Map<string, string>();
  for (const event of events) {
    if (event.type !== 'subtask-finished' && event.type !== 'subtask-skipped') continue;
    const subtask = event.type === 'subtask-finished' ? event.checkpoint.task_id : event.subtask;
    if (ends.has(subtask)) throw new Error(`${subtask} ended twice`);
    ends.set(subtask, event.type === 'subtask-finished' ? event.checkpoint.status : 'skipped');
  }
  return ends;
}

/** The records of an earlier part of a run; of two of one subtask, the last. */
function finishedBy(checkpoints: readonly Checkpoint[]): FinishedSubtasks {
  const byKey = new Map(checkpoints.map((one) => [`${one.task_id.replace(/\[\d+\]$/, '')} ${one.key}`, one]));
  return {
    knows: (task) => [...byKey.keys()].some((key) => key.startsWith(`${task} `)),
    has: (task, key) => byKey.has(`${task} ${key}`),
    find: (task, key) => byKey.get(`${task} ${key}`),
  };
}

describe('any plan with the failure policy, in any order of ends', () => {
  it('ends, each subtask once, with retries as the policy has them and no more agents than it leaves', async () => {
    await fc.assert(
      fc.asyncProperty(undisturbedRuns, syncs, handlings, async (run, sync, failure) => {
        const rig = await play(run, { sync, failure }, ({ executor, events }) => {
          const change = events.findLast((event) => event.type === 'agents-changed' || event.type === 'wave-started');
          const most = change?.type === 'agents-changed' ? change.to : run.agents;
          // What ran when the agents became fewer may end; nothing more may start beside it.
          const since = change === undefined ? 0 : events.lastIndexOf(change);
          const started = events.slice(since).filter((event) => event.type === 'subtask-started').length;
          if (started > 0 && sync === 'wave') expect(executor.running.length).toBeLessThanOrEqual(Math.max(most, 1));
        });
        endsIn(rig.events);
        for (const event of rig.eventsOf('failure-assessed')) {
          expect(event.failed).toBeGreaterThan(0);
          expect(event.failed).toBeLessThanOrEqual(event.subtasks);
          expect(event.pass).toBeLessThanOrEqual(MOST_PASSES);
          if (event.diagnosis.kind === 'systematic') expect(event.retried).toBe(0);
          expect(event.retried > 0).toBe(!['accept', 'stop'].includes(event.response.kind));
          if (failure.keepGoing) expect(event.response.kind).not.toBe('stop');
        }
        for (const task of run.tasks) {
          const most = (task.retries.max + 1) * MOST_PASSES;
          const attempts = rig.executor.executions.filter(({ request }) => request.subtask.replace(/\[\d+\]$/, '') === task.id);
          for (const { request } of attempts) expect(request.attempt).toBeLessThanOrEqual(most);
        }
        // Whoever succeeded had failed as often as the plan has it, and never again.
        for (const { task_id, status, attempt } of rig.checkpoints) {
          const task = run.tasks.find(({ id }) => id === task_id.replace(/\[\d+\]$/, ''));
          const index = /\[(\d+)\]$/.exec(task_id)?.[1];
          if (status === 'success' && task !== undefined)
            expect(attempt).toBe(1 + failingAttempts(task, index === undefined ? undefined : Number(index)));
        }
        const failures = [...endsIn(rig.events).values()].filter((end) => end === 'failure').length;
        expect(rig.end?.status).toBe(failures === 0 ? 'done' : 'failed');
        expect(rig.clock.timers, 'timers that nobody waits for').toBe(0);
      }),
      RUNS,
    );
  });

  it('stopped at any step, starts nothing more and tells no end twice', async () => {
    await fc.assert(
      fc.asyncProperty(stoppedRuns, syncs, handlings, async (run, sync, failure) => {
        let stoppedAt: number | undefined;
        const rig = await play(run, { sync, failure }, ({ control, executor }) => {
          if (control.state === 'running') return;
          stoppedAt ??= executor.executions.length;
          expect(executor.executions.length).toBe(stoppedAt);
        });
        endsIn(rig.events);
        expect(rig.executor.running).toEqual([]);
        expect(rig.clock.timers).toBe(0);
      }),
      RUNS,
    );
  });
});

describe('any plan, stopped at any step and resumed', () => {
  it('comes to what an undisturbed run comes to, and runs nothing again that was finished', async () => {
    await fc.assert(
      fc.asyncProperty(stoppedRuns, async (run) => {
        const first = await play(run, { sync: 'wave' });
        const done = new Set(first.checkpoints.map(({ task_id }) => task_id));
        const second = await play({ ...run, stop: undefined }, { sync: 'wave', finished: finishedBy(first.checkpoints) });
        const again = second.executor.executions.map(({ request }) => request.subtask).filter((subtask) => done.has(subtask));
        expect(again).toEqual([]);
        const expected = Object.fromEntries(
          Object.entries(expectedRun(run).fates).map(([subtask, fate]) => [
            subtask,
            typeof fate === 'string' ? 'skipped' : fate.status,
          ]),
        );
        expect(Object.fromEntries(endsIn(second.events))).toEqual(expected);
        expect(second.end?.status).toBe(expectedRun(run).status);
      }),
      RUNS,
    );
  });
});
