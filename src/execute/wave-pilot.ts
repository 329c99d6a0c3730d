import { type Clock, untilTick } from '../model/clock.js';
import type { RunEvent } from '../model/run-event.js';
import type { TaskType } from '../model/scaling-decision.js';
import { isComputing, workByItself } from '../scaling/saturation.js';
import type { Dispatcher } from './dispatcher.js';
import { type AgentLayout, type Executor, ExecutorStartError } from './executor.js';
import type { Headroom } from './headroom.js';
import { HillClimb } from './hill-climb.js';
import { SlowStart } from './slow-start.js';
import type { TaskTally } from './task-work.js';

/** What was measured of one task while the wave ran. */
export interface Probe {
  /** Position in the wave's list of tasks. */
  readonly position: number;
  readonly seconds: number;
  /** From 0 to 1. */
  readonly cpuShare: number;
}

/** What a pilot steers by. */
export interface PilotPorts {
  readonly clock: Clock;
  readonly executor: Executor;
  readonly layout: (agents: number) => AgentLayout;
  readonly emit: (event: RunEvent) => void;
  /** Processor time so far, in seconds. */
  readonly cpuSeconds: () => number;
  readonly headroom: () => Headroom;
  /** The number of agents for what the probe found; the caller emits the decision. */
  readonly decide: (probes: readonly Probe[]) => number;
}

/** What a pilot may do. */
export interface PilotOptions {
  readonly wave: number;
  /** Positions of tasks of whose duration nothing is known: the first of their subtasks are the probe. */
  readonly unknown: readonly number[];
  /** The decided number, of which the wave may have begun with fewer. */
  readonly target: number;
  /** The most agents that may run. */
  readonly most: number;
  /** Subtasks that make a probe. */
  readonly probeSize: number;
  readonly cores: number;
  readonly type: TaskType;
  /** All of its work is known to compute all the time. */
  readonly computes: boolean;
}

/** What a change of the number of agents follows from. */
interface Findings {
  readonly settled?: boolean;
  readonly grew?: boolean;
}

/** The state of a wave when its probe began: milliseconds, outcomes, and durations seen by position of the task. */
interface ProbeStart {
  readonly at: number;
  readonly cpuSeconds: number;
  readonly finished: number;
  readonly busyMs: number;
  readonly seen: readonly number[];
}

/** Fewer more than this are left to the hill climb. */
const WORTH_TRYING = 1.2;
/** How long a wave must have run before the hill climb begins. */
const CLIMB_AFTER_MS = 300;
/** A window of the climb ends after so long, or with so many outcomes: chance moves their number by less than its hysteresis. */
const WINDOW_MS = 1000;
const WINDOW_OUTCOMES = 500;
/**
 * From this share of all cores on, other numbers of agents are not tried for work that computes: what is left of them may as well be
 * taken by others on this machine.
 */
const BUSY = 0.6;
/** How often it is looked at. */
const LOOK_MS = 100;
/** Work of which few subtasks ended in this time is given more agents, and looked at again after as long as the wave took by then. */
const UNSEEN_MS = 50;
/** Up to so many for each core. */
const UNSEEN_AGENTS_PER_CORE = 16;
/** A probe that has no outcome after this is at least this long; asked again at twice the time. */
const FIRST_PATIENCE_MS = 1000;

/**
 * Follows a wave while it runs and changes its number of agents: first by a probe, where nothing was known of its
 * work, then by its throughput. Every change is an event with its reason.
 */
export class WavePilot {
  readonly #run: Dispatcher;
  readonly #options: PilotOptions;
  readonly #ports: PilotPorts;
  readonly #cpuBefore: number;
  /** What the probe is measured from: the first subtask on each agent also loads its module. */
  #probeFrom: ProbeStart | undefined;
  readonly #timers = new Set<() => void>();
  #slowStart: SlowStart | undefined;
  #climb: HillClimb | undefined;
  #window: { readonly at: number; readonly unfinished: number; readonly cpuSeconds: number } | undefined;
  #probing: boolean;
  #changing = false;
  #ended = false;

  constructor(run: Dispatcher, options: PilotOptions, ports: PilotPorts) {
    this.#run = run;
    this.#options = options;
    this.#ports = ports;
    this.#cpuBefore = ports.cpuSeconds();
    this.#probing = options.unknown.length > 0;
    if (this.#probing) this.#after(FIRST_PATIENCE_MS, () => this.#lookAtSlowProbe(FIRST_PATIENCE_MS));
    // Where the work is known, but not yet that more agents help it, it began with fewer than decided.
    else if (options.target > WORTH_TRYING * run.agents) this.#slowStart = new SlowStart(options.target, this.#finished());
    if (options.target > run.agents) this.#after(UNSEEN_MS, () => this.#growUnseen(UNSEEN_MS));
    this.#after(CLIMB_AFTER_MS, () => this.#watch());
  }

  /**
   * Twice the agents while those that there are still wait for their first outcomes: subtasks that long show no throughput
   * soon, and are seldom the kind that queues behind a disk.
   */
  #growUnseen(waitedMs: number): void {
    const finished = this.#finished();
    const { agents } = this.#run;
    const most = Math.min(this.#options.target, UNSEEN_AGENTS_PER_CORE * this.#options.cores);
    if (finished >= agents || agents >= most || this.#slowStart?.measured === true) return;
    this.#slowStart?.restart(finished);
    void this.#change(Math.min(most, 2 * agents), `fewer than ${agents} subtasks have ended after ${waitedMs} ms`);
    this.#after(waitedMs, () => this.#growUnseen(2 * waitedMs));
  }

  /** To be called after each attempt. */
  attemptEnded(): void {
    if (!this.#probing) {
      this.#stepUp();
      return;
    }
    if (this.#probeFrom === undefined && this.#finished() >= Math.min(this.#run.agents, this.#probeSize())) this.#beginProbe();
    else if (this.#probeFrom !== undefined && this.#isProbed(this.#probeFrom)) this.#readProbe(this.#probeFrom);
  }

  #beginProbe(): void {
    const { clock, cpuSeconds } = this.#ports;
    const seen = this.#run.tallies.map((tally) => tally.firstMs.length);
    this.#probeFrom = { at: clock.now(), cpuSeconds: cpuSeconds(), finished: this.#finished(), busyMs: this.#busyMs(), seen };
  }

  #stepUp(): void {
    if (this.#slowStart?.done !== false || this.#changing) return;
    // Where there is less left than agents, some are idle: that throughput says nothing of their number.
    if (this.#run.unfinished < this.#run.agents) return;
    const step = this.#slowStart.next(this.#ports.clock.now(), this.#finished(), this.#run.agents);
    if (step !== undefined) void this.#change(step.agents, step.reason, step);
  }

  /** How many help a disk no model tells: each number is tried for as long as it helps. */
  #targetOf(decided: number): number {
    const { type, most } = this.#options;
    return type === 'file_operations' ? Math.max(decided, Math.min(most, this.#run.unfinished)) : decided;
  }

  #finished(): number {
    return this.#run.tallies.reduce((sum, tally) => sum + tally.succeeded + tally.failed, 0);
  }

  end(): void {
    this.#ended = true;
    for (const cancel of this.#timers) cancel();
  }

  /** Subtasks in all that make a probe, of those that there are. */
  #probeSize(): number {
    const { unknown, probeSize } = this.#options;
    return unknown.reduce((sum, position) => sum + Math.min(probeSize, this.#tally(position)?.total ?? 0), 0);
  }

  #busyMs(): number {
    return this.#run.tallies.reduce((sum, tally) => sum + tally.busyMs, 0);
  }

  /** Whether enough of each unknown task ended since then. */
  #isProbed({ finished, seen }: ProbeStart): boolean {
    if (this.#finished() <= finished) return false;
    return this.#options.unknown.every((position) => {
      const before = seen[position] ?? 0;
      const left = (this.#tally(position)?.total ?? 0) - before;
      return this.#seen(position) - before >= Math.min(this.#options.probeSize, left);
    });
  }

  #seen(position: number): number {
    return this.#tally(position)?.firstMs.length ?? 0;
  }

  #tally(position: number): TaskTally | undefined {
    return this.#run.tallies[position];
  }

  #readProbe(from: ProbeStart): void {
    this.#probing = false;
    const observed = {
      subtasks: this.#finished() - from.finished,
      busySeconds: (this.#busyMs() - from.busyMs) / 1000,
      cpuSeconds: this.#ports.cpuSeconds() - from.cpuSeconds,
      wallSeconds: (this.#ports.clock.now() - from.at) / 1000,
    };
    const { seconds, cpuShare } = workByItself(observed, this.#options.type, this.#options.cores);
    const alone = observed.busySeconds > 0 ? (seconds * observed.subtasks) / observed.busySeconds : 1;
    const of = (position: number) => {
      const durations = this.#tally(position)?.firstMs ?? [];
      const later = durations.slice(from.seen[position] ?? 0);
      // The median: one that was held up by chance says nothing of the others.
      return (median(later.length > 0 ? later : durations) / 1000) * alone;
    };
    const probes = this.#options.unknown.map((position) => ({ position, seconds: of(position), cpuShare }));
    this.#aimFor(this.#ports.decide(probes), 'the first subtasks were measured');
  }

  /** Fewer agents at once, many more step by step. */
  #aimFor(agents: number, reason: string): void {
    const from = this.#run.agents;
    const target = this.#targetOf(agents);
    if (target > 2 * from) this.#slowStart = new SlowStart(target, this.#finished());
    else void this.#change(agents, reason);
  }

  /** Nothing ended yet, so the work takes at least as long as it was waited for: expect twice that. */
  #lookAtSlowProbe(waitedMs: number): void {
    if (!this.#probing) return;
    const slow = this.#options.unknown.filter((position) => this.#seen(position) === 0);
    if (slow.length > 0) {
      const share = Math.min(1, (this.#ports.cpuSeconds() - this.#cpuBefore) / ((waitedMs / 1000) * this.#run.agents));
      const probes = slow.map((position) => ({ position, seconds: (2 * waitedMs) / 1000, cpuShare: share }));
      void this.#change(this.#ports.decide(probes), `no subtask has ended after ${waitedMs / 1000} s`);
    }
    this.#after(2 * waitedMs, () => this.#lookAtSlowProbe(3 * waitedMs));
  }

  #watch(): void {
    const now = this.#ports.clock.now();
    const { unfinished, agents } = this.#run;
    const cpuSeconds = this.#ports.cpuSeconds();
    this.#after(untilTick(this.#ports.clock.now(), LOOK_MS), () => this.#watch());
    if (this.#window === undefined || this.#changing || this.#probing || this.#slowStart?.done === false) {
      this.#window = { at: now, unfinished, cpuSeconds };
      return;
    }
    const cpuBefore = this.#window.cpuSeconds;
    const seconds = (now - this.#window.at) / 1000;
    const outcomes = this.#window.unfinished - unfinished;
    if (seconds < WINDOW_MS / 1000 && outcomes < WINDOW_OUTCOMES) return;
    this.#window = { at: now, unfinished, cpuSeconds };
    if (this.#fillsCores(agents, (cpuSeconds - cpuBefore) / seconds)) return;
    const throughput = outcomes / seconds;
    const left = throughput > 0 ? unfinished / throughput : Number.POSITIVE_INFINITY;
    // A window must hold enough outcomes to be compared, and there must be time left for a change to pay.
    if (outcomes < 4 * agents || left <= 3 * seconds) return;
    this.#climb ??= new HillClimb(agents, this.#options.most);
    const change = this.#climb.next(throughput);
    if (change !== undefined) void this.#change(change.agents, change.reason, change);
  }

  /** Whether other numbers of agents need not be tried, because these have the cores that there are. */
  #fillsCores(agents: number, busyCores: number): boolean {
    const { type, computes, cores } = this.#options;
    return (computes && agents === cores) || (isComputing(type) && busyCores >= BUSY * cores);
  }

  async #change(agents: number, reason: string, { settled, grew }: Findings = {}): Promise<void> {
    const { emit, clock, headroom } = this.#ports;
    const from = this.#run.agents;
    if (agents === from || this.#ended) return;
    if (agents > from) {
      const room = headroom();
      if (room.agents < agents - from) {
        this.#climb?.refused(from);
        return;
      }
    }
    // Threads are only ever added while work runs: ending one would lose what it hosts.
    if (agents > from && !(await this.#makeRoom(agents))) {
      this.#climb?.refused(from);
      return;
    }
    if (this.#ended) return;
    this.#window = undefined;
    emit({
      type: 'agents-changed',
      at: clock.now(),
      wave: this.#options.wave,
      from,
      to: agents,
      reason,
      ...(settled && { settled }),
      ...(grew && { grew }),
    });
    this.#run.resize(agents);
  }

  async #makeRoom(agents: number): Promise<boolean> {
    this.#changing = true;
    try {
      await this.#ports.executor.open(this.#ports.layout(agents));
      return true;
    } catch (error) {
      if (!(error instanceof ExecutorStartError)) throw error;
      return false;
    } finally {
      this.#changing = false;
    }
  }

  #after(ms: number, fire: () => void): void {
    const cancel = this.#ports.clock.after(ms, () => {
      this.#timers.delete(cancel);
      fire();
    });
    this.#timers.add(cancel);
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
