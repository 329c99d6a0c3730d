import { type Checkpoint, parseCheckpoints } from '../model/checkpoint.js';
import type { RunEvent, WaveOutline } from '../model/run-event.js';
import { DurationSpread } from './duration-spread.js';
import { TimeGrid } from './time-grid.js';

/** What charts need of a run beyond its summary. Times are milliseconds from the run's start. */
export interface RunDetails {
  /** When the run started, in milliseconds since the epoch; absent when the start is not recorded. */
  readonly origin: number | undefined;
  /** The plan's waves and tasks; empty when the start is not recorded. */
  readonly outline: readonly WaveOutline[];
  readonly waves: readonly WaveSpan[];
  /** Milliseconds that one column of `finished`, `failed`, `atWork` and the lanes stands for. */
  readonly columnMs: number;
  /** Subtasks that succeeded, by column. */
  readonly finished: readonly number[];
  readonly failed: readonly number[];
  /** Agents at work on average, by column. */
  readonly atWork: readonly number[];
  readonly lanes: readonly Lane[];
  /** Agents that a lane stands for. */
  readonly agentsPerLane: number;
  /** Every subtask, where there are few enough to be drawn one by one. */
  readonly bars: readonly Bar[] | undefined;
  readonly durations: readonly TaskDurations[];
  readonly otherTasks: number;
  /** The longest subtasks, the longest first. */
  readonly slowest: readonly Bar[];
  /** From the first start to the last end of each task's subtasks. */
  readonly spans: ReadonlyMap<string, { readonly from: number; readonly to: number }>;
}

/** When a wave ran, and how many agents it had. */
export interface WaveSpan {
  readonly number: number;
  readonly name: string;
  readonly from: number;
  /** Absent when it never ended. */
  readonly to: number | undefined;
  /** The number of agents from each of these moments on. */
  readonly agents: readonly { readonly at: number; readonly agents: number }[];
}

/** A few agents together, or one: the share of their time that they worked, by column, from 0 to 1. */
export interface Lane {
  /** The first agent, from 1. */
  readonly first: number;
  readonly busy: readonly number[];
}

/** One subtask. */
export interface Bar {
  readonly subtask: string;
  readonly wave: number;
  /** From 1; 0 for one that never reached an agent. */
  readonly agent: number;
  readonly from: number;
  readonly durationMs: number;
  readonly failed: boolean;
  readonly attempt: number;
}

/** How long a task's subtasks took: counts by ranges whose bounds grow. */
export interface TaskDurations {
  readonly task: string;
  readonly ranges: readonly { readonly fromMs: number; readonly toMs: number; readonly count: number }[];
}

/** Above this, bars are too thin to tell one from another. */
export const MOST_BARS = 600;
const MOST_LANES = 40;
const MOST_SLOWEST = 15;
const MOST_TASKS = 12;
/** Changes of the number of agents kept for each wave; a pilot makes a few dozen. */
const MOST_STEPS = 300;

/**
 * Folds a run's events into what charts need, in bounded memory: a million subtasks become a grid, counts by duration and
 * the slowest few. Takes times from checkpoints, so that the order of events does not matter.
 */
export class RunDetailsFold {
  readonly #waves = new Map<
    number,
    { name: string; from: number; to: number | undefined; agents: { at: number; agents: number }[] }
  >();
  readonly #spreads = new Map<string, DurationSpread>();
  readonly #spans = new Map<string, { from: number; to: number }>();
  #origin: number | undefined;
  #outline: readonly WaveOutline[] = [];
  #finished = new TimeGrid(0);
  #failed = new TimeGrid(0);
  #atWork = new TimeGrid(0);
  #lanes = new TimeGrid(0, MOST_LANES);
  #bars: Bar[] | undefined = [];
  #slowest: Bar[] = [];

  /** Takes the next event. */
  add(event: RunEvent): void {
    this.#origin ??= event.at;
    switch (event.type) {
      case 'run-started':
        this.#outline = event.waves;
        return;
      case 'wave-started': {
        const from = this.#since(event.at);
        this.#waves.set(event.wave, { name: event.name, from, to: undefined, agents: [{ at: from, agents: event.agents }] });
        return;
      }
      case 'agents-changed': {
        const steps = this.#waves.get(event.wave)?.agents;
        if (steps !== undefined && steps.length < MOST_STEPS) steps.push({ at: this.#since(event.at), agents: event.to });
        return;
      }
      case 'wave-finished': {
        const wave = this.#waves.get(event.wave);
        if (wave !== undefined) wave.to = this.#since(event.at);
        return;
      }
      case 'subtask-finished':
        // What was done before the run was resumed has no place in its time.
        if (event.resumed === undefined) this.addCheckpoint(event.task, event.checkpoint);
        return;
      case 'subtask-cancelled':
        this.addCheckpoint(event.task, event.checkpoint);
        return;
      case 'subtasks-finished':
        for (const checkpoint of parseCheckpoints(event.lines)) this.addCheckpoint(event.task, checkpoint);
        return;
      default:
        return;
    }
  }

  /** Takes one finished subtask. */
  addCheckpoint(task: string, checkpoint: Checkpoint): void {
    const durationMs = Number.isFinite(checkpoint.duration_ms) ? Math.max(0, checkpoint.duration_ms) : 0;
    const from = Number.isFinite(checkpoint.started) ? this.#since(checkpoint.started) : 0;
    const to = from + durationMs;
    const failed = checkpoint.status !== 'success';
    const agent = Number(/^agent_(\d{1,9})$/.exec(checkpoint.agent_id)?.[1] ?? 0);
    (failed ? this.#failed : this.#finished).addAt(to, 1);
    this.#atWork.addSpan(from, to);
    if (agent > 0) this.#lanes.addSpan(from, to, agent - 1);
    this.#spreadOf(task).add(durationMs);
    const span = this.#spans.get(task);
    if (span === undefined) this.#spans.set(task, { from, to });
    else {
      span.from = Math.min(span.from, from);
      span.to = Math.max(span.to, to);
    }
    const { task_id: subtask, wave, attempt } = checkpoint;
    const least = this.#slowest.at(-1);
    const slow = this.#slowest.length < MOST_SLOWEST || (least !== undefined && durationMs > least.durationMs);
    if (this.#bars === undefined && !slow) return;
    const bar: Bar = { subtask, wave, agent, from, durationMs, failed, attempt };
    if (slow) this.#slowest = [...this.#slowest, bar].sort((a, b) => b.durationMs - a.durationMs).slice(0, MOST_SLOWEST);
    if (this.#bars !== undefined && this.#bars.length < MOST_BARS) this.#bars.push(bar);
    else this.#bars = undefined;
  }

  /** What has been folded so far. */
  result(): RunDetails {
    const grids = [this.#finished, this.#failed, this.#atWork, this.#lanes];
    const columnMs = Math.max(...grids.map((grid) => grid.width));
    for (const grid of grids) grid.widenTo(columnMs);
    const tasks = [...this.#spreads].sort(([, a], [, b]) => b.count - a.count);
    return {
      origin: this.#origin,
      outline: this.#outline,
      waves: [...this.#waves].sort(([a], [b]) => a - b).map(([number, wave]) => ({ number, ...wave, agents: [...wave.agents] })),
      columnMs,
      finished: this.#finished.row(),
      failed: this.#failed.row(),
      atWork: this.#atWork.row().map((busyMs) => busyMs / columnMs),
      agentsPerLane: this.#lanes.perRow,
      lanes: this.#lanes.rows().map((row) => ({
        first: row * this.#lanes.perRow + 1,
        busy: this.#lanes.row(row).map((busyMs) => Math.min(1, busyMs / columnMs / this.#lanes.perRow)),
      })),
      bars: this.#bars,
      durations: tasks.slice(0, MOST_TASKS).map(([task, spread]) => ({ task, ranges: spread.ranges() })),
      otherTasks: Math.max(0, tasks.length - MOST_TASKS),
      slowest: [...this.#slowest],
      spans: new Map(this.#spans),
    };
  }

  #since(at: number): number {
    return Math.max(0, at - (this.#origin ?? at));
  }

  #spreadOf(task: string): DurationSpread {
    const known = this.#spreads.get(task);
    if (known !== undefined) return known;
    const spread = new DurationSpread();
    this.#spreads.set(task, spread);
    return spread;
  }
}
