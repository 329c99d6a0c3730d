import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { type ActionOutcome, STOP_GRACE_MS, type SubtaskRequest } from '../actions/action.js';
import { timeoutFailure } from '../actions/perform.js';
import { signalGroup } from '../actions/process-group.js';
import { type TimeLine, timeOn } from '../model/clock.js';
import type { Failure } from '../model/failure.js';
import { unreachable } from '../model/result.js';
import type { FromHost, HostStart, ToHost } from '../worker/protocol.js';
import type { ReadResults } from './executor.js';

/** How long a thread may take to say that it is there. */
const READY_MS = 30_000;
/** Beyond the grace that a host itself grants: a thread that has not answered by then is blocked. */
const BLOCKED_MS = STOP_GRACE_MS + 1000;

/** Starts the host's Piscina task; resolves when it ended, rejects when its thread died or `signal` ended it. */
export type StartHost = (start: HostStart, signal: AbortSignal) => Promise<void>;

/**
 * How an attempt in a host ended: with its outcome, or `lost` together with others when their thread ended, so that
 * nobody can tell which of them ended it.
 */
export type HostOutcome = { readonly kind: 'outcome'; readonly outcome: ActionOutcome } | { readonly kind: 'lost' };

interface Pending {
  readonly request: SubtaskRequest;
  readonly readResults: ReadResults;
  readonly startedMs: number;
  readonly groups: Set<number>;
  readonly settle: (outcome: HostOutcome) => void;
  watchdog: NodeJS.Timeout | undefined;
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
  readonly #timeLine: TimeLine;
  readonly #onStray: (message: string) => void;
  readonly ended: Promise<void>;
  #state: 'starting' | 'ready' | 'retiring' | 'ended' = 'starting';
  /** The subtask for whose sake the thread is ended, while it is. */
  #blocked: { readonly id: number; readonly failure: Failure } | undefined;
  #whenReady: { readonly promise: Promise<boolean>; readonly resolve: (ready: boolean) => void };

  constructor(startHost: StartHost, timeLine: TimeLine, onStray: (message: string) => void) {
    this.#onStray = onStray;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#timeLine = timeLine;
    this.#whenReady = withResolvers();
    port1.on('message', (message: FromHost) => this.#receive(message));
    this.ended = startHost({ port: port2, timeLine }, this.#terminate.signal).then(
      () => this.#end('its thread ended'),
      (error: unknown) => this.#end(error instanceof Error ? error.message : String(error)),
    );
  }

  /** Whether the host takes more work. */
  get usable(): boolean {
    return this.#state === 'starting' || this.#state === 'ready';
  }

  /** Resolves with false when the thread did not come up. */
  ready(): Promise<boolean> {
    const timer = setTimeout(() => this.#whenReady.resolve(false), READY_MS);
    return this.#whenReady.promise.finally(() => clearTimeout(timer));
  }

  /** Makes one attempt in this host. Never rejects. */
  execute(request: SubtaskRequest, readResults: ReadResults): Promise<HostOutcome> {
    return new Promise((settle) => {
      const pending: Pending = {
        request,
        readResults,
        startedMs: timeOn(this.#timeLine),
        groups: new Set(),
        settle,
        watchdog: undefined,
      };
      this.#pending.set(request.id, pending);
      if (request.timeoutMs !== undefined) this.#watch(pending, request.timeoutMs, timeoutFailure(request.timeoutMs));
      this.#post({ type: 'run', request });
    });
  }

  /** Asks a subtask to end; ends its thread if even that is not heard. */
  cancel(id: number): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#watch(pending, 0, { kind: 'cancelled', message: 'cancelled: the run was stopped' });
    this.#post({ type: 'cancel', id });
  }

  /** Ends the host; resolves when its thread gave up its Piscina task. */
  async close(): Promise<void> {
    if (this.#state !== 'ended') this.#post({ type: 'end' });
    const late = setTimeout(() => this.#terminate.abort(), BLOCKED_MS);
    await this.ended;
    clearTimeout(late);
  }

  #receive(message: FromHost): void {
    switch (message.type) {
      case 'ready':
        if (this.#state === 'starting') this.#state = 'ready';
        this.#whenReady.resolve(true);
        return;
      case 'group-started':
        this.#pending.get(message.id)?.groups.add(message.pid);
        return;
      case 'stray':
        this.#onStray(message.message);
        return;
      case 'ask': {
        const results = this.#pending.get(message.id)?.readResults(message.task);
        this.#post({ type: 'answer', ask: message.ask, found: results !== undefined, results: results ?? null });
        return;
      }
      case 'done':
        if (message.outcome.leaked) this.#state = 'retiring';
        this.#settle(message.id, { kind: 'outcome', outcome: message.outcome });
        this.#retireWhenEmpty();
        return;
      default:
        unreachable(message);
    }
  }

  #watch(pending: Pending, afterMs: number, failure: Failure): void {
    clearTimeout(pending.watchdog);
    pending.watchdog = setTimeout(() => this.#endBlocked(pending.request.id, failure), afterMs + BLOCKED_MS);
  }

  /** The thread does not even answer: it is in an endless loop. Only ending it helps; its neighbours are lost with it. */
  #endBlocked(id: number, failure: Failure): void {
    this.#blocked = { id, failure };
    // A thread that is ended orphans its children: end them first.
    for (const pending of this.#pending.values()) {
      for (const pid of pending.groups) signalGroup(pid, 'SIGKILL');
    }
    this.#terminate.abort();
  }

  #retireWhenEmpty(): void {
    if (this.#state === 'retiring' && this.#pending.size === 0) this.#terminate.abort();
  }

  #end(reason: string): void {
    this.#state = 'ended';
    this.#whenReady.resolve(false);
    this.#port.close();
    const lost = [...this.#pending.values()];
    for (const pending of lost) {
      for (const pid of pending.groups) signalGroup(pid, 'SIGKILL');
      this.#settle(pending.request.id, this.#lostOutcome(pending, lost.length, reason));
    }
  }

  #lostOutcome({ request, startedMs }: Pending, lost: number, reason: string): HostOutcome {
    const blocked = this.#blocked;
    if (blocked === undefined ? lost > 1 : blocked.id !== request.id) return { kind: 'lost' };
    const failure: Failure = blocked?.failure ?? {
      kind: 'agent-lost',
      message: `the thread that ran it ended: ${inPlainWords(reason)}`,
    };
    const durationMs = Math.max(0, timeOn(this.#timeLine) - startedMs);
    return { kind: 'outcome', outcome: { failure, results: null, log: '', started: startedMs, durationMs, leaked: false } };
  }

  #settle(id: number, outcome: HostOutcome): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    clearTimeout(pending.watchdog);
    this.#pending.delete(id);
    pending.settle(outcome);
  }

  #post(message: ToHost): void {
    this.#port.postMessage(message);
  }
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
