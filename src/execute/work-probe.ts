import type { TaskType } from '../model/scaling-decision.js';
import { medianOf } from '../model/statistics.js';
import { isSaturated, workByItself } from '../scaling/saturation.js';
import type { TaskTally } from './task-work.js';

/** What was measured of one task while the wave ran. */
export interface Probe {
  /** Position in the wave's list of tasks. */
  readonly position: number;
  readonly seconds: number;
  /** From 0 to 1. */
  readonly cpuShare: number;
  /** The cores were busy: the seconds may be those of a wait for one. */
  readonly saturated: boolean;
}

/** What a probe measures. */
export interface ProbeOptions {
  /** Tasks by their position in the wave. */
  readonly positions: readonly number[];
  /** Subtasks of each that are measured, of those that there are. */
  readonly size: number;
  readonly type: TaskType;
  readonly cores: number;
}

/** What a probe reads. */
export interface ProbePorts {
  readonly now: () => number;
  /** Processor time so far, in seconds. */
  readonly cpuSeconds: () => number;
  /** Subtasks that succeeded or failed. */
  readonly finished: () => number;
  readonly tallies: () => readonly TaskTally[];
  readonly agents: () => number;
}

/** The state of a wave when its probe began: milliseconds, outcomes, and durations seen of each of its tasks. */
interface ProbeStart {
  readonly at: number;
  readonly cpuSeconds: number;
  readonly finished: number;
  readonly busyMs: number;
  readonly seen: readonly number[];
}

/** Measures what the first subtasks of some tasks take by themselves. */
export class WorkProbe {
  readonly #options: ProbeOptions;
  readonly #ports: ProbePorts;
  /** What it is measured from: the first subtask on each agent also loads its module. */
  #from: ProbeStart | undefined;
  #over = false;
  /** Tasks before it, in the order of positions, are full. */
  #next = 0;

  constructor(options: ProbeOptions, ports: ProbePorts) {
    this.#options = options;
    this.#ports = ports;
  }

  /**
   * To be called after each attempt: what was measured, once, as soon as enough subtasks ended. A task that has none which
   * succeeded is left out.
   */
  attemptEnded(): readonly Probe[] | undefined {
    if (this.#over) return undefined;
    const finished = this.#ports.finished();
    if (this.#from === undefined) {
      if (finished >= Math.min(this.#ports.agents(), this.#subtasks())) this.#from = this.#begin(finished);
      return undefined;
    }
    if (finished <= this.#from.finished || !this.#isFull(this.#from)) return undefined;
    this.#over = true;
    return this.#read(this.#from, finished);
  }

  #begin(finished: number): ProbeStart {
    const { now, cpuSeconds, tallies } = this.#ports;
    const seen = this.#options.positions.map((position) => this.#seen(position));
    return { at: now(), cpuSeconds: cpuSeconds(), finished, busyMs: busyMsOf(tallies()), seen };
  }

  /** Subtasks in all that make the probe, of those that there are. */
  #subtasks(): number {
    const { positions, size } = this.#options;
    return positions.reduce((sum, position) => sum + Math.min(size, this.#tally(position)?.total ?? 0), 0);
  }

  /** Whether enough of each task ended since then. */
  #isFull({ seen }: ProbeStart): boolean {
    const { positions, size } = this.#options;
    for (let position = positions[this.#next]; position !== undefined; position = positions[this.#next]) {
      const before = seen[this.#next] ?? 0;
      const { total = 0, failed = 0, leftOut = 0 } = this.#tally(position) ?? {};
      // Of what failed or was left out, no duration comes.
      const left = total - failed - leftOut - before;
      if (this.#seen(position) - before < Math.min(size, left)) return false;
      this.#next += 1;
    }
    return true;
  }

  #read(from: ProbeStart, finished: number): readonly Probe[] {
    const { now, cpuSeconds, tallies } = this.#ports;
    const observed = {
      subtasks: finished - from.finished,
      busySeconds: (busyMsOf(tallies()) - from.busyMs) / 1000,
      cpuSeconds: cpuSeconds() - from.cpuSeconds,
      wallSeconds: (now() - from.at) / 1000,
    };
    const { type, cores, positions } = this.#options;
    const { seconds: byItself, cpuShare } = workByItself(observed, type, cores);
    const saturated = isSaturated(observed, cores);
    const alone = observed.busySeconds > 0 ? (byItself * observed.subtasks) / observed.busySeconds : 1;
    return positions.flatMap((position, i) => {
      const durations = this.#tally(position)?.firstMs ?? [];
      const later = durations.slice(from.seen[i] ?? 0);
      const measured = later.length > 0 ? later : durations;
      if (measured.length === 0) return [];
      // The median: one that was held up by chance says nothing of the others.
      return [{ position, seconds: (medianOf(measured) / 1000) * alone, cpuShare, saturated }];
    });
  }

  #seen(position: number): number {
    return this.#tally(position)?.firstMs.length ?? 0;
  }

  #tally(position: number): TaskTally | undefined {
    return this.#ports.tallies()[position];
  }
}

function busyMsOf(tallies: readonly TaskTally[]): number {
  return tallies.reduce((sum, tally) => sum + tally.busyMs, 0);
}
