import type { SkipCause } from '../model/skip.js';
import type { SubtaskOutcome } from '../worker/chunk.js';
import { type ActiveChunk, ActiveChunks } from './active-chunks.js';
import { AgentSupply } from './agent-supply.js';
import type { DispatcherPorts } from './dispatcher-ports.js';
import { EarlierPart } from './earlier-part.js';
import { FailureAnswers } from './failure-answers.js';
import { agentName, makeChunk } from './make-chunk.js';
import type { Turn } from './pool-line.js';
import { SubtaskEnds } from './subtask-ends.js';
import { timeLeft } from './subtask-time.js';
import { nameOf, newTaskState, type TaskState } from './task-state.js';
import type { SubtaskOver, TaskTally, TaskWork } from './task-work.js';
import { WaitingWork } from './waiting-work.js';

/**
 * Hands the subtasks of tasks out to agents, in chunks, until all are over.
 *
 * A subtask waits, is with an agent, waits for its next attempt, or is over. Every change ends in `pump`,
 * which gives waiting work to idle agents until one of them runs out. What waits is a range of indexes,
 * not a list: a million subtasks cost nothing until they start.
 *
 *   waiting --chunk--> with an agent --outcome--> over
 *      ^                 |        \--failure, may be tried again--> waiting for its time --> with an agent (alone)
 *      \--taken back-----/
 *
 * The parts: `WaitingWork` knows what may start next, `ActiveChunks` what agents have and what is to be taken back from them,
 * `SubtaskEnds` tells and counts what is over, `FailureAnswers` decides what follows from a failure, and `EarlierPart` tells of
 * what needs no agent any more.
 */
export class Dispatcher {
  readonly #ports: DispatcherPorts;
  readonly #agents: AgentSupply;
  readonly #waiting: WaitingWork;
  readonly #active: ActiveChunks;
  readonly #ends: SubtaskEnds;
  readonly #failures: FailureAnswers;
  readonly #earlier: EarlierPart;
  readonly #states: TaskState[] = [];
  /** Of the tasks, in the order in which they were added. */
  readonly tallies: TaskTally[] = [];
  /** When each agent last gave its work back, in milliseconds since the epoch. */
  readonly #lastEnds = new Map<number, number>();
  /** When each agent's first subtask began, in milliseconds since the epoch. */
  readonly #firstBegins = new Map<number, number>();
  #resolve: () => void = () => {};

  constructor(agents: number, ports: DispatcherPorts) {
    const { clock, control, emit } = ports;
    const pump = () => this.pump();
    this.#ports = ports;
    this.#agents = new AgentSupply(agents);
    this.#waiting = new WaitingWork(ports, pump);
    this.#ends = new SubtaskEnds(ports);
    const parts = { agents: this.#agents, waiting: this.#waiting, ends: this.#ends };
    this.#active = new ActiveChunks({ ...parts, clock, emit, onLooked: pump });
    this.#failures = new FailureAnswers({ ...ports, ...parts });
    this.#earlier = new EarlierPart({ ...parts, clock, control, onTold: (state) => this.#afterCount(state), onTurn: pump });
  }

  /** Adds a task; its position is the number of tasks before it. One without subtasks is over at once, and nobody is told. */
  add(work: TaskWork, onOver?: SubtaskOver): number {
    const { count, finished, only } = work;
    const position = this.#states.length;
    const state = newTaskState(work, { position, onOver, passes: this.#failures.passesOfNewTask() }, this.#ports);
    this.#states.push(state);
    this.tallies.push(state.tally);
    this.#ends.expect(only?.length ?? count);
    if (work.oneByOne === true) return position;
    if (only !== undefined) for (const index of only) state.queue.add(index, 1);
    else if (finished === undefined) state.queue.add(0, count);
    else {
      this.#earlier.add(state);
      for (let index = 0; index < count; index++) if (!finished.has(index)) state.queue.add(index, 1);
    }
    this.#waiting.enqueue(state);
    return position;
  }

  /** A subtask of a task that goes one by one may start. `pump` must follow. */
  ready(position: number, index: number): void {
    const state = this.#states[position];
    if (state === undefined) return;
    if (state.work.finished?.has(index) === true && this.#ends.resume(state, index)) {
      this.#afterCount(state);
      return;
    }
    state.queue.add(index, 1);
    this.#waiting.enqueue(state);
  }

  /** A subtask of a task that goes one by one will never start. */
  skip(position: number, index: number, skip: SkipCause): void {
    const state = this.#states[position];
    if (state === undefined) return;
    this.#ends.leaveOut(state, index, undefined, skip);
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
    for (const part of [this.#waiting, this.#active, this.#earlier]) part.stop();
    return { complete: this.unfinished === 0 };
  }

  /** How many agents there may be from now on. The executor must have made room for them. */
  resize(agents: number): void {
    this.#agents.resize(agents);
    this.pump();
  }

  /** For how many agents the executor has room. */
  roomFor(agents: number): void {
    this.#agents.roomFor(agents);
    this.pump();
  }

  /** What the failure policy set apart in all. */
  get isolated(): { readonly subtasks: number; readonly failed: number } {
    return this.#failures.isolated(this.#states);
  }

  get agents(): number {
    return this.#agents.size;
  }

  /** Subtasks that are not over yet. */
  get unfinished(): number {
    return this.#ends.unfinished;
  }

  /** Subtasks that succeeded or failed. */
  get finished(): number {
    return this.#ends.finished;
  }

  /** The tasks that agents work at now, by position, and when the subtask began that has run longest: milliseconds since the epoch. */
  running(): ReadonlyMap<number, number> {
    const begun = new Map<number, number>();
    for (const { state, handle } of this.#active.all()) {
      if (handle === undefined || handle.startedAt === 0) continue;
      begun.set(state.position, Math.min(handle.startedAt, begun.get(state.position) ?? handle.startedAt));
    }
    return begun;
  }

  /** Agent seconds between each agent's last work and `end`, the wave's barrier. An agent without work waited all the time. */
  idleSeconds(begun: number, end: number): number {
    let idle = 0;
    for (let agent = 0; agent < this.#agents.size; agent++) idle += end - (this.#lastEnds.get(agent) ?? begun);
    return idle / 1000;
  }

  /** Agent seconds between `begun`, when the wave began, and each agent's first subtask. */
  leadSeconds(begun: number): number {
    let lead = 0;
    for (const began of this.#firstBegins.values()) lead += Math.max(0, began - begun);
    return lead / 1000;
  }

  /** From `begun`, when the wave began, until the first subtask did, in seconds. */
  firstBeginSeconds(begun: number): number {
    let first = Number.POSITIVE_INFINITY;
    for (const began of this.#firstBegins.values()) first = Math.min(first, began);
    return this.#firstBegins.size === 0 ? 0 : Math.max(0, first - begun) / 1000;
  }

  #onControl(): void {
    const aborting = this.#ports.control.state === 'aborting';
    for (const { handle } of [...this.#active.all()]) {
      if (aborting) handle?.cancel();
      else handle?.reclaim();
    }
    this.pump();
  }

  /** Gives waiting work to idle agents. */
  pump(): void {
    if (!this.#waiting.mustWaitForRecords()) this.#earlier.tell();
    while (this.#ports.control.state === 'running' && this.#agents.hasIdle) {
      if (this.#waiting.mustWaitForRecords() || this.#waiting.mustWaitForPace()) break;
      const turn = this.#waiting.next();
      if (turn === undefined) {
        if (this.#active.takeOverNow()) continue;
        break;
      }
      const { state, retry } = turn;
      if (retry !== undefined) {
        this.#start(turn, retry.index, 1);
        continue;
      }
      const most = this.#waiting.goesOneByOne(state) ? 1 : state.size.next(state.queue.waiting, this.#agents.size);
      const range = state.queue.take(most);
      if (range !== undefined) this.#start(turn, range.first, range.count);
    }
    this.#active.makeWay();
    this.#active.lookLater();
    if (this.#failures.isWavePassOver(this.unfinished)) this.#endPass(this.#states);
    const stopped = this.#ports.control.state !== 'running';
    if (this.#active.size === 0 && (stopped || this.unfinished === 0)) this.#resolve();
  }

  #start(turn: Turn, first: number, count: number): void {
    const { state, retry } = turn;
    const { executor, clock, control, emit, nextId, results } = this.#ports;
    const attempt = retry?.attempt ?? 1;
    const agent = this.#agents.take();
    if (agent === undefined) throw new Error('Internal error: no agent is idle');
    const chunk = makeChunk(state, {
      id: nextId(),
      agent: agentName(agent),
      first,
      count,
      attempt,
      ...(retry && timeLeft(state.work.task, retry.begun, clock.now())),
    });
    const active = this.#active.add(chunk, state, agent, retry);
    this.#waiting.started(turn);
    const { task, wave } = state.work;
    const about = { at: clock.now(), wave, task: task.id, agent: chunk.agent };
    if (count > 1) emit({ type: 'subtasks-started', ...about, first, count });
    else emit({ type: 'subtask-started', ...about, subtask: nameOf(state, first), attempt });
    active.handle = executor.run(chunk, agent, {
      outcome: (outcome) => this.#settle(active, outcome),
      flushed: () => this.#flushed(active),
      ended: (reason) => this.#ended(active, reason),
      readResults: (name) => (state.work.readable.has(name) ? (results.get(name) ?? null) : undefined),
    });
    // Whoever was just told of the start may have answered with an abort, before there was anything to cancel.
    if (control.state === 'aborting') active.handle.cancel();
  }

  /** A chunk tells when the last of its subtasks began; of one with more than one, the first outcome tells how long ago the first did. */
  #noteBegin({ agent, chunk, handle }: ActiveChunk, outcome: SubtaskOutcome): void {
    const busyMs = outcome.kind === 'success' ? outcome.durationsMs.reduce((sum, ms) => sum + ms, 0) : 0;
    const began = chunk.count === 1 && handle !== undefined ? handle.startedAt : this.#ports.clock.now() - busyMs;
    this.#firstBegins.set(agent, began);
  }

  #settle(active: ActiveChunk, outcome: SubtaskOutcome): void {
    const { state, chunk } = active;
    if (!this.#firstBegins.has(active.agent)) this.#noteBegin(active, outcome);
    const index = chunk.first + outcome.position;
    active.outcomes += outcome.kind === 'success' ? outcome.count : 1;
    switch (outcome.kind) {
      case 'success':
        this.#failures.succeeded();
        this.#ends.succeed(active, index, outcome);
        return;
      case 'left-out':
        this.#ends.leaveOut(state, index, chunk.agent, { cause: 'if', condition: state.work.task.if ?? '' });
        return;
      case 'failure':
        this.#failures.answer(active, index, outcome.key, outcome.outcome);
        return;
    }
  }

  /** All outcomes that there are for now have come. */
  #flushed(active: ActiveChunk): void {
    this.#ends.tellSuccesses(active);
    this.#afterCount(active.state);
  }

  #ended(active: ActiveChunk, reason = 'it was not begun'): void {
    const { state, chunk, agent, handle, outcomes } = active;
    this.#flushed(active);
    this.#active.delete(active);
    this.#agents.giveBack(agent);
    this.#waiting.ended(state);
    this.#lastEnds.set(agent, this.#ports.clock.now());
    const begun = handle?.reclaim() ?? 0;
    this.#active.putBack(active, begun, reason);
    // Begun and without an outcome: cancelled, with the run that is ending.
    if (outcomes < begun && this.#ports.control.state === 'running')
      state.queue.putBack(chunk.first + outcomes, begun - outcomes);
    this.#waiting.enqueue(state);
    this.#ports.onAttemptEnded?.(state.position);
    this.pump();
  }

  /** What follows when a task's counts have changed: the end of its pass, or of the task. */
  #afterCount(state: TaskState): void {
    if (this.#failures.isTaskPassOver(state)) {
      this.#endPass([state]);
      return;
    }
    if (state.left > 0 || state.over) return;
    // Outcomes of several chunks come at once: those of the others are told before the task is over.
    for (const active of this.#active.all()) if (active.state === state) this.#ends.tellSuccesses(active);
    state.over = true;
    this.#failures.taskOver(state);
    this.#ports.onTaskOver?.(state.position);
  }

  #endPass(states: readonly TaskState[]): void {
    if (!this.#failures.endPass(states)) return;
    for (const state of states) this.#afterCount(state);
    this.pump();
  }
}
