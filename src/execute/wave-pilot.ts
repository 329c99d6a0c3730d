import type { Clock } from '../model/clock.js';
import type { RunEvent } from '../model/run-event.js';
import type { TaskType } from '../model/scaling-decision.js';
import { workByItself } from '../scaling/saturation.js';
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
}

/** A window of the hill climb, and how long a wave must have run before it begins: short waves are left alone. */
const WINDOW_MS = 1000;
const CLIMB_AFTER_MS = 3000;
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
  readonly #begun: number;
  readonly #cpuBefore: number;
  readonly #timers = new Set<() => void>();
  #slowStart: SlowStart | undefined;
  #climb: HillClimb | undefined;
  #window: { readonly at: number; readonly unfinished: number } | undefined;
  #probing: boolean;
  #changing = false;
  #ended = false;

  constructor(run: Dispatcher, options: PilotOptions, ports: PilotPorts) {
    this.#run = run;
    this.#options = options;
    this.#ports = ports;
    this.#begun = ports.clock.now();
    this.#cpuBefore = ports.cpuSeconds();
    this.#probing = options.unknown.length > 0;
    if (this.#probing) this.#after(FIRST_PATIENCE_MS, () => this.#lookAtSlowProbe(FIRST_PATIENCE_MS));
    // Where the work is known but not yet its wave, it began with fewer agents than decided.
    else if (options.target > run.agents) this.#aimFor(options.target, 'the work is known');
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
    if (this.#probing && this.#options.unknown.every((position) => this.#seen(position) >= this.#probeSize(position)))
      this.#readProbe();
    else this.#stepUp();
  }

  #stepUp(): void {
    if (this.#slowStart === undefined || this.#changing) return;
    const step = this.#slowStart.next(this.#ports.clock.now(), this.#finished(), this.#run.agents);
    if (step !== undefined) void this.#change(step.agents, step.reason, step.settled);
  }

  #finished(): number {
    return this.#run.tallies.reduce((sum, tally) => sum + tally.succeeded + tally.failed, 0);
  }

  end(): void {
    this.#ended = true;
    for (const cancel of this.#timers) cancel();
  }

  #probeSize(position: number): number {
    return Math.min(this.#options.probeSize, this.#tally(position)?.total ?? 0);
  }

  #seen(position: number): number {
    return this.#tally(position)?.firstMs.length ?? 0;
  }

  #tally(position: number): TaskTally | undefined {
    return this.#run.tallies[position];
  }

  #readProbe(): void {
    this.#probing = false;
    const { tallies } = this.#run;
    const observed = {
      subtasks: this.#finished(),
      busySeconds: tallies.reduce((sum, tally) => sum + tally.busyMs, 0) / 1000,
      cpuSeconds: this.#ports.cpuSeconds() - this.#cpuBefore,
      wallSeconds: (this.#ports.clock.now() - this.#begun) / 1000,
    };
    const { seconds, cpuShare } = workByItself(observed, this.#options.type, this.#options.cores);
    const alone = observed.busySeconds > 0 ? (seconds * observed.subtasks) / observed.busySeconds : 1;
    // The median: the first subtask on each thread also loads its module.
    const of = (position: number) => (median(this.#tally(position)?.firstMs ?? []) / 1000) * alone;
    const probes = this.#options.unknown.map((position) => ({ position, seconds: of(position), cpuShare }));
    this.#aimFor(this.#ports.decide(probes), 'the first subtasks were measured');
  }

  /** Fewer agents at once, many more step by step. */
  #aimFor(agents: number, reason: string): void {
    const from = this.#run.agents;
    if (agents > 2 * from) this.#slowStart = new SlowStart(agents, this.#finished());
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
    const { unfinished } = this.#run;
    if (this.#window !== undefined && !this.#changing && !this.#probing && this.#slowStart?.done !== false) {
      const seconds = (now - this.#window.at) / 1000;
      const throughput = (this.#window.unfinished - unfinished) / seconds;
      const left = throughput > 0 ? unfinished / throughput : Number.POSITIVE_INFINITY;
      // A window must hold enough outcomes to be compared, and there must be time left for a change to pay.
      if (throughput * seconds >= 4 * this.#run.agents && left > (5 * WINDOW_MS) / 1000) {
        this.#climb ??= new HillClimb(this.#run.agents, this.#options.most);
        const change = this.#climb.next(throughput);
        if (change !== undefined) void this.#change(change.agents, change.reason);
      }
    }
    this.#window = { at: now, unfinished };
    this.#after(WINDOW_MS, () => this.#watch());
  }

  async #change(agents: number, reason: string, settled = false): Promise<void> {
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
