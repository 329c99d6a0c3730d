import type { TaskType } from '../model/scaling-decision.js';
import { type ExpectedWork, isOtherWork } from '../scaling/other-work.js';
import { isComputing } from '../scaling/saturation.js';
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
}

/** A subtask that has run for less, in milliseconds, has said nothing of its length yet. */
const TELLING_MS = 500;

/**
 * What is known of a wave's work, held against what it turns out to be. Tasks of which nothing is known are probed before
 * anything else; what is known of the others may be of other work than this: of other data, or of another machine at the far end.
 */
export class Expectations {
  readonly #options: ExpectationOptions;
  readonly #ports: ProbePorts;
  readonly #cpuBefore: number;
  /** By now. */
  readonly #expected: (ExpectedWork | undefined)[];
  /** Of the tasks of which nothing is known, while it is open. */
  #probe: WorkProbe | undefined;
  /** Of each task of which something is known, by position. */
  readonly #checks = new Map<number, WorkProbe>();

  constructor(options: ExpectationOptions, ports: ProbePorts) {
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
    return this.#learned({ probes, reason: 'the first subtasks were measured' });
  }

  /**
   * Tasks of which nothing ended yet, so that their subtasks take at least as long as they have run: expects twice that.
   * @param running when the subtask began that has run longest, by the position of its task.
   * @param waitedMs since the wave began.
   */
  slow(running: ReadonlyMap<number, number>, waitedMs: number): Finding | undefined {
    const { now, cpuSeconds, agents } = this.#ports;
    const ranMs = (begun: number) => now() - begun;
    const slow = [...running].filter(([position, begun]) => this.#isSlow(position, ranMs(begun)));
    if (slow.length === 0) return undefined;
    const cpuShare = Math.min(1, (cpuSeconds() - this.#cpuBefore) / ((waitedMs / 1000) * agents()));
    const probes = slow.map(([position, begun]) => {
      const seconds = (2 * ranMs(begun)) / 1000;
      return { position, seconds, cpuShare, saturated: false };
    });
    return this.#learned({ probes, reason: `no subtask has ended after ${waitedMs / 1000} s` });
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
    // Of few subtasks, the first are most.
    if ((this.#ports.tallies()[position]?.total ?? 0) < 2 * this.#options.probeSize) return undefined;
    const check = this.#checks.get(position) ?? this.#probeOf([position]);
    this.#checks.set(position, check);
    const [probe] = check.attemptEnded() ?? [];
    const usual = this.#expected[position]?.usual;
    if (probe === undefined || usual === undefined || !isOtherWork(probe.seconds, usual)) return undefined;
    if (probe.saturated && !isComputing(this.#options.type)) return undefined;
    return this.#learned({
      probes: [probe],
      reason: `subtasks take ${inMs(probe.seconds)}, and ${inMs(usual)} were expected`,
    });
  }

  /** Whether its first subtasks have run for so many milliseconds, and that is much longer than what is known of it. */
  #isSlow(position: number, ms: number): boolean {
    if (ms < TELLING_MS || this.#ports.tallies()[position]?.firstMs.length !== 0) return false;
    if (this.#isUnknown(position)) return this.probing;
    const longest = this.#expected[position]?.longest ?? 0;
    return this.#mayBeOtherWork(position) && ms / 1000 > longest && isOtherWork(ms / 1000, longest);
  }

  #learned(finding: Finding): Finding {
    for (const { position, seconds } of finding.probes) this.#expected[position] = { usual: seconds, longest: seconds };
    return finding;
  }
}

/** Seconds as milliseconds of two digits. */
function inMs(seconds: number): string {
  return `${Number((1000 * seconds).toPrecision(2))} ms`;
}
