import { join } from 'node:path';
import type { Checkpoint } from '../../src/model/checkpoint.ts';
import type { JsonValue } from '../../src/model/json.ts';
import { differences, filesOf } from '../scenarios/files.ts';
import { type Check, check, none } from '../scenarios/scenario.ts';
import type { Case } from './cases.ts';
import { type Fault, SILENCE_MS } from './faults.ts';
import type { Network } from './namespaces.ts';
import { type Program, startWaveplan, startWorker, until } from './programs.ts';
import { recordedBytes, recordsOf } from './records.ts';
import type { RedisServer } from './redis-server.ts';

/** Workers of a run, and the agents of each. */
const WORKERS = 3;
const AGENTS = 4;
/** The share of a run's records that are there when a fault strikes. */
const STRIKE_AT = 0.3;
/** A run that takes longer has come to a stand. */
const RUN_MS = 150_000;

/** What a run left behind. */
export interface Left {
  readonly seconds: number;
  readonly records: readonly Checkpoint[];
  readonly bytes: number;
  readonly files: ReadonlyMap<string, Buffer>;
}

/** Where runs take place: real workers with a network of their own, and a real Redis. */
export interface Stage {
  readonly network: Network;
  readonly redis: RedisServer;
  /** An empty folder. */
  readonly folder: string;
}

/** How a rehearsal went. */
export interface Rehearsal {
  readonly name: string;
  readonly seconds: number;
  readonly checks: readonly Check[];
}

/** Runs a scenario on threads of this machine: what all others are held against. */
export async function runHere(scenario: Case, { folder, network }: Stage): Promise<Rehearsal & { readonly left: Left }> {
  const trial = await scenario.begin(join(folder, `${scenario.name}-here`), network.host);
  try {
    const begun = performance.now();
    const run = startWaveplan(['run', ...trial.plan, '--yes', '--quiet'], { cwd: trial.folder });
    const ended = await endOf(run);
    const left = leftIn(trial.folder, begun);
    const checks = [
      check('it ends well', ended === 0, `${ended}: ${run.printed().slice(-2000)}`),
      ...(await trial.checks(left.records)),
    ];
    return { name: 'on this machine', seconds: left.seconds, left, checks };
  } finally {
    await trial.end();
  }
}

/** Runs a scenario on the workers, lets a fault strike, and holds what is left against the run on this machine. */
export async function rehearse(
  scenario: Case,
  here: Left,
  { stage, fault, workers: count = WORKERS }: { readonly stage: Stage; readonly fault?: Fault; readonly workers?: number },
): Promise<Rehearsal> {
  const { network, redis, folder } = stage;
  const name = fault?.name ?? `on ${count} workers`;
  await redis.startAgain();
  const trial = await scenario.begin(join(folder, `${scenario.name} ${name}`.replaceAll(/[^a-z0-9]+/gi, '-')), network.host);
  const elsewhere = ['--executor', 'bullmq', '--redis', redis.url, '--worker-timeout', `${SILENCE_MS}ms`];
  const programs: Program[] = [];
  const start = (args: readonly string[]) => {
    const program = startWaveplan(args, { cwd: trial.folder });
    programs.push(program);
    return program;
  };
  try {
    const workers = await Promise.all(
      Array.from({ length: count }, (_, machine) =>
        startWorker(redis.url, {
          root: trial.folder,
          agents: AGENTS,
          under: network.on(machine),
          args: ['--worker-timeout', `${SILENCE_MS}ms`],
        }),
      ),
    );
    programs.push(...workers);
    const begun = performance.now();
    let coordinator = start(['run', ...trial.plan, '--yes', '--quiet', ...elsewhere]);
    let before: readonly Checkpoint[] = [];
    if (fault !== undefined) {
      let over = false;
      void coordinator.ended.then(() => {
        over = true;
      });
      await until(() => over || recordedBytes(trial.folder) >= STRIKE_AT * here.bytes, 'the middle of the run', RUN_MS);
      before = recordsOf(trial.folder);
      const resume = (where: 'bullmq' | 'threads') =>
        start(['resume', '--yes', '--quiet', ...(where === 'bullmq' ? elsewhere : ['--executor', 'threads'])]);
      coordinator = await fault.strike({ redis, network, workers, coordinator, resume });
    }
    const ended = await endOf(coordinator);
    const left = leftIn(trial.folder, begun);
    const checks = [
      check('it ends well', ended === 0, `${ended}: ${coordinator.printed().slice(-2000)}`),
      ...sameAs(here, left),
      ...(fault === undefined ? [] : struck(before, left)),
      ...(await trial.checks(left.records)),
    ];
    return { name, seconds: left.seconds, checks };
  } finally {
    await Promise.all(programs.map((program) => program.kill()));
    network.heal(0);
    await trial.end();
  }
}

async function endOf(program: Program): Promise<number | NodeJS.Signals> {
  let late: NodeJS.Timeout | undefined;
  const tooLate = new Promise<'late'>((resolve) => {
    late = setTimeout(() => resolve('late'), RUN_MS);
  });
  const ended = await Promise.race([program.ended, tooLate]);
  clearTimeout(late);
  if (ended !== 'late') return ended;
  await program.kill();
  throw new Error(`a run did not end within ${RUN_MS / 1000} s: ${program.printed().slice(-2000)}`);
}

function leftIn(folder: string, begun: number): Left {
  const seconds = (performance.now() - begun) / 1000;
  return { seconds, records: recordsOf(folder), bytes: recordedBytes(folder), files: filesOf(folder) };
}

function sameAs(here: Left, left: Left): readonly Check[] {
  const [expected, found] = [resultsOf(here.records), resultsOf(left.records)];
  const other = [...new Set([...expected.keys(), ...found.keys()])].filter((id) => expected.get(id) !== found.get(id));
  return [
    none(`the results of all ${expected.size} subtasks are those of the run on this machine`, other),
    none('so are the files', differences(here.files, left.files)),
    none('no subtask succeeded twice', twice(left.records)),
  ];
}

function struck(before: readonly Checkpoint[], left: Left): readonly Check[] {
  const now = new Set(left.records.map(identity));
  const share = Math.round((100 * before.length) / left.records.length);
  return [
    check(
      `it struck in the middle, at ${before.length} records (${share}%)`,
      before.length > 0 && before.length < left.records.length,
    ),
    none(
      'every checkpoint from before is there, as it was',
      before.filter((record) => !now.has(identity(record))).map(({ task_id }) => task_id),
    ),
  ];
}

/** Of each subtask that succeeded, by its name: what does not depend on when and where it ran. */
function resultsOf(records: readonly Checkpoint[]): ReadonlyMap<string, string> {
  const succeeded = records.filter(({ status }) => status === 'success');
  return new Map(succeeded.map(({ task_id, results }) => [task_id, JSON.stringify(lasting(results))]));
}

/** Answers have a date and tries, which are counted once more in a report, and what commands print has durations. */
function lasting(results: JsonValue): JsonValue {
  if (results === null || typeof results !== 'object' || Array.isArray(results)) return results;
  const { exitCode, status, body, again, summary: _, ...rest } = results as { readonly [name: string]: JsonValue };
  if (exitCode !== undefined) return { exitCode };
  if (again !== undefined) return rest;
  return status !== undefined && body !== undefined ? { status, body } : results;
}

function twice(records: readonly Checkpoint[]): readonly string[] {
  const seen = new Set<string>();
  return records.flatMap(({ task_id, status }) => {
    if (status !== 'success') return [];
    if (seen.has(task_id)) return [task_id];
    seen.add(task_id);
    return [];
  });
}

function identity({ task_id, key, started, attempt, status }: Checkpoint): string {
  return JSON.stringify([task_id, key, started, attempt, status]);
}
