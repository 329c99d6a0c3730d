import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { STOP_GRACE_MS } from '../actions/action.js';
import { cancelledFailure, timeoutFailure } from '../actions/perform.js';
import { signalGroup } from '../actions/process-group.js';
import { clockOn, type TimeLine, untilTick } from '../model/clock.js';
import type { Failure } from '../model/failure.js';
import { unreachable } from '../model/result.js';
import type { Chunk, SubtaskOutcome } from '../worker/chunk.js';
import { Claims } from '../worker/claims.js';
import { createOutcomeMemory, LOOK_MS, OutcomeReader } from '../worker/outcome-log.js';
import type { FromHost, HostStart, ToHost } from '../worker/protocol.js';
import { chunkHandle } from './chunk-handle.js';
import { keyAt } from './chunks.js';
import type { ChunkHandle, ChunkListener } from './executor.js';

/** How long a thread may take to say that it is there. */
const READY_MS = 30_000;
/** Beyond the grace that a host itself grants: a thread that has not answered by then is blocked. */
const BLOCKED_MS = STOP_GRACE_MS + 1000;

/** Starts the host's Piscina task; resolves when it ended, rejects when its thread died or `signal` ended it. */
export type StartHost = (start: HostStart, signal: AbortSignal) => Promise<void>;

/** A subtask whose thread ended while it ran there together with others, so that nobody can tell which of them ended it. */
export interface LostSubtask {
  readonly chunk: Chunk;
  readonly position: number;
  readonly listener: ChunkListener;
}

/** Who is told of what a host cannot settle alone. */
export interface HostListener {
  /** An error that no subtask owns any more. */
  readonly stray: (message: string) => void;
  /** Runs a lost subtask elsewhere and tells its listener; resolves when that was told. */
  readonly lost: (subtask: LostSubtask) => Promise<void>;
}

interface Pending {
  readonly chunk: Chunk;
  readonly claims: Claims;
  readonly listener: ChunkListener;
  readonly groups: Set<number>;
  /** Positions that have an outcome; they come in order. */
  outcomes: number;
  /** When it was cancelled, on the time line. */
  cancelledAt: number | undefined;
  /** For how long the process was paused since its last subtask began, in milliseconds; `startedAt` says which one that was. */
  pausedMs: number;
  startedAt: number;
}

/**
 * The coordinator's end of one host.
 *
 *   starting -> ready -> retiring -> ended     a leaked subtask retires the host: no more work, ended when empty
 *       \________\__________\______> ended     its thread died, or was ended because it is blocked
 */
export class HostLink {
  readonly #port: MessagePort;
  readonly #terminate = new AbortController();
  readonly #pending = new Map<number, Pending>();
  readonly #programs = new Set<number>();
  /** Process groups that start this thread's commands. */
  readonly #launchers = new Set<number>();
  readonly #now: () => number;
  readonly #listener: HostListener;
  readonly #outcomes: OutcomeReader;
  readonly ended: Promise<void>;
  #state: 'starting' | 'ready' | 'retiring' | 'ended' = 'starting';
  /** The chunk for whose sake the thread is ended, while it is. */
  #blocked: { readonly chunk: number; readonly failure: Failure } | undefined;
  #looking: NodeJS.Timeout | undefined;
  /** Chunks of which the end was told. */
  #done = 0;
  #whenReady: { readonly promise: Promise<boolean>; readonly resolve: (ready: boolean) => void };

  constructor(startHost: StartHost, timeLine: TimeLine, listener: HostListener) {
    this.#listener = listener;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#now = clockOn(timeLine);
    this.#whenReady = withResolvers();
    const outcomes = createOutcomeMemory();
    this.#outcomes = new OutcomeReader(outcomes);
    port1.on('message', (message: FromHost) => this.#receive(message));
    this.ended = startHost({ port: port2, timeLine, outcomes }, this.#terminate.signal).then(
      () => this.#end('its thread ended'),
      (error: unknown) => {
        // Takes the task back where Piscina could not start a thread for it.
        this.#terminate.abort();
        this.#end(error instanceof Error ? error.message : String(error));
      },
    );
  }

  /** Whether the host takes more work. */
  get usable(): boolean {
    return this.#state === 'starting' || this.#state === 'ready';
  }

  /** Resolves with false when the thread did not come up. */
  ready(): Promise<boolean> {
    if (this.#state === 'ready') return Promise.resolve(true);
    const timer = setTimeout(() => this.#whenReady.resolve(false), READY_MS);
    return this.#whenReady.promise.finally(() => clearTimeout(timer));
  }

  /** A thread of the pool could not start; nobody says whether it was this one's. */
  abandonStart(): void {
    if (this.#state === 'starting') this.#terminate.abort();
  }

  /** Runs a chunk in this host. */
  run(chunk: Chunk, listener: ChunkListener): ChunkHandle {
    const claims = new Claims(chunk.count);
    const pending: Pending = {
      chunk,
      claims,
      listener,
      groups: new Set(),
      outcomes: 0,
      cancelledAt: undefined,
      pausedMs: 0,
      startedAt: 0,
    };
    this.#pending.set(chunk.id, pending);
    const { program, ...rest } = chunk;
    if (!this.#programs.has(program.ref)) {
      if (program.fanOut) this.#programs.add(program.ref);
      this.#post({ type: 'program', program });
    }
    this.#post({ type: 'run', chunk: { ...rest, program: program.ref }, claims: claims.buffer });
    this.#lookLater();
    return chunkHandle(claims, () => this.#cancel(pending));
  }

  /** Waits until a chunk has ended, without turning the event loop. */
  hold(ms: number): void {
    if (this.#pending.size === 0) return;
    this.#outcomes.waitForEnd(this.#done, ms);
    for (let next = receiveMessageOnPort(this.#port); next !== undefined; next = receiveMessageOnPort(this.#port))
      this.#receive(next.message as FromHost);
  }

  /** No chunk of these programs comes any more. */
  forget(programs: readonly number[]): void {
    const known = programs.filter((program) => this.#programs.delete(program));
    if (known.length > 0 && this.#state !== 'ended') this.#post({ type: 'forget', programs: known });
  }

  /** Ends the host; resolves when its thread gave up its Piscina task. */
  async close(): Promise<void> {
    if (this.#state !== 'ended') this.#post({ type: 'end' });
    const late = setTimeout(() => this.#terminate.abort(), BLOCKED_MS);
    await this.ended;
    clearTimeout(late);
  }

  /** Asks the subtask that runs to end; its thread is ended if even that is not heard. */
  #cancel(pending: Pending): void {
    pending.cancelledAt ??= this.#now();
    this.#post({ type: 'cancel', chunk: pending.chunk.id });
  }

  #receive(message: FromHost): void {
    switch (message.type) {
      case 'ready':
        if (this.#state === 'starting') this.#state = 'ready';
        this.#whenReady.resolve(true);
        return;
      case 'group-started':
        this.#pending.get(message.chunk)?.groups.add(message.pid);
        return;
      case 'launcher':
        if (message.state === 'started') this.#launchers.add(message.pid);
        else this.#launchers.delete(message.pid);
        return;
      case 'stray':
        this.#listener.stray(message.message);
        return;
      case 'ask':
        void this.#answer(message);
        return;
      case 'outcomes':
        this.#drain();
        return;
      case 'outcome': {
        // The log holds what came before it.
        this.#drain();
        const { chunk, ...outcome } = message.outcome;
        this.#take(chunk, outcome);
        this.#pending.get(chunk)?.listener.flushed();
        return;
      }
      case 'done':
        this.#done += 1;
        this.#drain();
        if (message.leaked) this.#state = 'retiring';
        this.#finish(message.chunk);
        this.#retireWhenEmpty();
        return;
      default:
        unreachable(message);
    }
  }

  async #answer({ ask, chunk, task }: Extract<FromHost, { type: 'ask' }>): Promise<void> {
    const results = await this.#pending.get(chunk)?.listener.readResults(task);
    this.#post({ type: 'answer', ask, found: results !== undefined, results: results ?? null });
  }

  #drain(): void {
    const told = new Set<Pending>();
    this.#outcomes.drain((chunk, outcome) => {
      const pending = this.#take(chunk, outcome);
      if (pending !== undefined) told.add(pending);
    });
    for (const { listener } of told) listener.flushed();
  }

  #take(chunk: number, outcome: SubtaskOutcome): Pending | undefined {
    const pending = this.#pending.get(chunk);
    if (pending === undefined) return undefined;
    pending.outcomes = outcome.position + (outcome.kind === 'success' ? outcome.count : 1);
    pending.listener.outcome(outcome);
    return pending;
  }

  #finish(chunk: number): void {
    const pending = this.#pending.get(chunk);
    if (pending === undefined) return;
    this.#pending.delete(chunk);
    if (this.#pending.size === 0) this.#stopLooking();
    pending.listener.ended();
  }

  #lookLater(): void {
    if (this.#looking !== undefined) return;
    this.#outcomes.looked(this.#now(), true);
    this.#looking = setTimeout(
      () => {
        this.#looking = undefined;
        this.#look();
        if (this.#pending.size > 0) this.#lookLater();
      },
      untilTick(this.#now(), LOOK_MS),
    );
  }

  #stopLooking(): void {
    clearTimeout(this.#looking);
    this.#looking = undefined;
  }

  /** A thread that does not even answer when its subtask's time is up, or it was cancelled, is in an endless loop. */
  #look(): void {
    const now = this.#now();
    const paused = this.#outcomes.looked(now, false);
    this.#drain();
    if (this.#blocked !== undefined) return;
    for (const pending of this.#pending.values()) {
      const { chunk, claims, cancelledAt, outcomes } = pending;
      if (pending.startedAt !== claims.startedAt) Object.assign(pending, { startedAt: claims.startedAt, pausedMs: 0 });
      // Threads that were paused too have not had the time to answer.
      pending.pausedMs += paused;
      if (cancelledAt !== undefined) pending.cancelledAt = cancelledAt + paused;
      if (claims.claimed <= outcomes || !this.#mayHaveThread(pending)) continue;
      const timeoutMs = chunk.timeoutMs ?? chunk.program.task.timeoutMs;
      if (timeoutMs !== undefined && now - claims.startedAt - pending.pausedMs > timeoutMs + BLOCKED_MS) {
        this.#endBlocked(chunk.id, timeoutFailure(timeoutMs));
        return;
      }
      if (pending.cancelledAt !== undefined && now - pending.cancelledAt > BLOCKED_MS) {
        this.#endBlocked(chunk.id, cancelledFailure());
        return;
      }
    }
  }

  /** Whether a chunk may be what keeps the thread from answering. A command runs in a process of its own and never is. */
  #mayHaveThread({ chunk }: Pending): boolean {
    const { holder } = this.#outcomes;
    return holder === undefined ? !isCommand(chunk) : holder === chunk.id;
  }

  /** Only ending the thread helps; its neighbours are lost with it. */
  #endBlocked(chunk: number, failure: Failure): void {
    this.#blocked = { chunk, failure };
    // A thread that is ended orphans its children: end them first.
    for (const { groups } of this.#pending.values()) for (const pid of groups) signalGroup(pid, 'SIGKILL');
    this.#killLaunchers();
    this.#terminate.abort();
  }

  #killLaunchers(): void {
    for (const pid of this.#launchers) signalGroup(pid, 'SIGKILL');
    this.#launchers.clear();
  }

  #retireWhenEmpty(): void {
    if (this.#state !== 'retiring' || this.#pending.size > 0) return;
    this.#killLaunchers();
    this.#terminate.abort();
  }

  /** What the thread wrote before it ended counts; what it was at is lost; what it had not begun goes back. */
  #end(reason: string): void {
    const neverCame = this.#state === 'starting';
    this.#state = 'ended';
    this.#whenReady.resolve(false);
    this.#stopLooking();
    this.#drain();
    this.#killLaunchers();
    this.#port.close();
    const all = [...this.#pending.values()];
    for (const { claims, groups } of all) {
      // Counts as begun, so that it is not also put back.
      if (neverCame) claims.claim(this.#now());
      claims.reclaim();
      for (const pid of groups) signalGroup(pid, 'SIGKILL');
    }
    // A thread that never came up would never come up: its first subtask fails, or this would go on for ever.
    const running = all.filter(({ claims, outcomes }) => claims.claimed > outcomes || neverCame);
    for (const pending of all) {
      const { chunk, outcomes, listener } = pending;
      if (!running.includes(pending)) this.#finish(chunk.id);
      else if (this.#isInnocent(pending, running.length)) {
        void this.#listener.lost({ chunk, position: outcomes, listener }).then(() => this.#finish(chunk.id));
      } else {
        listener.outcome(this.#lostOutcome(pending, neverCame ? notStarted(reason) : lost(reason)));
        listener.flushed();
        this.#finish(chunk.id);
      }
    }
  }

  /** Whether a subtask that was lost with its thread runs again, because another may have ended the thread. */
  #isInnocent({ chunk, cancelledAt }: Pending, running: number): boolean {
    if (cancelledAt !== undefined) return false;
    return this.#blocked === undefined ? running > 1 : this.#blocked.chunk !== chunk.id;
  }

  #lostOutcome({ chunk, claims, outcomes: position, cancelledAt }: Pending, otherwise: Failure): SubtaskOutcome {
    const failure = cancelledAt !== undefined ? cancelledFailure() : (this.#blocked?.failure ?? otherwise);
    const started = claims.startedAt;
    const durationMs = Math.max(0, this.#now() - started);
    const outcome = { failure, results: null, log: '', started, durationMs, leaked: false };
    return { kind: 'failure', position, key: keyAt(chunk, position), outcome };
  }

  #post(message: ToHost): void {
    this.#port.postMessage(message);
  }
}

/** Whether a chunk's subtasks are processes, which leave their thread free. */
export function isCommand({ program }: Chunk): boolean {
  return program.task.work.kind === 'shell' || program.task.work.kind === 'argv';
}

function lost(reason: string): Failure {
  return { kind: 'agent-lost', message: `the thread that ran it ended: ${inPlainWords(reason)}` };
}

function notStarted(reason: string): Failure {
  return { kind: 'spawn', message: `cannot start a thread: ${reason}` };
}

/** What Piscina says of a thread's end, as a user knows it. */
function inPlainWords(reason: string): string {
  const code = /^worker exited with code: (\d+)$/.exec(reason)?.[1];
  return code === undefined ? reason : `it called process.exit(${code}), or ran out of memory`;
}

function withResolvers(): { readonly promise: Promise<boolean>; readonly resolve: (ready: boolean) => void } {
  let resolve: (ready: boolean) => void = () => {};
  const promise = new Promise<boolean>((fulfil) => {
    resolve = fulfil;
  });
  return { promise, resolve };
}
