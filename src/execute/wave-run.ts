import type { ActionOutcome, SubtaskRequest } from '../actions/action.js';
import type { Checkpoint } from '../model/checkpoint.js';
import type { Clock } from '../model/clock.js';
import type { Failure } from '../model/failure.js';
import { subtaskId } from '../model/ids.js';
import type { JsonValue } from '../model/json.js';
import type { RunEvent } from '../model/run-event.js';
import type { TaskDefinition } from '../plan/valid-plan.js';
import { AgentSupply } from './agent-supply.js';
import type { Executor } from './executor.js';
import { type FinishedSubtasks, SubtaskKeys } from './finished.js';
import type { Pacer } from './pacer.js';
import { checkSuccess, type PreparedRequest, prepareSubtask, type RunSurroundings, type Subtask } from './prepare.js';
import type { ResultsStore } from './results-store.js';
import { retryDelayMs } from './retry.js';
import type { RunControl } from './run-control.js';

/** A task of the wave with its fan-out expanded. */
export interface WaveTask {
  readonly task: TaskDefinition;
  readonly count: number;
  /** The item of subtask i; undefined for a task without `foreach`. */
  readonly itemAt: ((i: number) => JsonValue) | undefined;
  /** Tasks whose results its modules may ask for. */
  readonly readable: Pick<ReadonlySet<string>, 'has'>;
}

/** What a wave needs to run. */
export interface WavePorts {
  readonly executor: Executor;
  readonly clock: Clock;
  readonly random: () => number;
  readonly control: RunControl;
  readonly pacer: Pacer | undefined;
  readonly surroundings: RunSurroundings;
  readonly results: ResultsStore;
  readonly finished?: FinishedSubtasks;
  readonly emit: (event: RunEvent) => void;
  /** Told after each attempt, when its agent is idle again. */
  readonly onAttemptEnded?: () => void;
}

/** How a task's subtasks ended so far. */
export interface TaskTally {
  readonly total: number;
  succeeded: number;
  failed: number;
  leftOut: number;
  /** Of the attempts that ended a subtask, in milliseconds, the first few of them one by one. */
  busyMs: number;
  readonly firstMs: number[];
}

/** Durations that a tally keeps one by one, for the probe. */
const FIRST_DURATIONS = 32;

interface Job {
  readonly position: number;
  readonly subtask: Subtask;
  readonly key: string;
  attempt: number;
}

/**
 * Runs one wave's subtasks on a fixed number of agents, to its barrier.
 *
 * A subtask is queued, running, waiting for its next attempt, or over. Every change ends in `#pump`,
 * which starts queued work on idle agents until one of them runs out. The queue is a position in the
 * wave, not a list: a million subtasks cost nothing until they start.
 */
export class WaveRun {
  readonly #wave: number;
  readonly #tasks: readonly WaveTask[];
  readonly #ports: WavePorts;
  readonly #agents: AgentSupply;
  readonly #retries: Job[] = [];
  readonly #timers = new Set<() => void>();
  readonly #running = new Set<number>();
  readonly #lastEnds = new Map<number, number>();
  readonly #keys: readonly SubtaskKeys[];
  readonly tallies: readonly TaskTally[];
  #cursor = { position: 0, i: 0 };
  #unfinished: number;
  #nextRequest: number;
  #paceTimer: (() => void) | undefined;
  #resolve: () => void = () => {};

  constructor(wave: number, tasks: readonly WaveTask[], agents: number, firstRequest: number, ports: WavePorts) {
    this.#wave = wave;
    this.#tasks = tasks;
    this.#ports = ports;
    this.#agents = new AgentSupply(agents);
    this.#keys = tasks.map(({ task }) => new SubtaskKeys(task.hash));
    this.tallies = tasks.map((task) => ({
      total: task.count,
      succeeded: 0,
      failed: 0,
      leftOut: 0,
      busyMs: 0,
      firstMs: [],
    }));
    this.#unfinished = tasks.reduce((sum, task) => sum + task.count, 0);
    this.#nextRequest = firstRequest;
  }

  /** Resolves when every subtask is over, or when the run was stopped and no work is running any more. */
  async run(): Promise<{ readonly nextRequest: number; readonly complete: boolean }> {
    const { control } = this.#ports;
    const unlisten = control.listen(() => this.#onControl());
    await new Promise<void>((resolve) => {
      this.#resolve = resolve;
      this.#pump();
    });
    unlisten();
    for (const cancel of this.#timers) cancel();
    this.#paceTimer?.();
    return { nextRequest: this.#nextRequest, complete: this.#unfinished === 0 };
  }

  /** How many agents there may be from now on. The executor must have made room for them. */
  resize(agents: number): void {
    this.#agents.resize(agents);
    this.#pump();
  }

  get agents(): number {
    return this.#agents.size;
  }

  /** Subtasks that are not over yet. */
  get unfinished(): number {
    return this.#unfinished;
  }

  /** Agent seconds between each agent's last work and `end`, the wave's barrier. An agent without work waited all the time. */
  idleSeconds(begun: number, end: number): number {
    let idle = 0;
    for (let agent = 0; agent < this.#agents.size; agent++) idle += end - (this.#lastEnds.get(agent) ?? begun);
    return idle / 1000;
  }

  #onControl(): void {
    if (this.#ports.control.state === 'aborting') {
      for (const id of this.#running) this.#ports.executor.cancel(id);
    }
    this.#pump();
  }

  #pump(): void {
    while (this.#ports.control.state === 'running' && this.#agents.hasIdle) {
      if (this.#mustWaitForPace()) break;
      const job = this.#retries.shift() ?? this.#nextJob();
      if (job === undefined) break;
      this.#begin(job);
    }
    const stopped = this.#ports.control.state !== 'running';
    if (this.#running.size === 0 && (stopped || this.#unfinished === 0)) this.#resolve();
  }

  #mustWaitForPace(): boolean {
    const waitMs = this.#ports.pacer?.waitMs() ?? 0;
    if (waitMs === 0) return false;
    this.#paceTimer ??= this.#ports.clock.after(waitMs, () => {
      this.#paceTimer = undefined;
      this.#pump();
    });
    return true;
  }

  /** The next subtask that was not started yet. */
  #nextJob(): Job | undefined {
    for (let task = this.#tasks[this.#cursor.position]; task !== undefined; task = this.#tasks[this.#cursor.position]) {
      if (this.#cursor.i < task.count) return this.#makeJob(task, this.#cursor.position, this.#cursor.i++);
      this.#cursor = { position: this.#cursor.position + 1, i: 0 };
    }
    return undefined;
  }

  #makeJob({ task, itemAt }: WaveTask, position: number, i: number): Job {
    const item = itemAt?.(i);
    const subtask: Subtask = { task, item, index: itemAt === undefined ? undefined : i };
    return { position, subtask, key: this.#keys[position]?.next(item) ?? task.hash, attempt: 1 };
  }

  #begin(job: Job): void {
    const { surroundings, results, emit, clock } = this.#ports;
    if (job.subtask.task.if === undefined && this.#wasFinished(job)) return;
    const prepared = prepareSubtask(job.subtask, surroundings, results);
    if (!prepared.ok) {
      this.#finish(job, undefined, { ...nothingDone(clock.now()), failure: prepared.error });
      return;
    }
    if (prepared.value.kind === 'left-out') {
      const { task } = job.subtask;
      const reason = `if: ${task.if ?? ''} is false`;
      emit({ type: 'subtask-skipped', at: clock.now(), wave: this.#wave, task: task.id, subtask: this.#name(job), reason });
      this.#count(job, 'leftOut');
      return;
    }
    if (this.#wasFinished(job)) return;
    void this.#attempt(job, prepared.value.request);
  }

  /** What an earlier part of the run finished counts, and does not run again. */
  #wasFinished(job: Job): boolean {
    const { finished, emit, clock } = this.#ports;
    const { task } = job.subtask;
    const found = finished?.find(task.id, job.key);
    if (found === undefined) return false;
    const checkpoint = { ...found, wave: this.#wave, task_id: this.#name(job) };
    const resumed = found.wave === checkpoint.wave && found.task_id === checkpoint.task_id ? 'as-is' : 'moved';
    const succeeded = checkpoint.status === 'success';
    if (succeeded) this.#keepResults(job, checkpoint.results);
    emit({ type: 'subtask-finished', at: clock.now(), task: task.id, checkpoint, resumed });
    this.#count(job, succeeded ? 'succeeded' : 'failed');
    return true;
  }

  #keepResults(job: Job, value: JsonValue): void {
    const { results } = this.#ports;
    const { task, index } = job.subtask;
    if (index === undefined) results.set(task.id, value);
    else {
      const list = results.get(task.id);
      if (Array.isArray(list)) list[index] = value;
    }
  }

  async #attempt(job: Job, request: PreparedRequest): Promise<void> {
    const { executor, clock, control, emit, pacer, results } = this.#ports;
    const agent = this.#agents.take();
    const task = this.#tasks[job.position];
    if (agent === undefined || task === undefined) throw new Error('Internal error: no agent is idle');
    const id = this.#nextRequest++;
    this.#running.add(id);
    pacer?.started();
    const { attempt } = job;
    emit({
      type: 'subtask-started',
      at: clock.now(),
      wave: this.#wave,
      task: job.subtask.task.id,
      subtask: request.subtask,
      agent: agentName(agent),
      attempt,
    });
    const readResults = (name: string) => (task.readable.has(name) ? (results.get(name) ?? null) : undefined);
    const execution = executor.execute(withAttempt(request, id, attempt), agent, readResults);
    // Whoever was just told of the start may have answered with an abort, before there was anything to cancel.
    if (control.state === 'aborting') executor.cancel(id);
    const outcome = await execution;
    this.#running.delete(id);
    this.#agents.giveBack(agent);
    this.#lastEnds.set(agent, clock.now());
    this.#settle(job, agent, outcome);
    this.#ports.onAttemptEnded?.();
    this.#pump();
  }

  #settle(job: Job, agent: number, outcome: ActionOutcome): void {
    const { surroundings, results, control, clock, random, emit } = this.#ports;
    if (control.state === 'aborting' && outcome.failure !== undefined) return;
    const failure = outcome.failure ?? checkSuccess(job.subtask, outcome.results, surroundings, results);
    const { task } = job.subtask;
    const delayMs = failure && retryDelayMs(task.retries, failure.kind, job.attempt, random);
    if (failure === undefined || delayMs === undefined) {
      this.#finish(job, agent, { ...outcome, failure });
      return;
    }
    // A run that is stopping makes no further attempt: what is left open runs again when the run is resumed.
    if (control.state !== 'running') return;
    emit({
      type: 'subtask-retried',
      at: clock.now(),
      wave: this.#wave,
      task: task.id,
      subtask: this.#name(job),
      attempt: job.attempt,
      delayMs,
      failure,
    });
    job.attempt += 1;
    const cancel = clock.after(delayMs, () => {
      this.#timers.delete(cancel);
      this.#retries.push(job);
      this.#pump();
    });
    this.#timers.add(cancel);
  }

  #finish(job: Job, agent: number | undefined, outcome: ActionOutcome): void {
    const { emit, clock } = this.#ports;
    const { task } = job.subtask;
    const checkpoint = checkpointOf(this.#wave, this.#name(job), job, agent, outcome);
    if (outcome.failure === undefined) this.#keepResults(job, outcome.results);
    emit({
      type: 'subtask-finished',
      at: clock.now(),
      task: task.id,
      checkpoint,
      ...(outcome.log === '' ? {} : { log: outcome.log }),
    });
    const tally = this.tallies[job.position];
    if (tally !== undefined) {
      tally.busyMs += outcome.durationMs;
      if (tally.firstMs.length < FIRST_DURATIONS) tally.firstMs.push(outcome.durationMs);
    }
    this.#count(job, outcome.failure === undefined ? 'succeeded' : 'failed');
  }

  #count(job: Job, kind: 'succeeded' | 'failed' | 'leftOut'): void {
    const tally = this.tallies[job.position];
    if (tally !== undefined) tally[kind] += 1;
    this.#unfinished -= 1;
  }

  #name(job: Job): string {
    return subtaskId(job.subtask.task.id, job.subtask.index);
  }
}

/** An agent's name, counted from 1 as people count. */
export function agentName(agent: number): string {
  return `agent_${agent + 1}`;
}

/** The record of one finished attempt. */
export function checkpointOf(
  wave: number,
  subtask: string,
  job: { readonly key: string; readonly attempt: number },
  agent: number | undefined,
  outcome: ActionOutcome,
): Checkpoint {
  const failure: Failure | undefined = outcome.failure;
  return {
    wave,
    task_id: subtask,
    status: failure === undefined ? 'success' : 'failure',
    results: outcome.results,
    timestamp: new Date(outcome.started + outcome.durationMs).toISOString(),
    // A subtask whose expressions fail never reaches an agent.
    agent_id: agent === undefined ? 'coordinator' : agentName(agent),
    key: job.key,
    attempt: job.attempt,
    started: outcome.started,
    duration_ms: outcome.durationMs,
    ...(failure === undefined ? {} : { error: failure }),
  };
}

/** The outcome of a subtask that ended before it began, at `now`. */
export function nothingDone(now: number): ActionOutcome {
  return { failure: undefined, results: null, log: '', started: now, durationMs: 0, leaked: false };
}

function withAttempt(request: PreparedRequest, id: number, attempt: number): SubtaskRequest {
  return { ...request, id, attempt, env: { ...request.env, ATTEMPT: String(attempt) } };
}
