import { type Clock, untilTick } from '../model/clock.js';
import type { RunEvent } from '../model/run-event.js';
import { isComputing } from '../scaling/saturation.js';
import type { Dispatcher } from './dispatcher.js';
import { type AgentLayout, type Executor, ExecutorStartError } from './executor.js';
import { type ExpectationOptions, Expectations, type Finding } from './expectations.js';
import type { Headroom } from './headroom.js';
import { HillClimb } from './hill-climb.js';
import { SlowStart } from './slow-start.js';
import type { Probe } from './work-probe.js';

/** What a pilot steers by. */
export interface PilotPorts {
  readonly clock: Clock;
  readonly executor: Executor;
  readonly layout: (agents: number) => AgentLayout;
  readonly emit: (event: RunEvent) => void;
  /** Processor time so far, in seconds. */
  readonly cpuSeconds: () => number;
  readonly headroom: () => Headroom;
  /** The run takes no new work any more. */
  readonly isStopping: () => boolean;
  /** What is decided for what the probe found: the number of agents, and the most of them that may run. The caller emits it. */
  readonly decide: (probes: readonly Probe[]) => { readonly agents: number; readonly most: number };
}

/** What a pilot may do. */
export interface PilotOptions extends ExpectationOptions {
  readonly wave: number;
  /** The decided number, of which the wave may have begun with fewer. */
  readonly target: number;
  /** The most agents that may run. */
  readonly most: number;
  /** All of its work is known to compute all the time. */
  readonly computes: boolean;
}

/** What a change of the number of agents follows from. */
interface Findings {
  readonly settled?: boolean;
  readonly grew?: boolean;
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
  readonly #expectations: Expectations;
  readonly #timers = new Set<() => void>();
  #slowStart: SlowStart | undefined;
  #climb: HillClimb | undefined;
  #window: { readonly at: number; readonly unfinished: number; readonly cpuSeconds: number } | undefined;
  #most: number;
  #changing = false;
  /** What is to follow the change that is under way. */
  #next: (() => void) | undefined;
  #ended = false;

  constructor(run: Dispatcher, options: PilotOptions, ports: PilotPorts) {
    this.#run = run;
    this.#options = options;
    this.#ports = ports;
    this.#most = options.most;
    this.#expectations = new Expectations(options, {
      now: ports.clock.now,
      cpuSeconds: ports.cpuSeconds,
      finished: () => run.finished,
      tallies: () => run.tallies,
      agents: () => run.agents,
      unfinished: () => run.unfinished,
      running: () => run.running(),
    });
    this.#after(FIRST_PATIENCE_MS, () => this.#lookAtSlow(FIRST_PATIENCE_MS));
    // Where the work is known, but not yet that more agents help it, it began with fewer than decided.
    if (!this.#expectations.probing && options.target > WORTH_TRYING * run.agents)
      this.#slowStart = new SlowStart(options.target, run.finished);
    if (options.target > run.agents) this.#after(UNSEEN_MS, () => this.#growUnseen(UNSEEN_MS));
    this.#after(CLIMB_AFTER_MS, () => this.#watch());
  }

  /**
   * Twice the agents while those that there are still wait for their first outcomes: subtasks that long show no throughput
   * soon, and are seldom the kind that queues behind a disk.
   */
  #growUnseen(waitedMs: number): void {
    const { finished, agents } = this.#run;
    const most = Math.min(this.#options.target, UNSEEN_AGENTS_PER_CORE * this.#options.cores);
    if (finished >= agents || agents >= most || this.#slowStart?.measured === true) return;
    this.#slowStart?.restart(finished);
    if (!this.#changing)
      void this.#change(Math.min(most, 2 * agents), `fewer than ${agents} subtasks have ended after ${waitedMs} ms`);
    this.#after(waitedMs, () => this.#growUnseen(2 * waitedMs));
  }

  /** To be called after each attempt at the task at this position. */
  attemptEnded(position: number): void {
    if (this.#ports.isStopping()) return;
    const finding = this.#expectations.attemptEnded(position);
    if (finding !== undefined) this.#follow(finding, (agents) => this.#aimFor(agents, finding.reason));
    else if (!this.#expectations.probing) this.#stepUp();
  }

  #follow({ probes, mayCut }: Finding, go: (agents: number) => void): void {
    const { agents, most } = this.#ports.decide(probes);
    // What was made up before the probe may have been right.
    this.#most = Math.max(this.#most, most);
    // Where there are more agents than subtasks left, nothing is gained by sending some away.
    if (agents <= this.#run.agents && (!mayCut || agents >= this.#run.unfinished)) return;
    // What was tried out so far was tried with other expectations.
    this.#slowStart = undefined;
    this.#climb = undefined;
    go(agents);
  }

  #stepUp(): void {
    if (this.#slowStart?.done !== false || this.#changing) return;
    // Where there is less left than agents, some are idle: that throughput says nothing of their number.
    if (this.#run.unfinished < this.#run.agents) return;
    const step = this.#slowStart.next(this.#ports.clock.now(), this.#run.finished, this.#run.agents);
    if (step !== undefined) void this.#change(step.agents, step.reason, step);
  }

  /** How many help a disk no model tells: each number is tried for as long as it helps. */
  #targetOf(decided: number): number {
    const most = Math.min(this.#most, this.#run.unfinished);
    return this.#options.type === 'file_operations' ? Math.max(decided, most) : decided;
  }

  end(): void {
    this.#ended = true;
    for (const cancel of this.#timers) cancel();
  }

  /** Fewer agents at once, many more step by step. */
  #aimFor(agents: number, reason: string): void {
    const from = this.#run.agents;
    const target = this.#targetOf(agents);
    if (target > 2 * from) this.#slowStart = new SlowStart(target, this.#run.finished, reason);
    else void this.#change(agents, reason);
  }

  #lookAtSlow(waitedMs: number): void {
    const finding = this.#ports.isStopping() ? undefined : this.#expectations.slow(waitedMs);
    if (finding !== undefined) this.#follow(finding, (agents) => void this.#change(agents, finding.reason));
    this.#after(2 * waitedMs, () => this.#lookAtSlow(3 * waitedMs));
  }

  #watch(): void {
    const now = this.#ports.clock.now();
    const { unfinished, agents } = this.#run;
    const cpuSeconds = this.#ports.cpuSeconds();
    this.#after(untilTick(this.#ports.clock.now(), LOOK_MS), () => this.#watch());
    if (this.#window === undefined || this.#changing || this.#expectations.probing || this.#slowStart?.done === false) {
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
    this.#climb ??= new HillClimb(agents, this.#most);
    const change = this.#climb.next(throughput);
    if (change !== undefined) void this.#change(change.agents, change.reason, change);
  }

  /** Whether other numbers of agents need not be tried, because these have the cores that there are. */
  #fillsCores(agents: number, busyCores: number): boolean {
    const { type, computes, cores } = this.#options;
    return (computes && agents === cores) || (isComputing(type) && busyCores >= BUSY * cores);
  }

  /** Changes follow one another; of those that come while one is under way, the last. */
  async #change(agents: number, reason: string, findings: Findings = {}): Promise<void> {
    if (this.#changing) {
      this.#next = () => void this.#change(agents, reason, findings);
      return;
    }
    await this.#changeNow(agents, reason, findings);
    const next = this.#next;
    this.#next = undefined;
    next?.();
  }

  async #changeNow(agents: number, reason: string, { settled, grew }: Findings): Promise<void> {
    const { emit, clock, headroom } = this.#ports;
    const from = this.#run.agents;
    if (agents === from || this.#ended || this.#ports.isStopping()) return;
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
    if (this.#ended || this.#ports.isStopping()) return;
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
