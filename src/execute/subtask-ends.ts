import { parseCheckpoints } from '../model/checkpoint.js';
import { type JsonValue, ownJson } from '../model/json.js';
import { type SkipCause, skipReason } from '../model/skip.js';
import type { SubtaskOutcome } from '../worker/chunk.js';
import type { ActiveChunk } from './active-chunks.js';
import type { DispatcherPorts } from './dispatcher-ports.js';
import { failureCheckpoint } from './failure-checkpoint.js';
import type { HeldFailure } from './failure-passes.js';
import { nameOf, type TaskState } from './task-state.js';
import { addDurations } from './task-work.js';

type Success = Extract<SubtaskOutcome, { kind: 'success' }>;

/**
 * The ways in which a subtask is over. Each is told as an event, is counted, and is passed on to what waits for the task's
 * subtasks one by one.
 */
export class SubtaskEnds {
  readonly #ports: Pick<DispatcherPorts, 'clock' | 'emit' | 'results'>;
  #unfinished = 0;
  #finished = 0;
  /** Lines of records. */
  #takenOver: string[] = [];

  constructor(ports: Pick<DispatcherPorts, 'clock' | 'emit' | 'results'>) {
    this.#ports = ports;
  }

  /** Subtasks that are not over yet. */
  get unfinished(): number {
    return this.#unfinished;
  }

  /** Subtasks that succeeded or failed. */
  get finished(): number {
    return this.#finished;
  }

  /** So many more subtasks are to end. */
  expect(subtasks: number): void {
    this.#unfinished += subtasks;
  }

  /** Subtasks in a row succeeded, from index `first` on. Those of fan-outs are told as a group, by `tellSuccesses`. */
  succeed(active: ActiveChunk, first: number, outcome: Success): void {
    const { state, chunk } = active;
    const { count, lines, durationsMs, log } = outcome;
    this.#keepResults(state, first, outcome);
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

  /** Tells of a chunk's successes that were not told yet. */
  tellSuccesses(active: ActiveChunk): void {
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

  /** A subtask does not run. `agent` is who found that; undefined where none had to. */
  leaveOut(state: TaskState, index: number, agent: string | undefined, skip: SkipCause): void {
    const { task, wave } = state.work;
    this.#ports.emit({
      type: 'subtask-skipped',
      at: this.#ports.clock.now(),
      wave,
      task: task.id,
      subtask: nameOf(state, index),
      ...(agent !== undefined && { agent }),
      skip,
      reason: skipReason(skip),
    });
    this.#count(state, 'leftOut');
    state.onOver?.(index, 'left-out');
  }

  /** A subtask failed for good. `late`: at the end of its pass, and not when it failed. */
  fail(state: TaskState, index: number, { key, outcome, attempt, agent }: HeldFailure, late: boolean): void {
    const { clock, emit } = this.#ports;
    const { task, wave } = state.work;
    const checkpoint = failureCheckpoint(wave, nameOf(state, index), { key, attempt, agent }, outcome);
    const log = outcome.log === '' ? {} : { log: outcome.log };
    emit({ type: 'subtask-finished', at: clock.now(), task: task.id, checkpoint, ...log, ...(late && { late }) });
    this.#count(state, 'failed');
    state.onOver?.(index, 'failed');
  }

  /** A subtask was ended with its run. It stays unfinished. */
  cancel(state: TaskState, index: number, { key, outcome, attempt, agent }: HeldFailure): void {
    const { clock, emit } = this.#ports;
    const { task, wave } = state.work;
    const checkpoint = failureCheckpoint(wave, nameOf(state, index), { key, attempt, agent }, outcome);
    emit({
      type: 'subtask-cancelled',
      at: clock.now(),
      task: task.id,
      checkpoint,
      ...(outcome.log !== '' && { log: outcome.log }),
    });
  }

  /** A subtask of a fan-out is up to date, and its record of then will do; told as a group, by `tellUpToDate`. */
  takeOver(state: TaskState, index: number): boolean {
    const { work } = state;
    const line = work.itemAt === undefined ? undefined : work.finished?.line(index);
    // Else its place in the list, or its wave, is another one now.
    const begin = `{"wave":${work.wave},"task_id":"${nameOf(state, index)}","status":"success",`;
    if (line?.startsWith(begin) !== true) return false;
    if (work.keepResults) {
      const [checkpoint] = parseCheckpoints([Buffer.from(line)]);
      if (checkpoint !== undefined && checkpoint.results !== null)
        this.#ports.results.setItem(work.task.id, index, checkpoint.results);
    }
    this.#takenOver.push(line);
    this.#count(state, 'succeeded');
    state.onOver?.(index, 'done');
    return true;
  }

  /** Tells of what was taken over since. */
  tellUpToDate({ work }: TaskState): void {
    const count = this.#takenOver.length;
    if (count === 0) return;
    const lines = [Buffer.from(this.#takenOver.join(''))];
    this.#takenOver = [];
    const { emit, clock } = this.#ports;
    emit({ type: 'subtasks-up-to-date', at: clock.now(), wave: work.wave, task: work.task.id, count, lines });
  }

  /** A subtask ended in an earlier part of the run, or is up to date. false where its record can be read no more: it runs after all. */
  resume(state: TaskState, index: number): boolean {
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

  #keepResults({ work }: TaskState, first: number, outcome: Success): void {
    if (!work.keepResults) return;
    const { results } = this.#ports;
    const lines = Buffer.from(outcome.lines.buffer, outcome.lines.byteOffset, outcome.lines.byteLength);
    for (let i = 0; i < outcome.count; i++) {
      const text = lines.toString('utf8', outcome.results[2 * i], outcome.results[2 * i + 1]);
      // A list of results begins with null everywhere.
      if (text === 'null') continue;
      const value = ownJson(text) as JsonValue;
      if (work.itemAt === undefined) results.set(work.task.id, value);
      else results.setItem(work.task.id, first + i, value);
    }
  }

  #count(state: TaskState, kind: 'succeeded' | 'failed' | 'leftOut', subtasks = 1): void {
    state.tally[kind] += subtasks;
    state.left -= subtasks;
    this.#unfinished -= subtasks;
    if (kind !== 'leftOut') this.#finished += subtasks;
  }
}
