import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventLog } from '../../../src/checkpoint/event-log.js';
import { type FinishedIndex, readFinished } from '../../../src/checkpoint/finished-index.js';
import { openJournal } from '../../../src/checkpoint/journal.js';
import { readRunEvents } from '../../../src/checkpoint/read-events.js';
import { type RunManifest, type RunResume, writeManifest } from '../../../src/checkpoint/run-store.js';
import { outdatedTasks } from '../../../src/plan/compare-plans.js';
import { createSummary } from '../../../src/report/summary.js';
import { compiled, planOf, type TaskSketch } from '../../support/plans.js';
import { type Execution, failureOf, type OutcomeSketch } from '../execute/fakes.js';
import { Rig } from '../execute/rig.js';
import { runStarted } from '../report/builders.js';
import { value } from './repo.js';

interface RandomTask {
  readonly items: readonly number[] | 'one';
  readonly batch: number | undefined;
  readonly needsPrevious: boolean;
  /** Another one: its definition changed. */
  readonly version: number;
}

const randomTask: fc.Arbitrary<RandomTask> = fc.record({
  items: fc.oneof(fc.array(fc.nat({ max: 4 }), { maxLength: 4 }), fc.constant('one' as const)),
  batch: fc.constantFrom(undefined, undefined, 2, 3),
  needsPrevious: fc.boolean(),
  version: fc.constantFrom(0, 0, 1),
});

/** A task by name; undefined: the plan does not have it. */
const randomPlan = fc.array(fc.option(randomTask, { nil: undefined }), { minLength: 3, maxLength: 3 });
type RandomPlan = readonly (RandomTask | undefined)[];

function sketchesOf(plan: RandomPlan): readonly TaskSketch[] {
  let previous: string | undefined;
  return plan.flatMap((task, i) => {
    if (task === undefined) return [];
    const id = `t${i}`;
    const needs = task.needsPrevious && previous !== undefined ? [previous] : [];
    previous = id;
    const work = { kind: 'shell', command: `version ${task.version}` } as const;
    const fanOut = task.items === 'one' ? {} : { foreach: { kind: 'list', items: task.items } as const, batch: task.batch };
    return [{ id, needs, work, ...fanOut, hash: `hash of ${id} ${task.version}` }];
  });
}

/** Whether work fails hangs on the work alone, so that a failure that stays is one that a fresh run would have too. */
function outcomeOf({ request }: Execution): OutcomeSketch {
  const { action, item } = request;
  const text = JSON.stringify([action.kind === 'command' ? action.argv : [], item]);
  const sum = [...text].reduce((total, char) => total + char.charCodeAt(0), 0);
  return sum % 3 === 0 ? { failure: failureOf() } : {};
}

async function play(plan: RandomPlan, sync: 'wave' | 'eager', index?: FinishedIndex, outdated: readonly string[] = []) {
  const finished = index?.finished({ failures: true, voided: new Set(outdated) });
  const rig = await new Rig({
    tasks: sketchesOf(plan),
    finally: [{ id: 'clean' }],
    sync,
    majorShare: 1,
    ...(finished && { finished }),
  }).start();
  for (; rig.end === undefined; ) {
    if (rig.broken !== undefined) throw rig.broken;
    await rig.finishAll(outcomeOf);
    if (rig.end === undefined) rig.clock.tick();
  }
  finished?.close();
  return rig;
}

/** Writes what a part of a run told, as a run does. */
async function record(runDir: string, plan: RandomPlan, rig: Rig): Promise<void> {
  const log = new EventLog(runDir);
  const journal = value(await openJournal({ runDir }));
  const waves = compiled(sketchesOf(plan)).waves.map(({ number, name, nodes }) => ({
    number,
    name,
    tasks: nodes.map(({ task }) => ({
      id: task.id,
      phase: undefined,
      fanOut: task.foreach !== undefined,
      subtasks: undefined,
      work: '',
    })),
  }));
  for (const event of [runStarted({ at: 1_000_000, waves }), ...rig.events]) {
    log.record(event);
    if (event.type === 'finally-finished') journal.record(event.checkpoint);
    if (event.type === 'subtask-finished' && event.resumed !== 'as-is') journal.record(event.checkpoint);
  }
  value(await log.close());
  value(await journal.close());
}

function manifestOf(resumes: readonly RunResume[]): RunManifest {
  const plan = { name: 'test', file: '/plans/test.yaml' };
  return {
    version: 1,
    run: 'test',
    plan,
    folder: '/work',
    params: {},
    created: '2026-01-01T12:00:00.000Z',
    waveplan: '1',
    node: 'v20',
    methodologyHash: '',
    ...(resumes.length > 0 && { resumes }),
  };
}

/** The outcome of each subtask that a report counts; the counts of its summary must be theirs. */
async function toldBy(runDir: string): Promise<Readonly<Record<string, string>>> {
  const summary = createSummary();
  const outcomes: Record<string, string> = {};
  const finallyTasks: string[] = [];
  for await (const entry of readRunEvents(runDir)) {
    if (entry.kind !== 'event') throw new Error(`a record is ${entry.kind}`);
    const { event } = entry;
    summary.add(event);
    if (event.type === 'finally-finished') finallyTasks.push(event.task);
    const told =
      event.type === 'subtask-finished'
        ? ([event.checkpoint.task_id, event.checkpoint.status] as const)
        : event.type === 'subtask-skipped'
          ? ([event.subtask, 'skipped'] as const)
          : undefined;
    if (told === undefined) continue;
    expect(outcomes, `${told[0]} is counted twice`).not.toHaveProperty([told[0]]);
    outcomes[told[0]] = told[1];
  }
  const { success, failed, skipped } = summary.result().totals;
  const count = (status: string) => Object.values(outcomes).filter((one) => one === status).length;
  expect({ success, failed, skipped }).toEqual({
    success: count('success'),
    failed: count('failure'),
    skipped: count('skipped'),
  });
  expect(finallyTasks).toEqual(['clean']);
  return outcomes;
}

function endsIn(rig: Rig): Readonly<Record<string, string>> {
  return Object.fromEntries([
    ...rig.checkpoints.map(({ task_id, status }) => [task_id, status] as const),
    ...rig.eventsOf('subtask-skipped').map(({ subtask }) => [subtask, 'skipped'] as const),
  ]);
}

describe('a run that is resumed again and again with other plans', () => {
  it('is told after each part as a fresh run of that plan would be', async () => {
    const runs = fc.record({
      plans: fc.array(randomPlan, { minLength: 2, maxLength: 4 }),
      sync: fc.constantFrom('wave' as const, 'eager' as const),
    });
    await fc.assert(
      fc.asyncProperty(runs, async ({ plans, sync }) => {
        const runDir = mkdtempSync(join(tmpdir(), 'waveplan-test-'));
        try {
          const resumes: RunResume[] = [];
          let before: RandomPlan | undefined;
          for (const plan of plans) {
            const index = before === undefined ? undefined : value(await readFinished(runDir, { voided: resumes, repair: true }));
            const outdated = before && [...outdatedTasks(planOf(sketchesOf(before)), planOf(sketchesOf(plan))).keys()];
            if (index !== undefined) resumes.push({ at: '', tasks: outdated ?? [], ends: index.ends });
            value(await writeManifest(runDir, manifestOf(resumes)));
            await record(runDir, plan, await play(plan, sync, index, outdated));
            expect(await toldBy(runDir)).toEqual(endsIn(await play(plan, sync)));
            before = plan;
          }
        } finally {
          rmSync(runDir, { recursive: true });
        }
      }),
      { numRuns: 40 },
    );
  });
});
