import { batchCount, batchItem } from '../graph/fan-out.js';
import type { TaskGraph, TaskNode, Wave } from '../graph/task-graph.js';
import type { Clock } from '../model/clock.js';
import type { Failure } from '../model/failure.js';
import type { JsonValue } from '../model/json.js';
import { err, ok, type Result } from '../model/result.js';
import type { RunEvent } from '../model/run-event.js';
import type { ScalingDecision } from '../model/scaling-decision.js';
import { evaluate } from '../plan/expressions.js';
import type { TaskDefinition } from '../plan/valid-plan.js';
import { type AgentLayout, type Executor, ExecutorStartError } from './executor.js';
import type { FinishedSubtasks } from './finished.js';
import type { Headroom } from './headroom.js';
import { Pacer } from './pacer.js';
import type { RunSurroundings } from './prepare.js';
import { Ancestors, ResultsStore } from './results-store.js';
import { RunControl, type StopReason } from './run-control.js';
import { checkWave, type WaveTally } from './wave-check.js';
import { WavePilot } from './wave-pilot.js';
import { checkpointOf, nothingDone, WaveRun, type WaveTask } from './wave-run.js';

/** What a run of the waves is made of. */
export interface RunWavesOptions {
  readonly graph: TaskGraph;
  readonly waves: readonly Wave[];
  readonly finally: readonly TaskDefinition[];
  readonly surroundings: RunSurroundings;
  /** `limits.rate`: starts of subtasks per minute, over all waves. */
  readonly ratePerMinute: number | undefined;
  /** Share of a wave's subtasks above which its check is FAILED (0.1 in the methodology). */
  readonly majorShare: number;
  /** What an earlier part of the run finished. */
  readonly finished?: FinishedSubtasks;
}

/** Where a run of the waves touches the world. */
export interface RunWavesPorts {
  readonly executor: Executor;
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly control: RunControl;
  readonly emit: (event: RunEvent) => void;
  /** The decision for all that is known now: subtasks, and what was measured, by position of their task in the graph. */
  readonly decide: (subtasks: ReadonlyMap<number, number>, probes: ReadonlyMap<number, MeasuredWork>) => ScalingDecision;
  /** Room for agents that run such tasks. */
  readonly layout: (agents: number, tasks: readonly TaskDefinition[]) => AgentLayout;
  /** Absent: the number of agents stays as decided. */
  readonly steering?: SteeringPorts;
  /** Makes sure that the wave's checkpoints are on disk and reads them back. */
  readonly verifyWave: (wave: number) => Promise<WaveTally>;
}

/** What was measured of a task's subtasks while they ran. */
export interface MeasuredWork {
  readonly seconds: number;
  /** From 0 to 1. */
  readonly cpuShare: number;
}

/** What it takes to predict a wave, to measure it, and to change its number of agents while it runs. */
export interface SteeringPorts {
  /** Processor time so far, in seconds. */
  readonly cpuSeconds: () => number;
  readonly headroom: () => Headroom;
  /** Whether nothing is known of the duration of a task's subtasks. */
  readonly isUnknown: (task: TaskDefinition) => boolean;
  /** The seconds that a wave is predicted to take, asked once for each wave. */
  readonly predict: (
    wave: number,
    room: AgentLayout,
    subtasks: ReadonlyMap<number, number>,
    probes: ReadonlyMap<number, MeasuredWork>,
  ) => number;
  /** Subtasks of an unknown task that make a probe. */
  readonly probeSize: number;
  readonly cores: number;
  /** The most agents that a wave begins with: few where earlier runs did not show that more help. */
  readonly startAtMost?: (wave: number) => number;
}

/** How the waves ended. */
export type WavesEnd = { readonly status: 'done'; readonly reason: string } | StopReason;

/**
 * Runs a plan's waves in order, each to its barrier, checks each against its checkpoints, and runs
 * the `finally` tasks at the end, whatever happened. Emits everything that happens; touches no disk.
 */
export async function runWaves(options: RunWavesOptions, ports: RunWavesPorts): Promise<WavesEnd> {
  const run = new WavesRunner(options, ports);
  const end = await brokenWithoutRoom(() => run.waves());
  const last = await brokenWithoutRoom(() => run.finallyTasks());
  return end.status === 'done' ? last : end;
}

/** Work for which the executor cannot make room ends the run, but not what stands under `finally`. */
async function brokenWithoutRoom(work: () => Promise<WavesEnd>): Promise<WavesEnd> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ExecutorStartError)) throw error;
    return { status: 'broken', reason: error.message };
  }
}

const DONE: WavesEnd = { status: 'done', reason: 'every wave is complete' };

class WavesRunner {
  readonly #options: RunWavesOptions;
  readonly #ports: RunWavesPorts;
  readonly #results = new ResultsStore();
  readonly #counts = new Map<number, number>();
  readonly #probes = new Map<number, MeasuredWork>();
  readonly #pacer: Pacer | undefined;
  #nextRequest = 0;
  #failures = 0;

  constructor(options: RunWavesOptions, ports: RunWavesPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#pacer = options.ratePerMinute === undefined ? undefined : new Pacer(options.ratePerMinute, ports.clock);
  }

  async waves(): Promise<WavesEnd> {
    for (const wave of this.#options.waves) {
      const stopped = this.#stopReason() ?? (await this.#wave(wave)) ?? this.#stopReason();
      if (stopped !== undefined) return stopped;
    }
    const failures = this.#failures;
    if (failures > 0) return { status: 'failed', reason: `${failures} ${failures === 1 ? 'subtask' : 'subtasks'} failed` };
    return DONE;
  }

  #stopReason(): StopReason | undefined {
    return this.#ports.control.stopReason;
  }

  async #wave(wave: Wave): Promise<StopReason | undefined> {
    const { clock, emit, decide, executor, layout, verifyWave, control, steering } = this.#ports;
    const begun = clock.now();
    const cpuBefore = steering?.cpuSeconds() ?? 0;
    const runnable = wave.nodes.filter((node) => !this.#skipForNeeds(wave.number, node));
    const { tasks, nodes, expanded, failedToExpand } = this.#expand(wave.number, runnable);
    const subtasks = tasks.reduce((sum, task) => sum + task.count, 0);
    const decision = decide(this.#counts, this.#probes);
    if (expanded) emit({ type: 'decision-taken', at: clock.now(), wave: wave.number, decision });
    const target = this.#admit(wave.number, decision, Math.max(1, Math.min(decision.decided.agents, subtasks)));
    const agents = this.#beginWith(wave.number, decision, target);
    const room = layout(
      agents,
      tasks.map(({ task }) => task),
    );
    if (subtasks > 0) await executor.open(room);
    emit({
      type: 'wave-started',
      at: clock.now(),
      wave: wave.number,
      name: wave.name,
      agents,
      threads: room.threads,
      subtasks: subtasks + failedToExpand.length,
      ...(steering && { predictedSeconds: steering.predict(wave.number, room, this.#counts, this.#probes) }),
    });
    for (const { node, failure } of failedToExpand) this.#failBeforeStart(wave.number, node.task, failure);
    let pilot: WavePilot | undefined;
    const run = new WaveRun(wave.number, tasks, agents, this.#nextRequest, {
      ...this.#ports,
      pacer: this.#pacer,
      surroundings: this.#options.surroundings,
      results: this.#results,
      ...(this.#options.finished && { finished: this.#options.finished }),
      onAttemptEnded: () => pilot?.attemptEnded(),
    });
    if (steering !== undefined && decision.mode === 'AUTOMATIC_SCALING')
      pilot = this.#pilot(wave.number, run, nodes, decision, steering, target);
    const started = clock.now();
    const { nextRequest, complete } = await run.run();
    const ended = clock.now();
    pilot?.end();
    this.#nextRequest = nextRequest;
    this.#failures += failedToExpand.length + run.tallies.reduce((sum, tally) => sum + tally.failed, 0);
    for (const [position, task] of tasks.entries()) this.#setState(task, run.tallies[position]?.failed ?? 0);
    if (!complete) return control.stopReason;
    const expected = failedToExpand.length + run.tallies.reduce((sum, tally) => sum + tally.succeeded + tally.failed, 0);
    const check = checkWave(expected, await verifyWave(wave.number), this.#options.majorShare);
    const measured = steering && {
      cpuSeconds: steering.cpuSeconds() - cpuBefore,
      busySeconds: run.tallies.reduce((sum, tally) => sum + tally.busyMs, 0) / 1000,
      idleSeconds: run.idleSeconds(started, ended),
    };
    emit({
      type: 'wave-finished',
      at: clock.now(),
      wave: wave.number,
      durationMs: clock.now() - begun,
      check,
      ...(measured && { measured }),
    });
    switch (check.verdict) {
      case 'READY':
        return undefined;
      case 'FAILED':
        return { status: 'failed', reason: `wave ${wave.number}: ${check.reason}` };
      case 'INCOMPLETE':
        return { status: 'broken', reason: `wave ${wave.number}: ${check.reason}` };
    }
  }

  /** Few agents for work whose growth with them nobody has seen; the pilot adds the others. */
  #beginWith(wave: number, { mode }: ScalingDecision, target: number): number {
    if (mode === 'USER_OVERRIDE') return target;
    return Math.max(1, Math.min(target, this.#ports.steering?.startAtMost?.(wave) ?? target));
  }

  /** As many of the decided agents as free memory and open files allow right now; a user's own number is obeyed. */
  #admit(wave: number, { mode }: ScalingDecision, agents: number): number {
    const { steering, emit, clock } = this.#ports;
    if (steering === undefined || mode === 'USER_OVERRIDE' || agents === 1) return agents;
    const room = steering.headroom();
    if (room.agents >= agents) return agents;
    const to = Math.max(1, room.agents);
    emit({
      type: 'agents-changed',
      at: clock.now(),
      wave,
      from: agents,
      to,
      reason: `no more than that at once: ${room.reason}`,
    });
    return to;
  }

  /** Follows the wave's work, unless the user has said how many agents are to run. */
  #pilot(
    wave: number,
    run: WaveRun,
    nodes: readonly TaskNode[],
    decision: ScalingDecision,
    steering: SteeringPorts,
    target: number,
  ): WavePilot {
    const { decide, emit, clock, executor, layout } = this.#ports;
    const unknown = nodes.flatMap((node, position) =>
      steering.isUnknown(node.task) && !this.#probes.has(node.index) ? [position] : [],
    );
    const most = Math.max(1, Math.min(decision.formula.agents, decision.capacity.agents));
    return new WavePilot(
      run,
      { wave, unknown, target, most, probeSize: steering.probeSize, cores: steering.cores, type: decision.type },
      {
        clock,
        executor,
        emit,
        layout: (agents) =>
          layout(
            agents,
            nodes.map(({ task }) => task),
          ),
        cpuSeconds: steering.cpuSeconds,
        headroom: steering.headroom,
        decide: (probes) => {
          for (const { position, seconds, cpuShare } of probes) {
            const node = nodes[position];
            if (node !== undefined) this.#probes.set(node.index, { seconds, cpuShare });
          }
          const taken = decide(this.#counts, this.#probes);
          emit({ type: 'decision-taken', at: clock.now(), wave, decision: taken });
          return Math.max(1, Math.min(taken.decided.agents, run.unfinished));
        },
      },
    );
  }

  /** A task runs only if all that it needs is done, or done but for a tolerated share. */
  #skipForNeeds(wave: number, node: TaskNode): boolean {
    const { emit, clock } = this.#ports;
    const lacking = node.needs
      .map((need) => this.#options.graph.nodes[need]?.task.id ?? '')
      .find((id) => ['failed', 'skipped'].includes(this.#results.state(id) ?? 'failed'));
    if (lacking === undefined) return false;
    const reason = `needs ${lacking}, which ${this.#results.state(lacking) === 'skipped' ? 'was skipped' : 'failed'}`;
    emit({ type: 'subtask-skipped', at: clock.now(), wave, task: node.task.id, subtask: node.task.id, reason });
    this.#results.setState(node.task.id, 'skipped');
    return true;
  }

  #expand(wave: number, nodes: readonly TaskNode[]) {
    const tasks: WaveTask[] = [];
    const expandedNodes: TaskNode[] = [];
    const failedToExpand: { readonly node: TaskNode; readonly failure: Failure }[] = [];
    let expanded = false;
    for (const node of nodes) {
      const { task } = node;
      const readable = new Ancestors(node, this.#options.graph.nodes);
      const items = this.#items(task);
      if (!items.ok) {
        failedToExpand.push({ node, failure: items.error });
        this.#counts.set(node.index, 1);
        continue;
      }
      expandedNodes.push(node);
      const list = items.value;
      if (list === undefined) {
        this.#counts.set(node.index, 1);
        tasks.push({ task, count: 1, itemAt: undefined, readable });
        continue;
      }
      const count = batchCount(list.length, task.batch);
      this.#counts.set(node.index, count);
      this.#results.set(task.id, new Array<JsonValue>(count).fill(null));
      tasks.push({ task, count, itemAt: (i) => batchItem(list, task.batch, i), readable });
      if (task.foreach?.kind === 'expression' && task.foreach.tasks.length > 0) {
        expanded = true;
        this.#ports.emit({ type: 'task-expanded', at: this.#ports.clock.now(), wave, task: task.id, subtasks: count });
      }
    }
    return { tasks, nodes: expandedNodes, expanded, failedToExpand };
  }

  /** A fan-out's items; `undefined` for a task without `foreach`. */
  #items(task: TaskDefinition): Result<readonly JsonValue[] | undefined, Failure> {
    if (task.foreach === undefined) return ok(undefined);
    if (task.foreach.kind === 'list') return ok(task.foreach.items);
    const { params, env } = this.#options.surroundings;
    const value = evaluate(task.foreach.expression, { params, env, tasks: this.#results.scope(task.reads) });
    if (!value.ok) return err({ kind: 'expression', message: `foreach: ${value.error}` });
    if (Array.isArray(value.value)) return ok(value.value as readonly JsonValue[]);
    return err({
      kind: 'expression',
      message: `foreach: ${task.foreach.expression} is ${describeKind(value.value)}, not a list`,
    });
  }

  #failBeforeStart(wave: number, task: TaskDefinition, failure: Failure): void {
    const { emit, clock } = this.#ports;
    const outcome = { ...nothingDone(clock.now()), failure };
    emit({
      type: 'subtask-finished',
      at: clock.now(),
      task: task.id,
      checkpoint: checkpointOf(wave, task.id, { key: task.hash, attempt: 1 }, undefined, outcome),
    });
    this.#results.setState(task.id, 'failed');
  }

  #setState({ task, count, itemAt }: WaveTask, failed: number): void {
    const tolerated = itemAt !== undefined && failed <= count * this.#options.majorShare;
    this.#results.setState(task.id, failed === 0 ? 'done' : tolerated ? 'partial' : 'failed');
  }

  /**
   * Runs the `finally` tasks one after the other on one agent, also in a run that was stopped; only a further request
   * to abort ends them.
   */
  async finallyTasks(): Promise<WavesEnd> {
    const { executor, layout, control, emit } = this.#ports;
    const { finally: tasks, waves, graph, surroundings } = this.#options;
    if (tasks.length === 0) return DONE;
    const readable = new Set(graph.indexOf.keys());
    const own = new RunControl();
    const unlisten = control.listen(() => {
      if (control.state === 'aborting') own.abort({ status: 'stopped', reason: 'stopped' });
    });
    const tell = (event: RunEvent) => {
      if (event.type === 'subtask-finished') emit({ ...event, type: 'finally-finished' });
      if (event.type === 'subtask-retried') emit(event);
    };
    await executor.open(layout(1, tasks));
    let failed = 0;
    for (const task of tasks) {
      const ports = {
        ...this.#ports,
        control: own,
        emit: tell,
        pacer: undefined,
        surroundings,
        results: this.#results,
      };
      const run = new WaveRun(waves.length + 1, [{ task, count: 1, itemAt: undefined, readable }], 1, this.#nextRequest, ports);
      const { nextRequest, complete } = await run.run();
      this.#nextRequest = nextRequest;
      if (!complete || run.tallies.some((tally) => tally.failed > 0)) failed += 1;
    }
    unlisten();
    return failed === 0 ? DONE : { status: 'failed', reason: `${failed} of the finally tasks failed` };
  }
}

function describeKind(value: JsonValue): string {
  if (value === null) return 'null';
  return typeof value === 'object' ? 'an object' : `the ${typeof value} ${JSON.stringify(value)}`;
}
