import { appendFileSync, existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromRecordLine } from '../../src/data/checkpoint-line.js';
import type { Checkpoint } from '../../src/model/checkpoint.js';
import type { JsonValue } from '../../src/model/json.js';
import { isAlive, linesOf, processesOf, type Running, start } from '../support/processes.js';
import type { SoakPlan } from './random-plan.js';

/** What a soak found. */
export interface SoakTally {
  plans: number;
  kills: number;
  torn: number;
  checkpoints: number;
  /** Checkpoints that were written and are gone, or count no more. */
  lost: number;
  /** Subtasks that began again after their checkpoint was written. */
  repeated: number;
  /** Processes that a resume did not end. */
  left: number;
  /** Final results other than those of an undisturbed run. */
  different: number;
}

export function newTally(): SoakTally {
  return { plans: 0, kills: 0, torn: 0, checkpoints: 0, lost: 0, repeated: 0, left: 0, different: 0 };
}

/** What a soak of one plan may do. */
export interface SoakOptions {
  readonly random: () => number;
  /** Two folders of its own: one for the undisturbed run. */
  readonly folders: { readonly calm: string; readonly rough: string };
  readonly plan: SoakPlan;
  readonly mostKills: number;
  /** From the start of the command to its end by SIGKILL, at most, in milliseconds. */
  readonly longestMs: number;
  readonly agents: number;
}

const ARGS = ['-y', '-q', '--overhead', '1ms'];

/** Runs a plan undisturbed, then again with a kill at a random moment, and a resume after each kill, until it is done. */
export async function soakPlan(options: SoakOptions, tally: SoakTally): Promise<void> {
  const { random, folders, plan, agents } = options;
  const args = [...ARGS, '-j', String(agents)];
  for (const folder of Object.values(folders))
    for (const [name, text] of Object.entries(plan.files)) writeFileSync(join(folder, name), text);
  const calm = await start(['run', 'plan.yaml', ...args], { cwd: folders.calm }).ended;
  if (calm.code !== 0) throw new Error(`the undisturbed run ended with ${calm.code}: ${calm.text}\n${plan.shape}`);
  const expected = resultsIn(folders.calm);
  tally.plans += 1;

  const { rough } = folders;
  const ledger = join(rough, 'ledger');
  let written = new Map<string, Checkpoint>();
  let ledgerAtKill = 0;
  for (let kills = 0; ; kills++) {
    const begun = recordedRun(rough) !== undefined;
    const running = start(begun ? ['resume', '-q'] : ['run', 'plan.yaml', ...args], { cwd: rough });
    const killed = kills < options.mostKills && (await killedAfter(running, random() * options.longestMs));
    const { code, text } = await running.ended;
    const beginnings = linesOf(ledger)
      .slice(ledgerAtKill)
      .filter((line) => line.startsWith('start '));
    const again = beginnings.filter((line) => written.has(line.slice('start '.length)));
    tally.repeated += again.length;
    const now = byLedgerName(checkpointsIn(rough));
    for (const id of written.keys()) if (!now.has(id)) tally.lost += 1;
    if (!killed) {
      if (code !== 0) throw new Error(`the run ended with ${code} after ${kills} kills: ${text}\n${plan.shape}`);
      tally.checkpoints += now.size;
      break;
    }
    tally.kills += 1;
    if (random() < 0.2 && tear(rough, random)) tally.torn += 1;
    written = byLedgerName(checkpointsIn(rough));
    ledgerAtKill = linesOf(ledger).length;
  }
  const run = recordedRun(rough) ?? '';
  tally.left += processesOf(run).filter(isAlive).length;
  const found = resultsIn(rough);
  for (const [id, results] of expected) if (JSON.stringify(found.get(id)) !== JSON.stringify(results)) tally.different += 1;
}

/** Whether the command still ran when it was killed. */
async function killedAfter(running: Running, ms: number): Promise<boolean> {
  const ended = await Promise.race([
    running.ended.then(() => true),
    new Promise<boolean>((resolve) => setTimeout(() => resolve(false), ms)),
  ]);
  if (ended) return false;
  running.signal('SIGKILL');
  return true;
}

/** The run, once it can be resumed; one that was killed before has no manifest. */
function recordedRun(folder: string): string | undefined {
  const runs = join(folder, '.waveplan', 'runs');
  if (!existsSync(runs)) return undefined;
  return readdirSync(runs).find((run) => existsSync(join(runs, run, 'manifest.json')));
}

/** The last valid record of each subtask that succeeded, by its name; a line that lost its end is none. */
function checkpointsIn(folder: string): Map<string, Checkpoint> {
  const found = new Map<string, Checkpoint>();
  const run = recordedRun(folder);
  if (run === undefined) return found;
  const runDir = join(folder, '.waveplan', 'runs', run);
  for (const name of readdirSync(runDir).filter((file) => /^wave\d+\.ndjson$/.test(file))) {
    for (const line of readFileSync(join(runDir, name), 'latin1').split('\n').slice(0, -1)) {
      const checkpoint = fromRecordLine(Buffer.from(line, 'latin1'));
      if (checkpoint?.status === 'success') found.set(checkpoint.task_id, checkpoint);
    }
  }
  return found;
}

/** As the ledger calls them: `t0[3]` is `t0-3`. */
function byLedgerName(checkpoints: ReadonlyMap<string, Checkpoint>): Map<string, Checkpoint> {
  return new Map([...checkpoints].flatMap(([id, checkpoint]) => [[id.replace(/\[(\d+)\]$/, '-$1'), checkpoint]]));
}

function resultsIn(folder: string): ReadonlyMap<string, JsonValue> {
  return new Map([...checkpointsIn(folder)].map(([id, { results }]) => [id, results]));
}

/** Does to the end of a wave's file what a power cut may do; whether it did. */
function tear(folder: string, random: () => number): boolean {
  const run = recordedRun(folder);
  if (run === undefined) return false;
  const runDir = join(folder, '.waveplan', 'runs', run);
  const last = readdirSync(runDir)
    .filter((file) => /^wave\d+\.ndjson$/.test(file))
    .sort()
    .at(-1);
  if (last === undefined) return false;
  const file = join(runDir, last);
  if (random() < 0.5) appendFileSync(file, Buffer.alloc(Math.ceil(random() * 5000)));
  else truncateSync(file, Math.max(0, statSync(file).size - Math.ceil(random() * 300)));
  return true;
}
