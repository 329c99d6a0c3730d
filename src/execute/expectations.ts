import type { TaskType } from '../model/scaling-decision.js';
import { type ExpectedWork, isOtherWork } from '../scaling/other-work.js';
import { isComputing } from '../scaling/saturation.js';
import { leftOf } from './task-work.js';
import { type Probe, type ProbePorts, WorkProbe } from './work-probe.js';

/** What expectations are made of. */
export interface ExpectationOptions {
  /** What is expected of each task; undefined where nothing is known: then the first subtasks are the probe. */
  readonly expected: readonly (ExpectedWork | undefined)[];
  /** Subtasks that make a probe. */
  readonly probeSize: number;
  readonly cores: number;
  readonly type: TaskType;
}

/** What was found out about tasks, and what it means for the number of agents. */
export interface Finding {
  readonly probes: readonly Probe[];
  readonly reason: string;
  /** Fewer agents may follow from it, and not only more. */
  readonly mayCut: boolean;
}

/** What expectations are held against. */
export interface ExpectationPorts extends ProbePorts {
  /** Subtasks that are not over yet. */
  readonly unfinished: () => number;
  /** When the subtask began that has run longest, by the position of its task: milliseconds since the epoch. */
  readonly running: () => ReadonlyMap<number, number>;
}

/** A subtask that has run for less has said nothing of its length yet. */
const TELLING_SECONDS = 0.5;

/**
 * What is known of a wave's work, held against what it turns out to be. Tasks of which nothing is known are probed before
 * anything else. What is known of the others may be of other work than this: of other data, or of another machine at the far end.
 * Where that takes longer, more agents may help. Where it takes less, nothing is given up: a list may begin with its short items.
 */
export class Expectations {
  readonly #options: ExpectationOptions;
  readonly #ports: ExpectationPorts;
  readonly #cpuBefore: number;
  /** By now. */
  readonly #expected: (ExpectedWork | undefined)[];
  /** Of the tasks of which nothing is known, while it is open. */
  #probe: WorkProbe | undefined;
  /** Of each larger task of which something is known, by position, until one of them is other work. */
  readonly #checks = new Map<number, WorkProbe>();
  #checked = false;

  constructor(options: ExpectationOptions, ports: ExpectationPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#cpuBefore = ports.cpuSeconds();
    this.#expected = [...options.expected];
    const unknown = [...this.#expected.keys()].filter((position) => this.#isUnknown(position));
    if (unknown.length > 0) this.#probe = this.#probeOf(unknown);
  }

  /** Whether nothing is known yet of some task. */
  get probing(): boolean {
    return this.#probe !== undefined;
  }

  /** To be called after each attempt at the task at this position. */
  attemptEnded(position: number): Finding | undefined {
    if (this.#probe === undefined) return this.#mayBeOtherWork(position) ? this.#check(position) : undefined;
    const probes = this.#probe.attemptEnded();
    if (probes === undefined) return undefined;
    this.#probe = undefined;
    return probes.length === 0 ? undefined : this.#learned({ probes, reason: 'the first subtasks were measured', mayCut: true });
  }

  /**
   * Of what nothing ended yet, so that its subtasks take at least as long as was waited for them: expects twice that.
   * @param waitedMs since the wave began.
   */
  slow(waitedMs: number): Finding | undefined {
    const { cpuSeconds, agents } = this.#ports;
    const waited = waitedMs / 1000;
    const slow = this.probing ? this.#unseen(waited) : this.#overdue();
    if (slow.length === 0) return undefined;
    const cpuShare = Math.min(1, (cpuSeconds() - this.#cpuBefore) / (waited * agents()));
    const probes = slow.map(({ position, seconds }) => ({ position, seconds: 2 * seconds, cpuShare, saturated: false }));
    return this.#learned({ probes, reason: `no subtask has ended after ${waited} s`, mayCut: this.probing });
  }

  /** Tasks of which nothing is known still. */
  #unseen(seconds: number): readonly Waited[] {
    const unseen = ({ position }: Waited) => this.#isUnknown(position) && this.#ports.tallies()[position]?.firstMs.length === 0;
    return [...this.#expected.keys()].map((position) => ({ position, seconds })).filter(unseen);
  }

  /** Where nothing at all has ended: the running tasks that have run for much longer than what is known of them. */
  #overdue(): readonly Waited[] {
    const { now, finished, running } = this.#ports;
    if (finished() > 0) return [];
    const ran = [...running()].map(([position, begun]) => ({ position, seconds: (now() - begun) / 1000 }));
    return ran.filter(({ position, seconds }) => {
      const longest = this.#expected[position]?.longest ?? Number.POSITIVE_INFINITY;
      return seconds >= TELLING_SECONDS && this.#mayBeOtherWork(position) && isLonger(seconds, longest);
    });
  }

  #isUnknown(position: number): boolean {
    return this.#options.expected[position] === undefined;
  }

  #probeOf(positions: readonly number[]): WorkProbe {
    const { probeSize: size, type, cores } = this.#options;
    return new WorkProbe({ positions, size, type, cores }, this.#ports);
  }

  /** Not where files are the work: there, how long a subtask takes is a matter of how many run. */
  #mayBeOtherWork(position: number): boolean {
    return !this.#isUnknown(position) && this.#options.type !== 'file_operations';
  }

  #check(position: number): Finding | undefined {
    if (this.#checked || !this.#isMostOfTheRest(position)) return undefined;
    const check = this.#checks.get(position) ?? this.#probeOf([position]);
    this.#checks.set(position, check);
    const [probe] = check.attemptEnded() ?? [];
    const usual = this.#expected[position]?.usual;
    if (probe === undefined || usual === undefined || !isLonger(probe.seconds, usual)) return undefined;
    if (probe.saturated && !isComputing(this.#options.type)) return undefined;
    this.#checked = true;
    return this.#learned({
      probes: [probe],
      reason: `subtasks take ${inMs(probe.seconds)}, and ${inMs(usual)} were expected`,
      mayCut: false,
    });
  }

  /** A number of agents is not changed for the sake of a few subtasks. */
  #isMostOfTheRest(position: number): boolean {
    const tally = this.#ports.tallies()[position];
    if (tally === undefined || tally.total < 2 * this.#options.probeSize) return false;
    return 2 * leftOf(tally) >= this.#ports.unfinished();
  }

  #learned(finding: Finding): Finding {
    for (const { position, seconds } of finding.probes) this.#expected[position] = { usual: seconds, longest: seconds };
    return finding;
  }
}

/** A task, and how long it was waited for. */
interface Waited {
  readonly position: number;
  readonly seconds: number;
}

function isLonger(measuredSeconds: number, expectedSeconds: number): boolean {
  return measuredSeconds > expectedSeconds && isOtherWork(measuredSeconds, expectedSeconds);
}

/** Seconds as milliseconds of two digits. */
function inMs(seconds: number): string {
  return `${Number((1000 * seconds).toPrecision(2))} ms`;
}
