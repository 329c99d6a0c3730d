import type { RunEvent } from '../model/run-event.js';
import type { TaskType } from '../model/scaling-decision.js';
import { isUneven } from '../scaling/fit.js';

type WaveStarted = Extract<RunEvent, { type: 'wave-started' }>;
type WaveFinished = Extract<RunEvent, { type: 'wave-finished' }>;
type AgentsChanged = Extract<RunEvent, { type: 'agents-changed' }>;

/** So many subtasks for each agent must end after a change of their number for the time that they take to be held against a model. */
const LEAST_ROUNDS = 8;

/** So many subtasks tell of the throughput of a number of agents. */
const LEAST_OUTCOMES = 16;
/** Agents share what holds them up when of the throughput that more of them would bring, if nothing did, less than this share came. */
const SHARED = 0.5;
/** From this share of all cores on, they are what agents share. */
const BUSY = 0.5;

/** The last change of the number of agents, and what was done by then. */
interface LastChange {
  readonly at: number;
  readonly agents: number;
  readonly ended: number;
  readonly busyMs: number;
}

/** The first number of agents that was measured: subtasks a second. */
interface Measured {
  readonly agents: number;
  readonly throughput: number;
}

/** How one wave went: a fold over its events, of which lessons are drawn. */
export class WaveCourse {
  readonly started: WaveStarted;
  /** Seconds that its threads were predicted to need for their start. */
  readonly startSeconds: number;
  readonly #cores: number;
  readonly #onDisk: boolean;
  #finished: WaveFinished | undefined;
  #change: LastChange | undefined;
  /** Subtasks that succeeded by now, and the sum of their durations. */
  #ended = 0;
  #busyMs = 0;
  /** Agents × milliseconds, up to the last change. */
  #agentMs = 0;
  #useful: number | undefined;
  #grew = false;
  #measured: Measured | undefined;
  /** When the first subtasks of the present number of agents had ended: those after them tell of it. */
  #levelFrom: { readonly at: number; readonly ended: number } | undefined;
  #longestMs = 0;

  constructor(started: WaveStarted, startSeconds: number, { cores, type }: { readonly cores: number; readonly type: TaskType }) {
    this.started = started;
    this.startSeconds = startSeconds;
    this.#cores = cores;
    this.#onDisk = type === 'file_operations';
  }

  /** Subtasks succeeded by now, and took so long. */
  ended(at: number, durationsMs: readonly number[]): void {
    for (const ms of durationsMs) {
      this.#busyMs += ms;
      this.#longestMs = Math.max(this.#longestMs, ms);
    }
    this.#ended += durationsMs.length;
    if (this.#ended - (this.#change?.ended ?? 0) >= this.agents) this.#levelFrom ??= { at, ended: this.#ended };
  }

  changed({ at, to, settled, grew }: AgentsChanged): void {
    this.#agentMs = this.#agentMsUntil(at);
    this.#measured ??= this.#throughputUntil(at);
    this.#levelFrom = undefined;
    this.#change = { at, agents: to, ended: this.#ended, busyMs: this.#busyMs };
    if (settled === true) this.#useful = to;
    // It looks for more once again; where that is in vain, it settles once again.
    else if (to > (this.#useful ?? to)) this.#useful = undefined;
    if (grew === true) this.#grew = true;
  }

  finished(event: WaveFinished): void {
    this.#finished = event;
  }

  /** How it ended; `undefined` where it did not. */
  get end(): WaveFinished | undefined {
    return this.#finished;
  }

  /** Agents in the end. */
  get agents(): number {
    return this.#change?.agents ?? this.started.agents;
  }

  get hasChanged(): boolean {
    return this.#change !== undefined;
  }

  /** Beyond this number, more agents brought no more throughput; `undefined` where that was not seen. */
  get usefulAgents(): number | undefined {
    return this.#useful ?? (this.#sharesCores ? undefined : this.#sharing);
  }

  /**
   * The cores are so busy that sharing them explains why more agents bring less: what they come to is for the model to say. Not of files,
   * which share a disk as well.
   */
  get #sharesCores(): boolean {
    const { cpuSeconds = 0 } = this.#finished?.measured ?? {};
    const wallSeconds = ((this.#finished?.at ?? 0) - this.started.at) / 1000;
    return !this.#onDisk && cpuSeconds >= BUSY * wallSeconds * this.#cores;
  }

  /** The number that it ended with, where it brought so little more than fewer did that more would bring next to nothing. */
  get #sharing(): number | undefined {
    const [before, last] = [this.#measured, this.sinceChange];
    if (before === undefined || last === undefined || this.agents <= before.agents) return undefined;
    if (isUneven({ seconds: this.meanSeconds, longest: this.#longestMs / 1000 })) return undefined;
    const growth = last.subtasks / last.wallSeconds / before.throughput;
    return growth < 1 + SHARED * (this.agents / before.agents - 1) ? this.agents : undefined;
  }

  #throughputUntil(at: number): Measured | undefined {
    const from = this.#levelFrom;
    if (from === undefined || this.#ended - from.ended < LEAST_OUTCOMES || at <= from.at) return undefined;
    return { agents: this.agents, throughput: (1000 * (this.#ended - from.ended)) / (at - from.at) };
  }

  /** More agents were seen to bring more throughput. */
  get grew(): boolean {
    return this.#grew;
  }

  /** From when threads were asked for until the wave began, in seconds, beyond what was predicted for it. */
  get lateStartSeconds(): number {
    const end = this.#finished;
    if (end === undefined) return 0;
    return (end.durationMs - (end.at - this.started.at)) / 1000 - this.startSeconds;
  }

  /** Agents × time from the wave's begin to its end, in seconds. */
  get agentSeconds(): number {
    return this.#agentMsUntil(this.#finished?.at ?? this.started.at) / 1000;
  }

  /**
   * The work since the number of agents last changed: subtasks, and the seconds that these and the wave took. `undefined` where that
   * is too little, since subtasks that began before the change are among them.
   */
  get sinceChange(): { readonly subtasks: number; readonly busySeconds: number; readonly wallSeconds: number } | undefined {
    const [change, end] = [this.#change, this.#finished];
    if (change === undefined || end === undefined) return undefined;
    const subtasks = this.#ended - change.ended;
    if (subtasks < LEAST_ROUNDS * change.agents) return undefined;
    return { subtasks, busySeconds: (this.#busyMs - change.busyMs) / 1000, wallSeconds: (end.at - change.at) / 1000 };
  }

  /** How long subtasks that succeeded took on average over all of the wave, in seconds; 0 where none did. */
  get meanSeconds(): number {
    return this.#ended === 0 ? 0 : this.#busyMs / 1000 / this.#ended;
  }

  #agentMsUntil(at: number): number {
    return this.#agentMs + this.agents * (at - (this.#change?.at ?? this.started.at));
  }
}
