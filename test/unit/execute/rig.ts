import type { FailureHandling } from '../../../src/execute/failure-passes.js';
import type { FinishedSubtasks } from '../../../src/execute/finished.js';
import type { RunWavesOptions, RunWavesPorts, SteeringPorts, WavesEnd } from '../../../src/execute/ports.js';
import { type AgainEnd, type AgainOptions, runAgain } from '../../../src/execute/run-again.js';
import { RunControl } from '../../../src/execute/run-control.js';
import { RunState } from '../../../src/execute/run-state.js';
import { runWaves } from '../../../src/execute/run-waves.js';
import type { WaveTally } from '../../../src/execute/wave-check.js';
import { type Checkpoint, parseCheckpoints } from '../../../src/model/checkpoint.js';
import type { RunEvent } from '../../../src/model/run-event.js';
import type { ScalingDecision, TaskType } from '../../../src/model/scaling-decision.js';
import { decideScaling } from '../../../src/scaling/decide.js';
import type { ScalingRules } from '../../../src/scaling/rules.js';
import { compiled, type TaskSketch, taskOf } from '../../support/plans.js';
import { type Execution, FakeClock, FakeExecutor, type OutcomeSketch, settled } from './fakes.js';

export interface RigOptions {
  readonly tasks: readonly TaskSketch[];
  readonly finally?: readonly TaskSketch[];
  /** 2, unless a test says otherwise. */
  readonly agents?: number;
  readonly ratePerMinute?: number;
  readonly majorShare?: number;
  readonly pools?: NonNullable<RunWavesOptions['pools']>;
  readonly sync?: 'wave' | 'eager';
  readonly failure?: FailureHandling;
  readonly finished?: FinishedSubtasks;
  /** 1, unless a test is about chunks. */
  readonly mostInChunk?: number;
  readonly random?: () => number;
  /** How the number of agents follows the work; it stays as it is unless a test says otherwise. */
  readonly steering?: SteeringSketch;
  /** Where outcomes are written; nowhere, unless a test is about that. */
  readonly records?: NonNullable<RunWavesPorts['records']>;
  /** Told of every event before it is kept. */
  readonly onEvent?: (event: RunEvent, rig: Rig) => void;
  /** What the check between waves finds, in place of the checkpoints that were emitted. */
  readonly verifyWave?: (wave: number, found: WaveTally) => WaveTally;
}

/** What a test says of how a run is steered. */
export interface SteeringSketch {
  /** What a subtask is expected to take, in seconds; undefined: nothing is known. */
  readonly expectedSeconds: number | undefined;
  /** The agents for subtasks that take so many seconds; undefined: as expected. */
  readonly agentsFor: (measuredSeconds: number | undefined) => number;
  readonly probeSize: number;
  /** `general`, unless a test says otherwise. */
  readonly type?: TaskType;
  /** No processor time is used, unless a test says otherwise. */
  readonly cpuSeconds?: () => number;
}

/** A run of the waves whose clock, executor and control a test holds in its hands. */
export class Rig {
  readonly clock = new FakeClock();
  readonly executor = new FakeExecutor(this.clock);
  readonly control = new RunControl();
  readonly events: RunEvent[] = [];
  /** What `decide` was told, by task, at each call. */
  readonly decidedFor: Readonly<Record<string, number>>[] = [];
  /** How the run ended; undefined while it runs. */
  end: WavesEnd | undefined;
  /** What the run rejected with, which is a bug. */
  broken: unknown;
  readonly #options: RigOptions;
  #open: { readonly options: RunWavesOptions; readonly ports: RunWavesPorts; readonly state: RunState } | undefined;

  constructor(options: RigOptions) {
    this.#options = options;
  }

  /** Starts the run and lets it come to its first attempts. */
  async start(): Promise<this> {
    const { graph, waves } = compiled(this.#options.tasks);
    const options: RunWavesOptions = {
      graph,
      waves,
      sync: this.#options.sync ?? 'wave',
      pools: this.#options.pools ?? {},
      finally: (this.#options.finally ?? []).map(taskOf),
      surroundings: { params: {}, env: {}, folder: '/work', run: 'test' },
      ratePerMinute: this.#options.ratePerMinute,
      majorShare: this.#options.majorShare ?? 0.1,
      ...(this.#options.failure && { failure: this.#options.failure }),
      ...(this.#options.finished && { finished: this.#options.finished }),
    };
    const ports: RunWavesPorts = {
      executor: this.executor,
      clock: this.clock,
      random: this.#options.random ?? (() => 0.5),
      control: this.control,
      emit: (event) => {
        this.#options.onEvent?.(event, this);
        this.events.push(...oneByOne(event));
      },
      decide: (counts, probes) => {
        this.decidedFor.push(Object.fromEntries([...counts].map(([index, count]) => [graph.nodes[index]?.task.id, count])));
        const { steering, agents = 2 } = this.#options;
        if (steering === undefined) return decisionFor(agents);
        const [measured] = probes.values();
        return {
          ...decisionFor(steering.agentsFor(measured?.seconds)),
          mode: 'AUTOMATIC_SCALING',
          type: steering.type ?? 'general',
        };
      },
      layout: (agents) => ({ agents, threads: 1 }),
      expectedMs: (task) => task.estimateMs,
      mostInChunk: this.#options.mostInChunk ?? 1,
      ...(this.#options.steering && { steering: steeringOf(this.#options.steering) }),
      ...(this.#options.records && { records: this.#options.records }),
      verifyWave: (wave) => Promise.resolve(this.#verify(wave)),
    };
    const state = new RunState(options, ports);
    this.#open = { options, ports, state };
    runWaves(options, ports, state).then(
      (end) => {
        this.end = end;
      },
      (error: unknown) => {
        this.broken = error;
      },
    );
    await settled();
    return this;
  }

  /** Starts another round on the same run, which is over. What runs in it has an effect unless `quiet` names its task. */
  async again(
    affected: AgainOptions['affected'],
    about: { readonly unsettled?: readonly string[]; readonly quiet?: readonly string[]; readonly control?: RunControl } = {},
  ): Promise<{ readonly over: Promise<AgainEnd> }> {
    if (this.#open === undefined) throw new Error('nothing has run');
    const { options, ports, state } = this.#open;
    const before = this.events.length;
    const ran = (task: string) =>
      this.events.slice(before).some((event) => event.type === 'subtask-finished' && event.task === task);
    const over = runAgain(options, { ...ports, control: about.control ?? new RunControl() }, state, {
      affected,
      unsettled: new Set(about.unsettled),
      hadEffect: (task) => ran(task) && about.quiet?.includes(task) !== true,
      written: () => Promise.resolve(undefined),
      agents: this.#options.agents ?? 2,
    });
    await settled();
    return { over };
  }

  #verify(wave: number): WaveTally {
    const last = new Map(this.checkpoints.filter((one) => one.wave === wave).map((one) => [one.task_id, one.status]));
    const found = { recorded: last.size, failed: [...last.values()].filter((status) => status === 'failure').length };
    return this.#options.verifyWave?.(wave, found) ?? found;
  }

  /** The names of the subtasks that run, in order. */
  get running(): readonly string[] {
    return this.executor.running.map((execution) => execution.request.subtask);
  }

  /** The outcomes of the waves, in the order they came. */
  get checkpoints(): readonly Checkpoint[] {
    return this.events.flatMap((event) => (event.type === 'subtask-finished' ? [event.checkpoint] : []));
  }

  eventsOf<Type extends RunEvent['type']>(type: Type): readonly Extract<RunEvent, { type: Type }>[] {
    return this.events.filter((event): event is Extract<RunEvent, { type: Type }> => event.type === type);
  }

  /** Ends the attempt at `subtask` that runs. */
  async finish(subtask: string, outcome?: OutcomeSketch): Promise<void> {
    this.executor.end(this.executor.runningOf(subtask), outcome);
    await settled();
  }

  /** Ends whatever runs, and what then runs, until nothing does. */
  async finishAll(outcomeOf: (execution: Execution) => OutcomeSketch = () => ({})): Promise<void> {
    for (let [next] = this.executor.running; next !== undefined; [next] = this.executor.running) {
      this.executor.end(next, outcomeOf(next));
      await settled();
    }
  }
}

function steeringOf({ expectedSeconds, probeSize, cpuSeconds = () => 0 }: SteeringSketch): SteeringPorts {
  return {
    cpuSeconds,
    headroom: () => ({ agents: Number.POSITIVE_INFINITY, reason: '' }),
    expected: () => (expectedSeconds === undefined ? undefined : { usual: expectedSeconds, longest: expectedSeconds }),
    computes: () => false,
    predict: () => 1,
    probeSize,
    cores: 2,
  };
}

/** A group of outcomes as one event for each of them. */
function oneByOne(event: RunEvent): readonly RunEvent[] {
  if (event.type !== 'subtasks-finished') return [event];
  const { at, task } = event;
  return [...parseCheckpoints(event.lines)].map((checkpoint) => ({ type: 'subtask-finished', at, task, checkpoint }));
}

const RULES: ScalingRules = {
  iops: 10_000,
  connections: 5000,
  computationAgentsPerCore: 4,
  memoryPerAgentBytes: 500e6,
  microTask: { belowMinutes: 1, overheadShare: 0.1 },
  longTask: { aboveMinutes: 30 },
  roiBands: { excellent: 100, good: 10, marginal: 2 },
  fitTolerance: 0.02,
};

function decisionFor(agents: number): ScalingDecision {
  return decideScaling(
    {
      requested: { kind: 'count', agents },
      subtasks: 1,
      widestWave: 1,
      averageMinutes: 1,
      waves: [{ subtasks: 1, seconds: 60 }],
      type: 'general',
      overhead: { secondsPerAgent: 0.3, secondsPerWave: 0, source: 'given' },
      limits: { ratePerMinute: undefined, connections: undefined, iops: undefined, memoryPerAgentBytes: undefined },
    },
    RULES,
    { cores: 2, memoryBytes: 16e9 },
  );
}
