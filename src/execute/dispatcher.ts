import type { ActionOutcome } from '../actions/action.js';
import { PriorityQueue } from '../graph/priority-queue.js';
import { type Checkpoint, isoTime, parseCheckpoints, toMicroseconds } from '../model/checkpoint.js';
import type { Clock } from '../model/clock.js';
import type { Failure } from '../model/failure.js';
import type { FailureAssessment } from '../model/failure-assessment.js';
import { subtaskId } from '../model/ids.js';
import type { JsonValue } from '../model/json.js';
import type { RunEvent } from '../model/run-event.js';
import type { TaskDefinition } from '../plan/valid-plan.js';
import type { Chunk, SubtaskOutcome, TaskProgram } from '../worker/chunk.js';
import type { RunSurroundings } from '../worker/prepare.js';
import { AgentSupply } from './agent-supply.js';
import { ChunkSize } from './chunk-size.js';
import type { ChunkHandle, Executor } from './executor.js';
import { type FailureHandling, FailurePasses, failureIn, type HeldFailure } from './failure-passes.js';
import { isForWantOfRoom, MOST_REFUSALS, ROOM_PATIENCE_MS } from './no-room.js';
import type { Pacer } from './pacer.js';
import type { Pools } from './pools.js';
import type { ResultsStore } from './results-store.js';
import { isWorthRepeating, retryDelayMs } from './retry.js';
import type { RunControl } from './run-control.js';
import { TaskQueue } from './task-queue.js';
import { addDurations, newTally, type SubtaskOver, type TaskTally, type TaskWork } from './task-work.js';

/** What a dispatcher works with. */
export interface DispatcherPorts {
  readonly executor: Executor;
  readonly clock: Clock;
  readonly random: () => number;
  readonly control: RunControl;
  readonly pacer: Pacer | undefined;
  /** Absent: tasks hold nothing. */
  readonly pools?: Pools;
  readonly surroundings: RunSurroundings;
  readonly results: ResultsStore;
  readonly emit: (event: RunEvent) => void;
  /** Numbers for chunks and programs; unique in the run. */
  readonly nextId: () => number;
  /** The most subtasks of a chunk; 8192 by default. 1 hands subtasks out one by one. */
  readonly mostInChunk?: number;
  /** What a subtask is expected to take, in milliseconds; undefined where nobody knows. */
  readonly expectedMs?: (task: TaskWork['task']) => number | undefined;
  /** Absent: what its task does not try again has failed for good. */
  readonly failure?: FailureHandling;
  /** What makes a pass of the failure policy: a wave, which is all that this dispatcher has, or each task for itself. */
  readonly passOf?: 'wave' | 'task';
  /** Told after outcomes came in, when their agents are idle again. */
  readonly onAttemptEnded?: () => void;
  /** Told when all subtasks of the task at this position are over; may add more tasks. */
  readonly onTaskOver?: (position: number) => void;
}

const MOST_IN_CHUNK = 8192;
/** How often chunks are looked at for a subtask that holds the others back. */
const LOOK_MS = 50;
/** A subtask that takes this long, and this many times the mean, does not keep the rest of its chunk. */
const STUCK_MS = 100;
const STUCK_TIMES = 4;

/** Records of an earlier part of the run that are read in one turn. */
const FINISHED_AT_A_TIME = 2000;

interface TaskState {
  readonly position: number;
  readonly work: TaskWork;
  readonly program: TaskProgram;
  readonly queue: TaskQueue;
  readonly size: ChunkSize;
  readonly tally: TaskTally;
  readonly onOver: SubtaskOver | undefined;
  /** Subtasks that are not over yet. */
  left: number;
  readonly passes: FailurePasses | undefined;
  /** Subtasks that an earlier part of the run finished and that were not told yet: from this index on. */
  nextFinished: number;
  /** It is in the queue of tasks that have something waiting. */
  queued: boolean;
  /** `onTaskOver` was told. */
  over: boolean;
}

/** A subtask that is to be tried again. */
interface Retry {
  readonly state: TaskState;
  readonly index: number;
  readonly attempt: number;
  /** When its first attempt began. */
  readonly begun: number;
  /** How it failed in the pass before; undefined in the first pass. */
  readonly before: Failure | undefined;
}

/** A chunk that an agent has. */
interface ActiveChunk {
  readonly chunk: Chunk;
  readonly state: TaskState;
  readonly agent: number;
  readonly retry: Retry | undefined;
  handle: ChunkHandle | undefined;
  /** Positions with an outcome. */
  outcomes: number;
  /** Successes that were not told yet. */
  lines: Uint8Array[];
  durationsMs: number[];
  /** What was not begun was taken back. */
  returned: boolean;
}

/**
 * Hands the subtasks of tasks out to agents, in chunks, until all are over.
 *
 * A subtask waits, is with an agent, waits for its next attempt, or is over. Every change ends in `#pump`,
 * which gives waiting work to idle agents until one of them runs out. What waits is a range of indexes,
 * not a list: a million subtasks cost nothing until they start.
 *
 *   waiting --chunk--> with an agent --outcome--> over
 *      ^                 |        \--failure, may be tried again--> waiting for its time --> with an agent (alone)
 *      \--taken back-----/
 */
export class Dispatcher {
  readonly #ports: DispatcherPorts;
  readonly #agents: AgentSupply;
  readonly #states: TaskState[] = [];
  /** Of the tasks, in the order in which they were added. */
  readonly tallies: TaskTally[] = [];
  readonly #ready = new PriorityQueue<TaskState>();
  readonly #retries: Retry[] = [];
  readonly #active = new Map<number, ActiveChunk>();
  readonly #timers = new Set<() => void>();
  readonly #passes: FailurePasses | undefined;
  /** Tasks with finished subtasks that were not told yet. */
  readonly #finished: TaskState[] = [];
  #turnTimer: (() => void) | undefined;
  /** The agents that were asked for, of which the failure policy may leave fewer. */
  #wanted: number;
  #cap = Number.POSITIVE_INFINITY;
  /** How often the system refused to start something since it last did. */
  #refusals = 0;
  #noCutBefore = 0;
  /** For whose failures there is a cap, where each task has passes of its own. */
  #cappedFor: TaskState | undefined;
  readonly #lastEnds = new Map<number, number>();
  #unfinished = 0;
  /** Chunks of more than one subtask that agents have. */
  #shared = 0;
  /** Tasks whose pools have no room. */
  readonly #kept = new Set<TaskState>();
  #poolTimer: (() => void) | undefined;
  #paceTimer: (() => void) | undefined;
  #lookTimer: (() => void) | undefined;
  #resolve: () => void = () => {};

  constructor(agents: number, ports: DispatcherPorts) {
    this.#agents = new AgentSupply(agents);
    this.#wanted = agents;
    this.#ports = ports;
    if (ports.failure !== undefined && ports.passOf !== 'task') this.#passes = new FailurePasses(ports.failure);
  }

  /** Adds a task; its position is the number of tasks before it. One without subtasks is over at once, and nobody is told. */
  add(work: TaskWork, onOver?: SubtaskOver): number {
    const { task, wave, count, itemAt, scope } = work;
    const { nextId, surroundings, expectedMs, mostInChunk = MOST_IN_CHUNK } = this.#ports;
    const position = this.#states.length;
    const program: TaskProgram = {
      ref: nextId(),
      wave,
      // A list of items may be long, and threads have no use for it.
      task: { ...task, foreach: undefined, timeoutMs: shortest(task.timeoutMs, task.subtaskTimeoutMs) },
      fanOut: itemAt !== undefined,
      surroundings: {
        params: surroundings.params,
        folder: surroundings.folder,
        secrets: surroundings.secrets ?? [],
        run: surroundings.run,
        tasks: scope,
      },
    };
    const state: TaskState = {
      position,
      work,
      program,
      queue: new TaskQueue(),
      size: new ChunkSize(expectedMs?.(task), mostInChunk),
      tally: newTally(count),
      onOver,
      passes: this.#passes ?? (this.#ports.failure && new FailurePasses(this.#ports.failure)),
      nextFinished: 0,
      left: count,
      queued: false,
      over: false,
    };
    this.#states.push(state);
    this.tallies.push(state.tally);
    this.#unfinished += count;
    const { finished } = work;
    if (finished !== undefined && work.oneByOne !== true) this.#finished.push(state);
    if (work.oneByOne !== true) {
      if (finished === undefined) state.queue.add(0, count);
      else for (let index = 0; index < count; index++) if (!finished.has(index)) state.queue.add(index, 1);
      this.#enqueue(state);
    }
    return position;
  }

  /** A subtask of a task that goes one by one may start. `pump` must follow. */
  ready(position: number, index: number): void {
    const state = this.#states[position];
    if (state === undefined) return;
    if (state.work.finished?.has(index) === true && this.#tellFinished(state, index)) {
      this.#afterCount(state);
      return;
    }
    state.queue.add(index, 1);
    this.#enqueue(state);
  }

  /** A subtask of a task that goes one by one will never start. */
  skip(position: number, index: number, reason: string): void {
    const state = this.#states[position];
    if (state === undefined) return;
    this.#leaveOut(state, index, undefined, reason);
    this.#afterCount(state);
  }

  /** Resolves when every subtask is over, or when the run was stopped and no work is running any more. */
  async run(): Promise<{ readonly complete: boolean }> {
    const { control } = this.#ports;
    const unlisten = control.listen(() => this.#onControl());
    await new Promise<void>((resolve) => {
      this.#resolve = resolve;
      this.pump();
    });
    unlisten();
    for (const cancel of this.#timers) cancel();
    this.#paceTimer?.();
    this.#poolTimer?.();
    this.#lookTimer?.();
    this.#turnTimer?.();
    return { complete: this.#unfinished === 0 };
  }

  /** How many agents there may be from now on. The executor must have made room for them. */
  resize(agents: number): void {
    this.#wanted = agents;
    this.#applySize();
    this.pump();
  }

  #applySize(): void {
    this.#agents.resize(Math.min(this.#wanted, this.#cap));
  }

  /** What the failure policy set apart in all. */
  get isolated(): { readonly subtasks: number; readonly failed: number } {
    const passes = this.#passes === undefined ? this.#states.flatMap((state) => state.passes ?? []) : [this.#passes];
    return {
      subtasks: passes.reduce((sum, { isolated }) => sum + isolated.subtasks, 0),
      failed: passes.reduce((sum, { isolated }) => sum + isolated.failed, 0),
    };
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
    const aborting = this.#ports.control.state === 'aborting';
    for (const active of [...this.#active.values()]) {
      if (aborting) active.handle?.cancel();
      else active.handle?.reclaim();
    }
    this.pump();
  }

  /** Gives waiting work to idle agents. */
  pump(): void {
    this.#tellAllFinished();
    while (this.#ports.control.state === 'running' && this.#agents.hasIdle) {
      if (this.#mustWaitForPace()) break;
      const retry = this.#nextRetry();
      if (retry !== undefined) {
        this.#start(retry.state, retry.index, 1, retry);
        continue;
      }
      const state = this.#nextReady();
      if (state === undefined) break;
      const most = this.#isPaced(state) ? 1 : state.size.next(state.queue.waiting, this.#agents.size);
      const range = state.queue.take(most);
      if (range !== undefined) this.#start(state, range.first, range.count);
    }
    this.#lookLater();
    if (this.#passes !== undefined && this.#isPassOver(this.#passes, this.#unfinished)) this.#endPass(this.#passes, this.#states);
    const stopped = this.#ports.control.state !== 'running';
    if (this.#active.size === 0 && (stopped || this.#unfinished === 0)) this.#resolve();
  }

  #enqueue(state: TaskState): void {
    if (state.queued || state.queue.waiting === 0) return;
    state.queued = true;
    this.#ready.push(state, state.work.priority, state.position);
  }

  /** The task with the highest priority that has something waiting, and whose pool has room. */
  #nextReady(): TaskState | undefined {
    for (let state = this.#ready.peek(); state !== undefined; state = this.#ready.peek()) {
      if (state.queue.waiting > 0 && this.#isAdmitted(state)) return state;
      state.queued = false;
      this.#ready.pop();
      // It comes back when its pool has room.
      if (state.queue.waiting > 0) this.#kept.add(state);
    }
    return undefined;
  }

  #nextRetry(): Retry | undefined {
    const at = this.#retries.findIndex(({ state }) => this.#isAdmitted(state));
    return at < 0 ? undefined : this.#retries.splice(at, 1)[0];
  }

  #isPaced({ work: { task } }: TaskState): boolean {
    const { pacer, pools } = this.#ports;
    return pacer !== undefined || (task.pool !== undefined && pools?.isPaced(task.pool) === true);
  }

  /** Where its pool has room later, at a known time, that is waited for; a share that is given back asks again by itself. */
  #isAdmitted({ work: { task } }: TaskState): boolean {
    const { pools, clock } = this.#ports;
    if (pools === undefined || task.pool === undefined) return true;
    const admission = pools.admission(task.pool);
    if (admission.kind === 'later' && this.#poolTimer === undefined) {
      this.#poolTimer = clock.after(admission.ms, () => {
        this.#poolTimer = undefined;
        this.#comeBack();
        this.pump();
      });
    }
    return admission.kind === 'yes';
  }

  /** Tasks that their pools kept are looked at again. */
  #comeBack(): void {
    for (const state of this.#kept) this.#enqueue(state);
    this.#kept.clear();
  }

  #mustWaitForPace(): boolean {
    const waitMs = this.#ports.pacer?.waitMs() ?? 0;
    if (waitMs === 0) return false;
    this.#paceTimer ??= this.#ports.clock.after(waitMs, () => {
      this.#paceTimer = undefined;
      this.pump();
    });
    return true;
  }

  #start(state: TaskState, first: number, count: number, retry?: Retry): void {
    const { executor, clock, control, emit, pacer, nextId, results } = this.#ports;
    const attempt = retry?.attempt ?? 1;
    const agent = this.#agents.take();
    if (agent === undefined) throw new Error('Internal error: no agent is idle');
    const chunk = chunkOf(state, {
      id: nextId(),
      agent: agentName(agent),
      first,
      count,
      attempt,
      ...(retry && timeLeft(state.work.task, retry.begun, clock.now())),
    });
    const active: ActiveChunk = {
      chunk,
      state,
      agent,
      retry,
      handle: undefined,
      outcomes: 0,
      lines: [],
      durationsMs: [],
      returned: false,
    };
    this.#active.set(chunk.id, active);
    if (count > 1) this.#shared += 1;
    pacer?.started();
    const { task, wave } = state.work;
    if (task.pool !== undefined) this.#ports.pools?.take(task.pool);
    const about = { at: clock.now(), wave, task: task.id, agent: chunk.agent };
    if (count > 1) emit({ type: 'subtasks-started', ...about, first, count });
    else emit({ type: 'subtask-started', ...about, subtask: nameOf(state, first), attempt });
    active.handle = executor.run(chunk, agent, {
      outcome: (outcome) => this.#settle(active, outcome),
      flushed: () => this.#flushed(active),
      ended: () => this.#ended(active),
      readResults: (name) => (state.work.readable.has(name) ? (results.get(name) ?? null) : undefined),
    });
    // Whoever was just told of the start may have answered with an abort, before there was anything to cancel.
    if (control.state === 'aborting') active.handle.cancel();
  }

  #settle(active: ActiveChunk, outcome: SubtaskOutcome): void {
    const { state, chunk } = active;
    const index = chunk.first + outcome.position;
    active.outcomes += outcome.kind === 'success' ? outcome.count : 1;
    switch (outcome.kind) {
      case 'success':
        this.#succeed(active, index, outcome);
        return;
      case 'left-out':
        this.#leaveOut(state, index, chunk.agent, `if: ${state.work.task.if ?? ''} is false`);
        return;
      case 'failure':
        this.#fail(active, index, outcome.key, outcome.outcome);
        return;
    }
  }

  #succeed(active: ActiveChunk, first: number, outcome: Extract<SubtaskOutcome, { kind: 'success' }>): void {
    const { state, chunk } = active;
    const { count, lines, durationsMs, log } = outcome;
    this.#keepResults(state, first, outcome);
    this.#refusals = 0;
    state.size.observe(count, addDurations(state.tally, durationsMs));
    if (chunk.program.fanOut && chunk.attempt === 1 && log === '') {
      active.lines.push(lines);
      active.durationsMs.push(...durationsMs);
    } else {
      const { emit, clock } = this.#ports;
      const [checkpoint] = parseCheckpoints([lines]);
      if (checkpoint === undefined) throw new Error('Internal error: a success without its checkpoint');
      emit({ type: 'subtask-finished', at: clock.now(), task: state.work.task.id, checkpoint, ...(log !== '' && { log }) });
    }
    this.#count(state, 'succeeded', count);
    if (state.onOver !== undefined) for (let i = 0; i < count; i++) state.onOver(first + i, 'done');
  }

  #keepResults({ work }: TaskState, first: number, outcome: Extract<SubtaskOutcome, { kind: 'success' }>): void {
    if (!work.keepResults) return;
    const { results } = this.#ports;
    const lines = Buffer.from(outcome.lines.buffer, outcome.lines.byteOffset, outcome.lines.byteLength);
    for (let i = 0; i < outcome.count; i++) {
      const text = lines.toString('utf8', outcome.results[2 * i], outcome.results[2 * i + 1]);
      // A list of results begins with null everywhere.
      if (text === 'null') continue;
      const value = JSON.parse(text) as JsonValue;
      if (work.itemAt === undefined) results.set(work.task.id, value);
      else results.setItem(work.task.id, first + i, value);
    }
  }

  #leaveOut(state: TaskState, index: number, agent: string | undefined, reason: string): void {
    const { task, wave } = state.work;
    this.#ports.emit({
      type: 'subtask-skipped',
      at: this.#ports.clock.now(),
      wave,
      task: task.id,
      subtask: nameOf(state, index),
      ...(agent !== undefined && { agent }),
      reason,
    });
    this.#count(state, 'leftOut');
    state.onOver?.(index, 'left-out');
  }

  #fail(active: ActiveChunk, index: number, key: string, outcome: ActionOutcome): void {
    const { state, chunk, retry } = active;
    const { control, clock, emit, failure: handling } = this.#ports;
    const { task, wave } = state.work;
    // A run that is stopping makes no further attempt: what is left open runs again when the run is resumed.
    if (control.state === 'aborting') return;
    const begun = retry?.begun ?? outcome.started;
    const failure = inTime(task, begun, clock.now(), failureIn(outcome));
    const failed = { ...outcome, failure };
    if (isForWantOfRoom(failure) && task.retries.never !== true && control.state === 'running') {
      this.#makeDo(active, index, begun, failure);
      return;
    }
    const delayMs = this.#retryDelayMs(active, failure, begun);
    const { agent, attempt } = chunk;
    if (delayMs === undefined) {
      const held = { key, outcome: failed, attempt, agent, begun };
      const pass = { index, position: this.#positionOf(state), item: state.work.itemAt?.(index), failure, before: retry?.before };
      const mayBeTried =
        handling?.failFast !== true && state.passes?.hasRoom === true && mayRepeat(task, failure, held, clock.now());
      if (mayBeTried) {
        state.passes?.add({ ...pass, held });
        emit({
          type: 'attempt-failed',
          at: clock.now(),
          wave,
          task: task.id,
          subtask: nameOf(state, index),
          agent,
          attempt,
          failure,
        });
        addDurations(state.tally, [outcome.durationMs]);
        return;
      }
      state.passes?.add(pass);
      addDurations(state.tally, [outcome.durationMs]);
      this.#failForGood(state, index, held, false);
      if (handling?.failFast === true)
        control.abort({ status: 'failed', reason: `${nameOf(state, index)} failed: ${failure.message}` });
      return;
    }
    if (control.state !== 'running') return;
    emit({
      type: 'subtask-retried',
      at: clock.now(),
      wave,
      task: task.id,
      subtask: nameOf(state, index),
      agent,
      attempt,
      delayMs,
      failure,
    });
    const cancel = clock.after(delayMs, () => {
      this.#timers.delete(cancel);
      this.#retries.push({ state, index, attempt: attempt + 1, begun, before: retry?.before });
      this.pump();
    });
    this.#timers.add(cancel);
  }

  /** The system starts no more processes: half the agents may do. The subtask never had its turn, so it is the same attempt. */
  #makeDo({ state, chunk, retry }: ActiveChunk, index: number, begun: number, failure: Failure): void {
    const { clock, emit, control } = this.#ports;
    const { task, wave } = state.work;
    const { agent, attempt } = chunk;
    emit({
      type: 'attempt-failed',
      at: clock.now(),
      wave,
      task: task.id,
      subtask: nameOf(state, index),
      agent,
      attempt,
      failure,
    });
    const from = this.#agents.size;
    this.#refusals += 1;
    if (from === 1 && this.#refusals > MOST_REFUSALS) {
      control.drain({ status: 'broken', reason: `nothing can be started any more: ${failure.message}` });
      return;
    }
    // Several are refused at once; only the first of them makes the agents fewer.
    if (from > 1 && clock.now() >= this.#noCutBefore) {
      this.#noCutBefore = clock.now() + ROOM_PATIENCE_MS;
      this.#cap = Math.floor(from / 2);
      this.#applySize();
      const reason = `no room for more: ${failure.message}`;
      emit({ type: 'agents-changed', at: clock.now(), wave, from, to: this.#agents.size, reason });
    }
    const cancel = clock.after(ROOM_PATIENCE_MS, () => {
      this.#timers.delete(cancel);
      this.#retries.push({ state, index, attempt, begun, before: retry?.before });
      this.pump();
    });
    this.#timers.add(cancel);
  }

  /** undefined where the task's own policy, or the time that is left, allows no further attempt. */
  #retryDelayMs({ state, chunk }: ActiveChunk, failure: Failure, begun: number): number | undefined {
    const { clock, random } = this.#ports;
    const { retries, subtaskTimeoutMs = Number.POSITIVE_INFINITY } = state.work.task;
    const backoffMs = retryDelayMs(retries, failure, chunk.attempt, random);
    if (backoffMs === undefined) return undefined;
    const delayMs = Math.max(backoffMs, failure.retryAfterMs ?? 0);
    if (clock.now() + delayMs - begun >= subtaskTimeoutMs) return undefined;
    return delayMs;
  }

  #failForGood(state: TaskState, index: number, { key, outcome, attempt, agent }: HeldFailure, late: boolean): void {
    const { clock, emit } = this.#ports;
    const { task, wave } = state.work;
    const checkpoint = failureCheckpoint(wave, nameOf(state, index), { key, attempt, agent }, outcome);
    const log = outcome.log === '' ? {} : { log: outcome.log };
    emit({ type: 'subtask-finished', at: clock.now(), task: task.id, checkpoint, ...log, ...(late && { late }) });
    this.#count(state, 'failed');
    state.onOver?.(index, 'failed');
  }

  /** The task's place in the list that its pass is diagnosed by. */
  #positionOf(state: TaskState): number {
    return this.#passes === undefined ? 0 : state.position;
  }

  /** Whether nothing is left of `left` subtasks but those that wait for the end of their pass. */
  #isPassOver(passes: FailurePasses, left: number): boolean {
    return passes.hasFailures && passes.held === left && this.#ports.control.state === 'running';
  }

  /** Answers the failures of a pass: some run again, the others have failed for good. */
  #endPass(passes: FailurePasses, states: readonly TaskState[]): void {
    const { clock, emit } = this.#ports;
    const wave = states[0]?.work.wave ?? 0;
    const ended = passes.endPass(wave, {
      tasks: states.map(({ work: { task, count, itemAt } }) => ({ id: task.id, subtasks: count, pool: task.pool?.pool, itemAt })),
      agents: this.#agents.size,
      mayRepeat: (failed) => failed.held !== undefined,
    });
    if (ended === undefined) return;
    const { assessment, runsAgain } = ended.verdict;
    emit({ type: 'failure-assessed', at: clock.now(), ...assessment });
    this.#capAgents(wave, assessment);
    if (this.#passes === undefined) this.#cappedFor = states[0];
    for (const failed of ended.failures) {
      const state = states[failed.position];
      const { held, index, failure } = failed;
      if (held === undefined || state === undefined) continue;
      if (!runsAgain(failed)) {
        this.#failForGood(state, index, held, true);
        continue;
      }
      const { attempt, agent, begun } = held;
      const { task } = state.work;
      const about = { at: clock.now(), wave, task: task.id, subtask: nameOf(state, index), agent, attempt };
      emit({ type: 'subtask-retried', ...about, delayMs: 0, failure, late: true });
      this.#retries.push({ state, index, attempt: attempt + 1, begun, before: failure });
    }
    for (const state of states) this.#afterCount(state);
    this.pump();
  }

  /** Fewer agents, for what runs again and for as long as it does. */
  #capAgents(wave: number, { response, diagnosis }: FailureAssessment): void {
    const cap = response.kind === 'reduce' || response.kind === 'sequential' ? response.agents : Number.POSITIVE_INFINITY;
    const from = this.#agents.size;
    this.#cap = Math.min(cap, this.#passes === undefined ? Number.POSITIVE_INFINITY : this.#cap);
    this.#applySize();
    const to = this.#agents.size;
    if (to === from) return;
    const reason = to < from ? `failures, ${diagnosis.kind}: the failed run again on fewer agents` : 'the failed have run again';
    this.#ports.emit({ type: 'agents-changed', at: this.#ports.clock.now(), wave, from, to, reason });
  }

  /** Tells of what an earlier part of the run finished, so much at a time that signals and timers get their turn. */
  #tellAllFinished(): void {
    let turn = FINISHED_AT_A_TIME;
    for (
      let state = this.#finished[0];
      state !== undefined && this.#ports.control.state === 'running';
      state = this.#finished[0]
    ) {
      const { work } = state;
      while (state.nextFinished < work.count && turn > 0) {
        const index = state.nextFinished++;
        if (work.finished?.has(index) !== true) continue;
        turn--;
        if (!this.#tellFinished(state, index)) state.queue.add(index, 1);
      }
      if (state.nextFinished < work.count) {
        this.#turnTimer ??= this.#ports.clock.after(0, () => {
          this.#turnTimer = undefined;
          this.pump();
        });
        return;
      }
      this.#finished.shift();
      this.#enqueue(state);
      this.#afterCount(state);
    }
  }

  /** false where the record can be read no more: the subtask runs after all. */
  #tellFinished(state: TaskState, index: number): boolean {
    const { work } = state;
    const { emit, clock, results } = this.#ports;
    const found = work.finished?.read(index);
    if (found === undefined) return false;
    const checkpoint = { ...found, wave: work.wave, task_id: nameOf(state, index) };
    const inPlace = found.wave === checkpoint.wave && found.task_id === checkpoint.task_id;
    const resumed = work.finished?.isOfEarlierRun(index) === true ? 'up-to-date' : inPlace ? 'as-is' : 'moved';
    const succeeded = checkpoint.status === 'success';
    if (succeeded && work.keepResults) {
      if (work.itemAt === undefined) results.set(work.task.id, checkpoint.results);
      else results.setItem(work.task.id, index, checkpoint.results);
    }
    emit({ type: 'subtask-finished', at: clock.now(), task: work.task.id, checkpoint, resumed });
    this.#count(state, succeeded ? 'succeeded' : 'failed');
    state.onOver?.(index, succeeded ? 'done' : 'failed');
    return true;
  }

  /** Tells of successes as a group. */
  #flushed(active: ActiveChunk): void {
    this.#tellSuccesses(active);
    this.#afterCount(active.state);
  }

  #tellSuccesses(active: ActiveChunk): void {
    const { state, chunk, lines, durationsMs } = active;
    if (lines.length === 0) return;
    active.lines = [];
    active.durationsMs = [];
    this.#ports.emit({
      type: 'subtasks-finished',
      at: this.#ports.clock.now(),
      wave: state.work.wave,
      task: state.work.task.id,
      agent: chunk.agent,
      count: durationsMs.length,
      lines,
      durationsMs,
    });
  }

  #ended(active: ActiveChunk): void {
    const { state, chunk, agent, handle, outcomes } = active;
    this.#flushed(active);
    this.#active.delete(chunk.id);
    if (chunk.count > 1) this.#shared -= 1;
    this.#agents.giveBack(agent);
    const { pool } = state.work.task;
    if (pool !== undefined) {
      this.#ports.pools?.giveBack(pool);
      this.#comeBack();
    }
    this.#lastEnds.set(agent, this.#ports.clock.now());
    const begun = handle?.reclaim() ?? 0;
    this.#putBack(active, begun, 'it was not begun');
    // Begun and without an outcome: cancelled, with the run that is ending.
    if (outcomes < begun && this.#ports.control.state === 'running')
      state.queue.putBack(chunk.first + outcomes, begun - outcomes);
    this.#enqueue(state);
    this.#ports.onAttemptEnded?.();
    this.pump();
  }

  /** What an agent did not begin waits again, before all others. */
  #putBack(active: ActiveChunk, begun: number, reason: string): void {
    const { chunk, state } = active;
    if (begun >= chunk.count || active.returned) return;
    active.returned = true;
    const first = chunk.first + begun;
    const count = chunk.count - begun;
    // A retry that was not begun is still that retry.
    if (active.retry !== undefined) this.#retries.unshift(active.retry);
    else state.queue.putBack(first, count);
    this.#enqueue(state);
    const { task, wave } = state.work;
    const { agent } = chunk;
    this.#ports.emit({
      type: 'subtasks-returned',
      at: this.#ports.clock.now(),
      wave,
      task: task.id,
      agent,
      first,
      count,
      reason,
    });
  }

  #lookLater(): void {
    if (this.#lookTimer !== undefined || this.#shared === 0) return;
    this.#lookTimer = this.#ports.clock.after(LOOK_MS, () => {
      this.#lookTimer = undefined;
      this.#takeOver();
      this.pump();
    });
  }

  /** A subtask that takes long does not hold the rest of its chunk back, and idle agents do not watch others work. */
  #takeOver(): void {
    const now = this.#ports.clock.now();
    const idle = this.#agents.hasIdle && this.#retries.length === 0 && this.#nextReady() === undefined;
    for (const active of this.#active.values()) {
      const { chunk, handle, state } = active;
      if (handle === undefined || chunk.count - handle.claimed < 1) continue;
      const sinceMs = handle.startedAt === 0 ? 0 : now - handle.startedAt;
      const stuck = sinceMs > Math.max(STUCK_MS, STUCK_TIMES * (state.size.meanMs ?? 0));
      if (stuck) this.#putBack(active, handle.reclaim(), `a subtask before it takes ${Math.round(sinceMs)} ms`);
      else if (idle) this.#putBack(active, handle.reclaim(), 'other agents are idle');
    }
  }

  #count(state: TaskState, kind: 'succeeded' | 'failed' | 'leftOut', subtasks = 1): void {
    state.tally[kind] += subtasks;
    state.left -= subtasks;
    this.#unfinished -= subtasks;
  }

  #afterCount(state: TaskState): void {
    const { passes } = state;
    if (this.#passes === undefined && passes !== undefined && this.#isPassOver(passes, state.left)) {
      this.#endPass(passes, [state]);
      return;
    }
    if (state.left > 0 || state.over) return;
    // Outcomes of several chunks come at once: those of the others are told before the task is over.
    for (const active of this.#active.values()) if (active.state === state) this.#tellSuccesses(active);
    state.over = true;
    if (this.#cappedFor === state) {
      this.#cappedFor = undefined;
      this.#cap = Number.POSITIVE_INFINITY;
      this.#applySize();
    }
    this.#ports.onTaskOver?.(state.position);
  }
}

/** Whether a failed subtask may be tried again when its pass is over. */
function mayRepeat(
  { retries, subtaskTimeoutMs }: TaskDefinition,
  failure: Failure,
  { begun }: HeldFailure,
  now: number,
): boolean {
  if (retries.never === true || !isWorthRepeating(retries, failure)) return false;
  return subtaskTimeoutMs === undefined || now - begun < subtaskTimeoutMs;
}

/** What is left of a subtask's time for an attempt, where that is less than an attempt's own. */
function timeLeft({ timeoutMs, subtaskTimeoutMs }: TaskDefinition, begun: number, now: number): { readonly timeoutMs?: number } {
  if (subtaskTimeoutMs === undefined) return {};
  const left = Math.max(1, Math.ceil(begun + subtaskTimeoutMs - now));
  return { timeoutMs: shortest(timeoutMs, left) ?? left };
}

function shortest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}

/** A time-out, in the words of the bound that was reached. */
function inTime({ subtaskTimeoutMs }: TaskDefinition, begun: number, now: number, failure: Failure): Failure {
  if (failure.kind !== 'timeout' || subtaskTimeoutMs === undefined || now - begun < subtaskTimeoutMs) return failure;
  return { ...failure, message: `timed out: all attempts together took ${subtaskTimeoutMs} ms` };
}

/** An agent's name, counted from 1 as people count. */
export function agentName(agent: number): string {
  return `agent_${agent + 1}`;
}

/** The record of a subtask that failed. */
export function failureCheckpoint(
  wave: number,
  subtask: string,
  { key, attempt, agent }: { readonly key: string; readonly attempt: number; readonly agent: string },
  outcome: Omit<ActionOutcome, 'leaked' | 'log'>,
): Checkpoint {
  const failure: Failure | undefined = outcome.failure;
  return {
    wave,
    task_id: subtask,
    status: 'failure',
    results: outcome.results,
    timestamp: isoTime(outcome.started + outcome.durationMs),
    agent_id: agent,
    key,
    attempt,
    started: toMicroseconds(outcome.started),
    duration_ms: toMicroseconds(outcome.durationMs),
    ...(failure === undefined ? {} : { error: failure }),
  };
}

function nameOf({ work }: TaskState, index: number): string {
  return subtaskId(work.task.id, work.itemAt === undefined ? undefined : index);
}

function chunkOf(
  { program, work }: TaskState,
  range: {
    readonly id: number;
    readonly agent: string;
    readonly first: number;
    readonly count: number;
    readonly attempt: number;
    readonly timeoutMs?: number;
  },
): Chunk {
  const { first, count } = range;
  const indexes = Array.from({ length: count }, (_, position) => first + position);
  const { itemAt, previousAt, occurrences } = work;
  const repeated =
    occurrences.size === 0
      ? []
      : indexes.flatMap((index, position) => {
          const before = occurrences.get(index);
          return before === undefined ? [] : [[position, before] as const];
        });
  return {
    ...range,
    program,
    items: itemAt === undefined ? undefined : indexes.map(itemAt),
    ...(previousAt !== undefined && { previous: indexes.map(previousAt) }),
    ...(repeated.length > 0 && { occurrences: Object.fromEntries(repeated) }),
  };
}
