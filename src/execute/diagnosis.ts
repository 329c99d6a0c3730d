import { causeOf } from '../model/cause.js';
import type { Failure, FailureKind } from '../model/failure.js';
import type { Diagnosis, FailureRegion } from '../model/failure-assessment.js';
import type { JsonValue } from '../model/json.js';
import { regionsOf } from './regions.js';

/** A subtask that is failed at the end of a pass. */
export interface FailedSubtask {
  /** Position of its task in the pass's list. */
  readonly position: number;
  readonly item: JsonValue | undefined;
  readonly failure: Failure;
  /** How it failed in the pass before; undefined in the first. */
  readonly before: Failure | undefined;
}

/** A task of the wave, with all its subtasks, whatever became of them. */
export interface DiagnosedTask {
  readonly id: string;
  readonly subtasks: number;
  readonly pool?: string | undefined;
  /** The item of subtask i; undefined for a task without `foreach`. */
  readonly itemAt: ((i: number) => JsonValue) | undefined;
}

/** Fewer failures than this prove nothing by being alike. */
const EVIDENCE = 3;
/** A region that holds this share of the failures, and at most that share of the subtasks, stands out … */
const MOST_OF_FAILURES = 0.75;
const SHARE_OF_SUBTASKS = 0.5;
/** … if failures strewn at random would gather in it like that less often than this. */
const CHANCE = 0.001;

/** Whether the same message again and again says that there is one cause: a time-out, say, comes of load as well. */
const TELLS_A_CAUSE: Readonly<Record<FailureKind, boolean>> = {
  command: true,
  spawn: true,
  module: true,
  'module-load': true,
  timeout: false,
  success: true,
  expression: true,
  output: true,
  items: true,
  action: true,
  input: true,
  'agent-lost': false,
  cancelled: false,
};

/**
 * What the failures of a pass look like, with the evidence; undefined where nothing failed. In this order:
 *
 * - systematic: every subtask of one task, or nothing but what failed in the same way in the pass before;
 * - regional: one folder, host or pool holds most of them, though not of the wave's work;
 * - systematic: the same exit code and message throughout;
 * - random: anything else.
 *
 * A region goes before a shared message: that a folder cannot be read is a reason to leave it out, not to stop the rest.
 */
export function diagnose(failed: readonly FailedSubtask[], tasks: readonly DiagnosedTask[]): Diagnosis | undefined {
  if (failed.length === 0) return undefined;
  return wholeTask(failed, tasks) ?? repeated(failed) ?? regional(failed, tasks) ?? sameCause(failed) ?? random(failed);
}

function wholeTask(failed: readonly FailedSubtask[], tasks: readonly DiagnosedTask[]): Diagnosis | undefined {
  const position = failed[0]?.position ?? 0;
  const task = tasks[position];
  if (task === undefined || task.subtasks !== failed.length) return undefined;
  if (failed.some((subtask) => subtask.position !== position)) return undefined;
  return { kind: 'systematic', evidence: { kind: 'whole-task', task: task.id, count: failed.length } };
}

function repeated(failed: readonly FailedSubtask[]): Diagnosis | undefined {
  const again = failed.every(({ failure, before }) => before !== undefined && causeOf(failure) === causeOf(before));
  return again ? { kind: 'systematic', evidence: { kind: 'repeated', count: failed.length } } : undefined;
}

function sameCause(failed: readonly FailedSubtask[]): Diagnosis | undefined {
  const [first] = failed;
  if (first === undefined || failed.length < EVIDENCE || !isTelling(first.failure)) return undefined;
  const cause = causeOf(first.failure);
  if (failed.some(({ failure }) => causeOf(failure) !== cause)) return undefined;
  const { kind, message, exitCode } = first.failure;
  const evidence = { kind: 'same-cause', failure: kind, message, count: failed.length } as const;
  return { kind: 'systematic', evidence: exitCode === undefined ? evidence : { ...evidence, exitCode } };
}

/** A bare exit code is no cause: half of all programs end with 1 whatever went wrong. */
function isTelling({ kind, message }: Failure): boolean {
  return TELLS_A_CAUSE[kind] && !(kind === 'command' && /^exit code \d+$/.test(message));
}

function regional(failed: readonly FailedSubtask[], tasks: readonly DiagnosedTask[]): Diagnosis | undefined {
  if (failed.length < EVIDENCE) return undefined;
  const counts = new Map<string, { readonly region: FailureRegion; inside: number }>();
  for (const { position, item } of failed) {
    for (const region of regionsOfSubtask(item, tasks[position])) {
      const known = counts.get(regionKey(region));
      if (known === undefined) counts.set(regionKey(region), { region, inside: 1 });
      else known.inside += 1;
    }
  }
  const candidates = [...counts.values()]
    .filter(({ inside }) => inside >= Math.max(EVIDENCE, failed.length * MOST_OF_FAILURES))
    // The one that holds the most; of several, the innermost folder.
    .sort((a, b) => b.inside - a.inside || b.region.name.length - a.region.name.length);
  if (candidates.length === 0) return undefined;
  const subtasks = countSubtasks(new Set(candidates.map(({ region }) => regionKey(region))), tasks);
  const all = tasks.reduce((sum, task) => sum + task.subtasks, 0);
  const found = candidates.find(({ region, inside }) => {
    const share = (subtasks.get(regionKey(region)) ?? 0) / all;
    return share <= SHARE_OF_SUBTASKS && chanceOf(inside, failed.length, share) < CHANCE;
  });
  if (found === undefined) return undefined;
  const { region, inside } = found;
  return {
    kind: 'regional',
    region,
    inside,
    outside: failed.length - inside,
    subtasks: subtasks.get(regionKey(region)) ?? inside,
  };
}

/** Whether a subtask is in a region. */
export function isInRegion(item: JsonValue | undefined, task: DiagnosedTask | undefined, region: FailureRegion): boolean {
  return regionsOfSubtask(item, task).some((one) => one.kind === region.kind && one.name === region.name);
}

function regionsOfSubtask(item: JsonValue | undefined, task: DiagnosedTask | undefined): readonly FailureRegion[] {
  const places = regionsOf(item);
  return task?.pool === undefined ? places : [...places, { kind: 'pool', name: task.pool }];
}

/** How many subtasks of the wave are in each of the regions. */
function countSubtasks(keys: ReadonlySet<string>, tasks: readonly DiagnosedTask[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const task of tasks) {
    for (let i = 0; i < task.subtasks; i++) {
      for (const region of regionsOfSubtask(task.itemAt?.(i), task)) {
        const key = regionKey(region);
        if (keys.has(key)) counts.set(key, (counts.get(key) ?? 0) + 1);
      }
    }
  }
  return counts;
}

/** How likely at least `inside` of `failures` are in a region with such a share of the subtasks, if it is down to chance. */
function chanceOf(inside: number, failures: number, share: number): number {
  let log = 0;
  for (let i = 1; i <= inside; i++) log += Math.log((failures - inside + i) / i);
  log += inside * Math.log(share) + (failures - inside) * Math.log1p(-share);
  let chance = 0;
  for (let k = inside; k <= failures; k++) {
    chance += Math.exp(log);
    log += Math.log((failures - k) / (k + 1)) + Math.log(share) - Math.log1p(-share);
  }
  return chance;
}

function regionKey({ kind, name }: FailureRegion): string {
  return `${kind} ${name}`;
}

function random(failed: readonly FailedSubtask[]): Diagnosis {
  return { kind: 'random', causes: new Set(failed.map(({ failure }) => causeOf(failure))).size, count: failed.length };
}
