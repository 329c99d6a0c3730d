import { fileURLToPath } from 'node:url';
import type { Journal } from '../checkpoint/journal.js';
import { Dispatcher } from '../execute/dispatcher.js';
import type { Executor } from '../execute/executor.js';
import { layoutAgents, maxThreads } from '../execute/layout.js';
import { PiscinaExecutor } from '../execute/piscina-executor.js';
import { ResultsStore } from '../execute/results-store.js';
import { RunControl } from '../execute/run-control.js';
import { startTimeLine, systemClock } from '../model/clock.js';
import type { RunEvent } from '../model/run-event.js';
import type { TaskType } from '../model/scaling-decision.js';
import type { TaskDefinition, Work } from '../plan/valid-plan.js';
import type { WorkKind } from '../scaling/workload.js';

/** What one wave took, in seconds. */
export interface WaveTime {
  readonly seconds: number;
  /** Sum of the subtasks' own durations. */
  readonly busySeconds: number;
}

/** A wave to measure. */
export interface NoopWave {
  readonly kind: WorkKind;
  readonly subtasks: number;
  readonly agents: number;
  /** Subtasks that are handed out at once; absent: as many as in a run. */
  readonly mostInChunk?: number;
}

/** Agents on other machines. */
export interface Elsewhere {
  readonly executor: Executor;
  readonly tasks: Readonly<Record<WorkKind, TaskDefinition>>;
}

/** A subtask that does nothing failed, so that its time says nothing: no `sh`, no memory for a process, … */
export class NoopFailedError extends Error {}

const NOOP_MODULE = fileURLToPath(new URL('../measure/noop.js', import.meta.url));

/** The engine as a run uses it, from the queue of a wave to the journal, with work that does nothing. */
export class NoopEngine {
  readonly #timeLine = startTimeLine();
  readonly #clock = systemClock(this.#timeLine);
  readonly #executor: Executor;
  readonly #tasks: Readonly<Record<WorkKind, TaskDefinition>>;
  readonly #type: TaskType;
  readonly #cores: number;
  readonly #folder: string;
  readonly #journal: Journal;
  #nextId = 0;

  /**
   * @param type settles the layout, as it does in a run: `computation` gives agents threads of their own, anything else
   *   lets them share a thread for each core.
   */
  constructor(options: {
    readonly type: TaskType;
    readonly cores: number;
    readonly folder: string;
    readonly journal: Journal;
    /** Absent: threads of this machine. */
    readonly elsewhere?: Elsewhere;
  }) {
    this.#type = options.type;
    this.#cores = options.cores;
    this.#folder = options.folder;
    this.#journal = options.journal;
    const { elsewhere } = options;
    this.#executor = elsewhere?.executor ?? new PiscinaExecutor(maxThreads(this.#type, this.#cores), this.#timeLine);
    this.#tasks = elsewhere?.tasks ?? NOOP_TASKS;
  }

  /** Starts the threads that so many agents get; the seconds until all were ready. Rejects with `ExecutorStartError`. */
  async warm(agents: number): Promise<number> {
    const begun = performance.now();
    await this.#executor.open(layoutAgents(agents, this.#type, this.#cores));
    return (performance.now() - begun) / 1000;
  }

  /** Starts one thread, then the others that so many agents get; the seconds until the first was ready, and until all were. */
  async warmInTwo(agents: number): Promise<{ readonly first: number; readonly all: number }> {
    const begun = performance.now();
    await this.#executor.open({ agents: 1, threads: 1 });
    const first = (performance.now() - begun) / 1000;
    return { first, all: first + (await this.warm(agents)) };
  }

  /**
   * Runs a wave on threads that are there, to the end of its last subtask: what lies between two waves is measured on its
   * own. Rejects with `NoopFailedError`.
   */
  async wave({ kind, subtasks, agents, mostInChunk }: NoopWave): Promise<WaveTime> {
    let busyMs = 0;
    let failure: string | undefined;
    const emit = (event: RunEvent) => {
      if (event.type === 'subtasks-finished') {
        this.#journal.append(event.wave, event.lines, event.count);
        busyMs += event.durationsMs.reduce((sum, ms) => sum + ms, 0);
      } else if (event.type === 'subtask-finished') {
        this.#journal.record(event.checkpoint);
        busyMs += event.checkpoint.duration_ms;
        failure ??= event.checkpoint.error?.message;
      }
    };
    const begun = performance.now();
    const dispatcher = new Dispatcher(agents, {
      executor: this.#executor,
      clock: this.#clock,
      random: Math.random,
      control: new RunControl(),
      pacer: undefined,
      surroundings: { params: {}, env: {}, folder: this.#folder, run: 'bench' },
      results: new ResultsStore(),
      emit,
      nextId: () => this.#nextId++,
      ...(mostInChunk !== undefined && { mostInChunk }),
    });
    dispatcher.add({
      task: this.#tasks[kind],
      wave: 1,
      count: subtasks,
      itemAt: (i) => i,
      occurrences: new Map(),
      readable: new Set<string>(),
      scope: {},
      keepResults: false,
      priority: 0,
    });
    await dispatcher.run();
    const seconds = (performance.now() - begun) / 1000;
    if (failure !== undefined) throw new NoopFailedError(`a subtask that does nothing failed: ${failure}`);
    return { seconds, busySeconds: busyMs / 1000 };
  }

  close(): Promise<void> {
    return this.#executor.close();
  }
}

/** Starts a pool of so many threads, and ends it; the seconds until all were ready. Rejects with `ExecutorStartError`. */
export async function timeThreadStart(threads: number): Promise<number> {
  const begun = performance.now();
  const executor = new PiscinaExecutor(threads, startTimeLine());
  try {
    await executor.open({ agents: threads, threads });
    return (performance.now() - begun) / 1000;
  } finally {
    await executor.close();
  }
}

const NOOP_TASKS: Readonly<Record<WorkKind, TaskDefinition>> = {
  modules: noopTask('modules', { kind: 'module', uses: 'noop', file: NOOP_MODULE, exportName: 'default' }),
  commands: noopTask('commands', { kind: 'shell', command: 'true' }),
};

function noopTask(id: WorkKind, work: Work): TaskDefinition {
  return {
    id,
    work,
    phase: undefined,
    needs: [],
    with: undefined,
    foreach: undefined,
    batch: undefined,
    env: {},
    cwd: undefined,
    timeoutMs: undefined,
    retries: { max: 0, backoffMs: 0, factor: 1, jitter: 'none' },
    output: 'text',
    if: undefined,
    success: [],
    estimateMs: undefined,
    reads: [],
    hash: id,
    range: { line: 1, column: 1, endLine: 1, endColumn: 1 },
  };
}
