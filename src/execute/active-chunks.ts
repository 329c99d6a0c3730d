import { untilTick } from '../model/clock.js';
import type { Chunk } from '../worker/chunk.js';
import type { AgentSupply } from './agent-supply.js';
import type { DispatcherPorts } from './dispatcher-ports.js';
import type { ChunkHandle } from './executor.js';
import type { Retry, TaskState } from './task-state.js';
import type { WaitingWork } from './waiting-work.js';

/** How often chunks are looked at for a subtask that holds the others back. */
const LOOK_MS = 50;
/** A subtask that takes this long, and this many times the mean, does not keep the rest of its chunk. */
const STUCK_MS = 100;
const STUCK_TIMES = 4;

/** A chunk that an agent has. */
export interface ActiveChunk {
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
  /** What was not begun is to be given back, and may have been by now. */
  asked: boolean;
  /** What was not begun was taken back. */
  returned: boolean;
}

/** What the watch over chunks works with. */
interface WatchPorts extends Pick<DispatcherPorts, 'clock' | 'emit'> {
  readonly agents: AgentSupply;
  readonly waiting: WaitingWork;
  /** Told after each look. */
  readonly onLooked: () => void;
}

/**
 * The chunks that agents have, and the watch over them: what an agent did not begin is taken back where a subtask before it
 * takes long, or where other agents are idle, and waits again.
 */
export class ActiveChunks {
  readonly #ports: WatchPorts;
  readonly #chunks = new Map<number, ActiveChunk>();
  /** Those of more than one subtask. */
  #shared = 0;
  #lookTimer: (() => void) | undefined;

  constructor(ports: WatchPorts) {
    this.#ports = ports;
  }

  get size(): number {
    return this.#chunks.size;
  }

  all(): IterableIterator<ActiveChunk> {
    return this.#chunks.values();
  }

  /** An agent gets a chunk; its handle is still to be set. */
  add(chunk: Chunk, state: TaskState, agent: number, retry: Retry | undefined): ActiveChunk {
    const active: ActiveChunk = {
      chunk,
      state,
      agent,
      retry,
      handle: undefined,
      outcomes: 0,
      lines: [],
      durationsMs: [],
      asked: false,
      returned: false,
    };
    this.#chunks.set(chunk.id, active);
    if (chunk.count > 1) this.#shared += 1;
    return active;
  }

  delete({ chunk }: ActiveChunk): void {
    this.#chunks.delete(chunk.id);
    if (chunk.count > 1) this.#shared -= 1;
  }

  /** What an agent did not begin waits again, before all others. */
  putBack(active: ActiveChunk, begun: number, reason: string): void {
    const { clock, emit, waiting } = this.#ports;
    const { chunk, state } = active;
    if (begun >= chunk.count || active.returned) return;
    active.returned = true;
    const first = chunk.first + begun;
    const count = chunk.count - begun;
    // A retry that was not begun is still that retry.
    if (active.retry !== undefined) waiting.putBack(active.retry);
    else state.queue.putBack(first, count);
    waiting.enqueue(state);
    const { task, wave } = state.work;
    const { agent } = chunk;
    emit({ type: 'subtasks-returned', at: clock.now(), wave, task: task.id, agent, first, count, reason });
  }

  /** Looks at the chunks in a while, if there is something that others could take over. */
  lookLater(): void {
    if (this.#lookTimer !== undefined || this.#shared === 0) return;
    const { clock } = this.#ports;
    this.#lookTimer = clock.after(untilTick(clock.now(), LOOK_MS), () => {
      this.#lookTimer = undefined;
      this.#takeOver();
      this.#ports.onLooked();
    });
  }

  /**
   * Takes back, for an agent that is idle now, what was not begun of the chunk that has most of it. Whether something was: too
   * little is left to the next look, because each end of a chunk costs a message both ways, and other machines answer later.
   */
  takeOverNow(): boolean {
    if (this.#shared === 0) return false;
    let most: ActiveChunk | undefined;
    let mostMs = 0;
    for (const active of this.#chunks.values()) {
      const { chunk, handle, state } = active;
      if (chunk.count === 1 || handle === undefined || active.asked) continue;
      const leftMs = (chunk.count - handle.claimed) * (state.size.meanMs ?? 0);
      if (leftMs <= Math.max(mostMs, state.size.worthMs) || !this.#ports.waiting.mayTakeOver(state)) continue;
      most = active;
      mostMs = leftMs;
    }
    if (most?.handle === undefined) return false;
    this.#takeBack(most, most.handle, 'other agents are idle');
    return most.returned;
  }

  /** Takes back what was not begun of chunks whose pool a heavier subtask waits for: it needs no more than what runs to end. */
  makeWay(): void {
    if (this.#shared === 0) return;
    for (const active of this.#chunks.values()) {
      const { chunk, handle, state, asked } = active;
      if (chunk.count === 1 || handle === undefined || asked || !this.#ports.waiting.mustMakeWay(state)) continue;
      this.#takeBack(active, handle, 'a heavier subtask waits for its pool');
    }
  }

  /** Nothing is looked at any more. */
  stop(): void {
    this.#lookTimer?.();
  }

  /** A subtask that takes long does not hold the rest of its chunk back, and idle agents do not watch others work. */
  #takeOver(): void {
    const { clock, agents, waiting } = this.#ports;
    const now = clock.now();
    const idle = agents.hasIdle && waiting.next() === undefined;
    for (const active of this.#chunks.values()) {
      const { chunk, handle, state } = active;
      if (handle === undefined || chunk.count - handle.claimed < 1) continue;
      const sinceMs = handle.startedAt === 0 ? 0 : now - handle.startedAt;
      const stuck = sinceMs > Math.max(STUCK_MS, STUCK_TIMES * (state.size.meanMs ?? 0));
      if (stuck) this.#takeBack(active, handle, `a subtask before it takes ${Math.round(sinceMs)} ms`);
      else if (idle && waiting.mayTakeOver(state)) this.#takeBack(active, handle, 'other agents are idle');
    }
  }

  #takeBack(active: ActiveChunk, handle: ChunkHandle, reason: string): void {
    active.asked = true;
    this.putBack(active, handle.reclaim(), reason);
  }
}
