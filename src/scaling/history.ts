import { canonicalJson, contentHash } from '../model/ids.js';
import { medianOf } from '../model/statistics.js';
import type { MachineFingerprint } from './calibration.js';
import type { MachineProfile } from './machine.js';
import { isOtherWork } from './other-work.js';

/** How records name the machine that they were made on. */
export function machineKey(fingerprint: MachineFingerprint): string {
  return contentHash(canonicalJson({ ...fingerprint }));
}

/** The same for a run on those machines: what the workers did says nothing of what threads here do. */
export function historyKey(fingerprint: MachineFingerprint, { workers }: Pick<MachineProfile, 'workers'>): string {
  return workers === undefined ? machineKey(fingerprint) : contentHash(`workers of waveplan ${fingerprint.waveplan}`);
}

/** What one run learned of one task. One line of `history.ndjson`, hence snake case. */
export interface TaskRecord {
  readonly kind: 'task';
  /** Hash of the task's definition: another command has another history. */
  readonly key: string;
  /** Of the machine's fingerprint: durations of another machine say nothing. */
  readonly machine: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly task: string;
  readonly subtasks: number;
  readonly mean_ms: number;
  readonly median_ms: number;
  /** Between the quarter that was fastest and the quarter that was slowest. */
  readonly quartile_range_ms: number;
  readonly max_ms: number;
  /** Share of the subtasks' time in which they kept a core busy, from 0 to 1. */
  readonly cpu_share: number;
}

/** What one run learned of one wave: the time that its prediction did not explain. */
export interface WaveRecord {
  readonly kind: 'wave';
  /** Hash of the definitions of its tasks. The number of agents is no part of it: else untried counts would look better than tried ones. */
  readonly key: string;
  readonly machine: string;
  readonly at: string;
  readonly extra_seconds: number;
  /** On which it ended. Absent in earlier records, which were made on as many as were decided. */
  readonly agents?: number;
  /** More of them were seen to bring more throughput. */
  readonly grew?: boolean;
  /** Beyond this number, more agents brought no more throughput; absent where that was not seen. */
  readonly useful_agents?: number;
}

export type HistoryRecord = TaskRecord | WaveRecord;

/** What is known of a task by its history. */
export interface TaskHistory {
  readonly runs: number;
  readonly meanSeconds: number;
  readonly medianSeconds: number;
  readonly quartileRangeSeconds: number;
  readonly longestSeconds: number;
  readonly cpuShare: number;
}

/** The newest so many runs count: older ones were of another day, and perhaps of other data. */
const RUNS = 5;

/** From one run to the next, agents whose throughput grew with their number may become so many times as many. */
const FURTHER = 4;

/** The history of one machine, by key. */
export class History {
  readonly #tasks = new Map<string, TaskRecord[]>();
  readonly #waves = new Map<string, WaveRecord[]>();

  /** @param records oldest first, as they stand in the file. */
  constructor(records: Iterable<HistoryRecord>, machine: string) {
    for (const record of records) {
      if (record.machine !== machine) continue;
      if (record.kind === 'task') addNewest(this.#tasks, record);
      else addNewest(this.#waves, record);
    }
  }

  /** What is known of a task; `undefined` where it never succeeded on this machine. */
  task(key: string): TaskHistory | undefined {
    const records = this.#tasks.get(key);
    if (records === undefined) return undefined;
    const alike = ofTheSameWork(records);
    // One record as a whole, the middle one: its duration and its share belong together.
    const middle = [...alike].sort((x, y) => x.mean_ms - y.mean_ms)[Math.floor((alike.length - 1) / 2)];
    if (middle === undefined) return undefined;
    return {
      runs: alike.length,
      meanSeconds: middle.mean_ms / 1000,
      medianSeconds: middle.median_ms / 1000,
      quartileRangeSeconds: middle.quartile_range_ms / 1000,
      longestSeconds: middle.max_ms / 1000,
      cpuShare: middle.cpu_share,
    };
  }

  /**
   * On how many agents this wave may begin: on those that it ended with before, and where its throughput grew as they did, on several
   * times as many. Infinite where records do not say, `undefined` where there are none.
   */
  provenAgents(key: string): number | undefined {
    const records = this.#waves.get(key);
    return records && Math.max(...records.map(({ agents, grew }) => (agents ?? Number.POSITIVE_INFINITY) * (grew ? FURTHER : 1)));
  }

  /** The number of agents beyond which the wave's throughput did not grow, as last seen. */
  usefulAgents(key: string): number | undefined {
    return this.#waves.get(key)?.findLast((record) => record.useful_agents !== undefined)?.useful_agents;
  }

  /** Seconds that this wave usually takes beyond its prediction; 0 where nothing is known. */
  extraSeconds(key: string): number {
    const extra = this.#waves.get(key)?.map((record) => record.extra_seconds) ?? [];
    return extra.length === 0 ? 0 : medianOf(extra);
  }
}

function addNewest<R extends HistoryRecord>(map: Map<string, R[]>, record: R): void {
  const known = map.get(record.key);
  if (known === undefined) map.set(record.key, [record]);
  else {
    known.push(record);
    if (known.length > RUNS) known.shift();
  }
}

/** The newest records of a task, as far back as its subtasks took about the same: before that they were other work. */
function ofTheSameWork(records: readonly TaskRecord[]): readonly TaskRecord[] {
  const newest = records.at(-1);
  if (newest === undefined) return [];
  const other = records.findLastIndex((record) => isOtherWork(record.median_ms / 1000, newest.median_ms / 1000));
  return records.slice(other + 1);
}
