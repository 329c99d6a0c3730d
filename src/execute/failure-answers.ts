import type { FailedAttempt } from '../actions/action.js';
import type { Failure } from '../model/failure.js';
import type { FailureAssessment } from '../model/failure-assessment.js';
import type { TaskDefinition } from '../plan/valid-plan.js';
import type { ActiveChunk } from './active-chunks.js';
import type { AgentSupply } from './agent-supply.js';
import type { DispatcherPorts } from './dispatcher-ports.js';
import { FailurePasses, type HeldFailure } from './failure-passes.js';
import { isForWantOfRoom } from './no-room.js';
import { isWorthRepeating, retryDelayMs } from './retry.js';
import { RoomShortage } from './room-shortage.js';
import type { SubtaskEnds } from './subtask-ends.js';
import { hasTime, inTime } from './subtask-time.js';
import { nameOf, type TaskState } from './task-state.js';
import { addDurations } from './task-work.js';
import type { WaitingWork } from './waiting-work.js';

/** What answering failures works with. */
interface FailurePorts extends Pick<DispatcherPorts, 'clock' | 'emit' | 'control' | 'random' | 'failure' | 'passOf'> {
  readonly agents: AgentSupply;
  readonly waiting: WaitingWork;
  readonly ends: SubtaskEnds;
}

/**
 * What follows from a failed attempt.
 *
 *   failed ──for want of room──▶ waits, with fewer agents, for the same attempt
 *     │ ├────its task retries──▶ waits for the next attempt
 *     │ └────another attempt could end otherwise──▶ held until its pass is over ──assessed──▶ runs again, or
 *     └──────────────────────────────────────────────────────────────────────────────────────▶ over
 */
export class FailureAnswers {
  readonly #ports: FailurePorts;
  readonly #room: RoomShortage;
  /** Of the wave; undefined where each task has passes of its own, or none has any. */
  readonly #wavePasses: FailurePasses | undefined;
  /** For whose failures there is a cap on the agents, where each task has passes of its own. */
  #cappedFor: TaskState | undefined;

  constructor(ports: FailurePorts) {
    this.#ports = ports;
    this.#room = new RoomShortage(ports);
    if (ports.failure !== undefined && ports.passOf !== 'task') this.#wavePasses = new FailurePasses(ports.failure);
  }

  /** The passes that a new task's failures belong to. */
  passesOfNewTask(): FailurePasses | undefined {
    const { failure } = this.#ports;
    return this.#wavePasses ?? (failure && new FailurePasses(failure));
  }

  /** What the failure policy set apart in all. */
  isolated(states: readonly TaskState[]): { readonly subtasks: number; readonly failed: number } {
    const passes = this.#wavePasses === undefined ? states.flatMap((state) => state.passes ?? []) : [this.#wavePasses];
    return {
      subtasks: passes.reduce((sum, { isolated }) => sum + isolated.subtasks, 0),
      failed: passes.reduce((sum, { isolated }) => sum + isolated.failed, 0),
    };
  }

  /** Something succeeded, so the system does start things. */
  succeeded(): void {
    this.#room.over();
  }

  /** An attempt at the subtask at `index` failed. */
  answer(active: ActiveChunk, index: number, key: string, outcome: FailedAttempt): void {
    const { state, chunk, retry } = active;
    const { control, clock, emit, waiting } = this.#ports;
    const { task, wave } = state.work;
    const { agent, attempt } = chunk;
    const begun = retry?.begun ?? outcome.started;
    if (control.state === 'aborting') {
      // A run that is stopping makes no further attempt. What it ended has its record, and runs again when the run is resumed.
      if (outcome.failure.kind === 'cancelled') this.#ports.ends.cancel(state, index, { key, outcome, attempt, agent, begun });
      return;
    }
    const before = retry?.before;
    const failure = inTime(task, begun, clock.now(), outcome.failure);
    if (isForWantOfRoom(failure) && control.state === 'running') {
      this.#room.makeDo(wave, failure);
      // A start that failed is no attempt. A command that ran out of room in the middle has had one.
      if (failure.kind === 'spawn' || task.retries.never !== true) {
        this.#tellAttempt(active, index, failure);
        this.#room.startAgain({ state, index, attempt, begun, before }, failure);
        return;
      }
    }
    const failed = { ...outcome, failure };
    const delayMs = this.#retryDelayMs(active, failed, begun);
    if (delayMs === undefined) {
      this.#holdOrEnd(active, index, { key, outcome: failed, attempt, agent, begun });
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
    waiting.retryAfter(delayMs, { state, index, attempt: attempt + 1, begun, before });
  }

  /** Whether nothing is left of the wave's `left` subtasks but those that wait for the end of their pass. */
  isWavePassOver(left: number): boolean {
    return this.#wavePasses !== undefined && this.#isPassOver(this.#wavePasses, left);
  }

  /** The same of a task, where each has passes of its own. */
  isTaskPassOver({ passes, left }: TaskState): boolean {
    return this.#wavePasses === undefined && passes !== undefined && this.#isPassOver(passes, left);
  }

  /** Answers the failures of the pass of these tasks: some run again, the others have failed for good. false where it has none. */
  endPass(states: readonly TaskState[]): boolean {
    const { clock, emit, agents, ends, waiting } = this.#ports;
    const wave = states[0]?.work.wave ?? 0;
    const ended = (this.#wavePasses ?? states[0]?.passes)?.endPass(wave, {
      tasks: states.map(({ work: { task, count, itemAt } }) => ({ id: task.id, subtasks: count, pool: task.pool?.pool, itemAt })),
      agents: agents.size,
      mayRepeat: (failed) => failed.held !== undefined,
    });
    if (ended === undefined) return false;
    const { assessment, runsAgain } = ended.verdict;
    emit({ type: 'failure-assessed', at: clock.now(), ...assessment });
    this.#capAgents(wave, assessment);
    if (this.#wavePasses === undefined) this.#cappedFor = states[0];
    for (const failed of ended.failures) {
      const state = states[failed.position];
      const { held, index, failure } = failed;
      if (held === undefined || state === undefined) continue;
      if (!runsAgain(failed)) {
        ends.fail(state, index, held, true);
        continue;
      }
      const { attempt, agent, begun } = held;
      const { task } = state.work;
      const about = { at: clock.now(), wave, task: task.id, subtask: nameOf(state, index), agent, attempt };
      emit({ type: 'subtask-retried', ...about, delayMs: 0, failure, late: true });
      waiting.retry({ state, index, attempt: attempt + 1, begun, before: failure });
    }
    return true;
  }

  /** All subtasks of a task are over: the agents that were held back for it are there again. */
  taskOver(state: TaskState): void {
    if (this.#cappedFor !== state) return;
    this.#cappedFor = undefined;
    this.#ports.agents.capAt(Number.POSITIVE_INFINITY);
  }

  /** For a failure that its task does not try again: held where its pass may, else over. */
  #holdOrEnd(active: ActiveChunk, index: number, held: HeldFailure): void {
    const { state, retry } = active;
    const { control, clock, ends, failure: handling } = this.#ports;
    const { task, itemAt } = state.work;
    const { durationMs, failure } = held.outcome;
    // The task's place in the list that its pass is diagnosed by.
    const position = this.#wavePasses === undefined ? 0 : state.position;
    const pass = { index, position, item: itemAt?.(index), failure, before: retry?.before };
    const mayBeTried = handling?.failFast !== true && state.passes?.hasRoom === true && mayRepeat(task, held, clock.now());
    if (mayBeTried) {
      state.passes?.add({ ...pass, held });
      this.#tellAttempt(active, index, failure);
      addDurations(state.tally, [durationMs]);
      return;
    }
    state.passes?.add(pass);
    addDurations(state.tally, [durationMs]);
    ends.fail(state, index, held, false);
    if (handling?.failFast === true)
      control.abort({ status: 'failed', reason: `${nameOf(state, index)} failed: ${failure.message}` });
  }

  /** Tells of a failed attempt after which it is open how its subtask ends. */
  #tellAttempt({ state, chunk: { agent, attempt } }: ActiveChunk, index: number, failure: Failure): void {
    const { clock, emit } = this.#ports;
    const { task, wave } = state.work;
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
  }

  /** undefined where the task's own policy, or the time that is left, allows no further attempt. */
  #retryDelayMs({ state, chunk }: ActiveChunk, failed: FailedAttempt, begun: number): number | undefined {
    const { clock, random } = this.#ports;
    const { task } = state.work;
    const backoffMs = retryDelayMs(task.retries, failed, chunk.attempt, random);
    if (backoffMs === undefined) return undefined;
    const delayMs = Math.max(backoffMs, failed.failure.retryAfterMs ?? 0);
    return hasTime(task, begun, clock.now() + delayMs) ? delayMs : undefined;
  }

  #isPassOver(passes: FailurePasses, left: number): boolean {
    return passes.hasFailures && passes.held === left && this.#ports.control.state === 'running';
  }

  /** Fewer agents, for what runs again and for as long as it does. */
  #capAgents(wave: number, { response, diagnosis }: FailureAssessment): void {
    const { clock, emit, agents } = this.#ports;
    const cap = response.kind === 'reduce' || response.kind === 'sequential' ? response.agents : Number.POSITIVE_INFINITY;
    const from = agents.size;
    agents.capAt(Math.min(cap, this.#wavePasses === undefined ? Number.POSITIVE_INFINITY : agents.cap));
    const to = agents.size;
    if (to === from) return;
    const reason = to < from ? `failures, ${diagnosis.kind}: the failed run again on fewer agents` : 'the failed have run again';
    emit({ type: 'agents-changed', at: clock.now(), wave, from, to, reason });
  }
}

/** Whether a failed subtask may be tried again when its pass is over. */
function mayRepeat(task: TaskDefinition, { outcome, begun }: HeldFailure, now: number): boolean {
  return task.retries.never !== true && isWorthRepeating(task.retries, outcome) && hasTime(task, begun, now);
}
