import { STOP_GRACE_MS } from '../actions/action.js';
import { keyAt } from '../execute/chunks.js';
import type { ChunkHandle, ChunkListener } from '../execute/executor.js';
import { unreachable } from '../model/result.js';
import type { Chunk, SubtaskOutcome } from '../worker/chunk.js';
import { Channel } from './channel.js';
import { AGAIN_MS } from './patience.js';
import type { Hello, JobText, SharedFile, ToCoordinator, ToWorker, WorkerBeat } from './protocol.js';
import type { Sealer } from './seal.js';
import type { SentProgram } from './sent-programs.js';
import { readSuccessBytes } from './success-bytes.js';
import type { Envelope, Wire } from './wire.js';

/** What a link works with. */
export interface WorkerLinkPorts {
  readonly wire: Wire;
  readonly sealer: Sealer;
  /** The coordinator's session. */
  readonly own: string;
  readonly hello: Hello;
  /** Milliseconds, by a clock that never goes backwards. */
  readonly now: () => number;
  readonly programOf: (chunk: Chunk) => SentProgram;
  /** What stands in a file of the shared folder; undefined where it cannot be read, or is another one. */
  readonly readShared: (file: SharedFile) => Uint8Array | undefined;
  /** Its state or its room changed. */
  readonly onChange: (link: WorkerLink) => void;
  /** It will not take part, or refused something. */
  readonly onRefused: (link: WorkerLink, reason: string) => void;
  readonly onStray: (link: WorkerLink, message: string) => void;
  /** Whether a subtask was at work on too many workers that were lost; counts this one. */
  readonly isLostTooOften: (chunk: Chunk, position: number) => boolean;
  /** What a chunk cost beyond the durations of its subtasks, in milliseconds. */
  readonly onChunkCost: (ms: number) => void;
}

/** A chunk that a worker has, or is about to get. */
interface Pending {
  readonly chunk: Chunk;
  readonly listener: ChunkListener;
  readonly job: Omit<JobText, 'delivery'>;
  readonly firstSentAt: number;
  delivery: number;
  sentAt: number;
  accepted: boolean;
  /** When the last outcome came, or the chunk was accepted, in milliseconds since the epoch; 0 before. */
  movedAt: number;
  /** Positions with an outcome, and how long their subtasks took together. */
  outcomes: number;
  busyMs: number;
  /** How many were begun; known at its end. */
  begun: number | undefined;
  reclaimed: boolean;
  cancelled: boolean;
}

/**
 * The coordinator's end of one worker.
 *
 *   greeting ──ready──▶ ready ──leaving──▶ leaving ──bye──▶ ended
 *       \                 \───────────────────\──silent──▶ lost ──heard of again──▶ greeting's answer stands: ready
 *        \──refused──▶ ended         any of these ──the worker no longer serves this session──▶ dropped
 */
export class WorkerLink {
  readonly worker: WorkerBeat;
  readonly #ports: WorkerLinkPorts;
  readonly #channel: Channel<ToWorker, ToCoordinator>;
  readonly #pending = new Map<number, Pending>();
  readonly #programs = new Set<number>();
  #state: 'greeting' | 'ready' | 'leaving' | 'lost' | 'dropped' | 'ended' = 'greeting';
  #agents = 0;
  /** Beats after this one list our session; undefined before the worker was ready. */
  #servedSince: number | undefined;
  #serial = 0;
  #beat: number;
  #heardAt: number;
  #cpuSeconds = 0;

  constructor(worker: WorkerBeat, ports: WorkerLinkPorts) {
    this.worker = worker;
    this.#ports = ports;
    this.#beat = worker.beat;
    this.#heardAt = ports.now();
    const { wire, sealer, own, now } = ports;
    this.#channel = new Channel({
      wire,
      sealer,
      now,
      own,
      peer: worker.session,
      receive: (message, bytes) => this.#receive(message, bytes),
    });
    this.#channel.send(ports.hello);
  }

  /** A short name, for people. */
  get name(): string {
    return `${this.worker.host}:${this.worker.pid}`;
  }

  get state(): 'greeting' | 'ready' | 'leaving' | 'lost' | 'dropped' | 'ended' {
    return this.#state;
  }

  /** The coordinator's session that this worker was greeted by. */
  get own(): string {
    return this.#ports.own;
  }

  /** Agents that take work; none while it is not ready. */
  get agents(): number {
    return this.#state === 'ready' ? this.#agents : 0;
  }

  /** Agents that have nothing to do. */
  get idle(): number {
    return Math.max(0, this.agents - this.#pending.size);
  }

  /** Processor time that the worker and its commands took since it serves this run, in seconds. */
  get cpuSeconds(): number {
    return this.#cpuSeconds;
  }

  /** For how long nothing was heard of it, in milliseconds. */
  get silentMs(): number {
    return this.#ports.now() - this.#heardAt;
  }

  /** Takes an envelope of this worker. false where it is not sealed as it must be. */
  take(envelope: Envelope): boolean {
    const taken = this.#channel.take(envelope);
    if (taken) this.#heard();
    return taken;
  }

  /** Takes the worker's last beat, whose seal holds. An old one that is repeated says nothing. */
  takeBeat({ beat, serves }: WorkerBeat): 'served' | 'dropped' {
    if (beat <= this.#beat) return 'served';
    this.#beat = beat;
    const served = this.#servedSince === undefined || beat <= this.#servedSince || serves.includes(this.#ports.own);
    if (served || this.#state === 'ended') this.#heard();
    else this.#dropped();
    return this.#state === 'dropped' ? 'dropped' : 'served';
  }

  /** The worker lost patience with this session, as while this process was paused, and ignores it from now on. */
  #dropped(): void {
    this.#state = 'dropped';
    this.#returnAll(`worker ${this.name} gave up this run`, false);
    this.#channel.close();
  }

  /** Nobody could be heard for a while: silence counts from now. */
  excuseSilence(): void {
    this.#heardAt = this.#ports.now();
  }

  #heard(): void {
    this.#heardAt = this.#ports.now();
    if (this.#state !== 'lost') return;
    this.#state = this.#agents > 0 ? 'ready' : 'greeting';
    this.#ports.onChange(this);
  }

  run(chunk: Chunk, listener: ChunkListener): ChunkHandle {
    const { own, hello, now, programOf } = this.#ports;
    const program = programOf(chunk);
    if (!this.#programs.has(program.message.ref)) {
      // A task that is no fan-out has one chunk, or one for each attempt.
      if (program.message.fanOut) this.#programs.add(program.message.ref);
      this.#channel.send(program.message);
    }
    this.#serial += 1;
    const { id, agent, first, count, items, previous, occurrences, attempt, timeoutMs } = chunk;
    const pending: Pending = {
      chunk,
      listener,
      job: {
        run: hello.run,
        coordinator: own,
        worker: this.worker.session,
        serial: this.#serial,
        plan: hello.plan.digest,
        task: program.message.task,
        program: program.message.ref,
        programDigest: program.digest,
        chunk: id,
        agent,
        first,
        count,
        attempt,
        ...(items && { items }),
        ...(previous && { previous }),
        ...(occurrences && { occurrences }),
        ...(timeoutMs !== undefined && { timeoutMs }),
      },
      firstSentAt: now(),
      delivery: 0,
      sentAt: now(),
      accepted: false,
      movedAt: 0,
      outcomes: 0,
      busyMs: 0,
      begun: undefined,
      reclaimed: false,
      cancelled: false,
    };
    this.#pending.set(id, pending);
    this.#deliver(pending);
    return this.#handle(pending);
  }

  /** To be called now and then, and with `all` when Redis came back: sends again what may have been lost. */
  sendAgain(all = false): void {
    const { wire, now } = this.#ports;
    this.#channel.sendAgain(all);
    if (!wire.connected || this.#state === 'lost') return;
    for (const pending of this.#pending.values()) {
      if (!pending.accepted && (all || now() - pending.sentAt > AGAIN_MS)) this.#deliver(pending);
    }
  }

  /** It was silent for too long: what came of its work counts, and the rest goes back. Late outcomes are dropped. */
  giveUp(): void {
    if (this.#state === 'ended' || this.#state === 'dropped' || this.#state === 'lost') return;
    this.#state = 'lost';
    this.#returnAll(`worker ${this.name} was silent`, true);
  }

  /** The run is over, or the worker is. */
  async close(limitMs: number): Promise<void> {
    if (this.#state !== 'ended' && this.#state !== 'dropped') {
      this.#channel.send({ type: 'bye' });
      // Nobody waits for one that does not answer.
      if (this.#state !== 'lost') await this.#channel.settled(limitMs);
    }
    this.#state = 'ended';
    this.#channel.close();
  }

  /** What it has goes back. It is told to stop that, should it be heard of again. */
  #returnAll(reason: string, stop: boolean): void {
    const all = [...this.#pending.values()];
    this.#pending.clear();
    for (const pending of all) {
      if (stop) {
        this.#channel.send({ type: 'cancel', chunk: pending.chunk.id });
        this.#blame(pending);
      }
      pending.begun = pending.outcomes;
      pending.listener.ended(reason);
    }
    this.#ports.onChange(this);
  }

  /** The chunk is over for us; late outcomes are dropped. */
  #giveBack(pending: Pending, reason: string): void {
    if (!this.#pending.delete(pending.chunk.id)) return;
    pending.begun = pending.outcomes;
    pending.listener.ended(reason);
    this.#ports.onChange(this);
  }

  /** A subtask that ends its worker would end one after the other. */
  #blame(pending: Pending): void {
    const { chunk, accepted, outcomes: position, listener } = pending;
    if (!accepted || position >= chunk.count || !this.#ports.isLostTooOften(chunk, position)) return;
    const failure = { kind: 'agent-lost' as const, message: 'worker after worker was lost while they ran it' };
    const outcome = { failure, results: null, log: '', started: pending.movedAt, durationMs: 0, leaked: false };
    listener.outcome({ kind: 'failure', position, key: keyAt(chunk, position), outcome });
    listener.flushed();
    pending.outcomes += 1;
  }

  #deliver(pending: Pending): void {
    const { wire, sealer, now } = this.#ports;
    pending.delivery += 1;
    pending.sentAt = now();
    const job: JobText = { ...pending.job, delivery: pending.delivery };
    const text = JSON.stringify(job);
    const id = `${job.coordinator}-${job.chunk}`;
    // What Redis did not take is sent again like what it lost.
    void wire.sendJob(job.worker, id, { text, seal: sealer.seal('job', [text]) }).catch(() => {});
  }

  #handle(pending: Pending): ChunkHandle {
    const { chunk } = pending;
    const ask = (type: 'reclaim' | 'cancel') => {
      if (this.#pending.has(chunk.id)) this.#channel.send({ type, chunk: chunk.id });
    };
    return {
      // Until the worker has answered, all of it may have been begun.
      reclaim: () => {
        if (pending.begun === undefined && !pending.reclaimed && !pending.cancelled) {
          pending.reclaimed = true;
          ask('reclaim');
        }
        return pending.begun ?? chunk.count;
      },
      get claimed() {
        return pending.begun ?? Math.min(chunk.count, pending.outcomes + 1);
      },
      get startedAt() {
        return pending.movedAt;
      },
      cancel: () => {
        if (pending.cancelled) return;
        pending.cancelled = true;
        ask('cancel');
        // Without Redis there is nothing to wait for: a worker ends the work of a silent coordinator.
        setTimeout(
          () => this.#giveBack(pending, `worker ${this.name} did not answer`),
          this.#ports.wire.connected ? CANCEL_MS : 0,
        ).unref();
      },
    };
  }

  #receive(message: ToCoordinator, bytes: Uint8Array): void {
    const { onChange, onRefused, onStray } = this.#ports;
    switch (message.type) {
      case 'ready':
        this.#agents = message.agents;
        this.#servedSince = message.beat;
        if (this.#state === 'greeting') this.#state = 'ready';
        onChange(this);
        return;
      case 'refused':
        this.#state = 'ended';
        onRefused(this, message.reason);
        this.#returnAll(`worker ${this.name} does not take part`, false);
        return;
      case 'rejected':
        onRefused(this, message.reason);
        return;
      case 'stray':
        onStray(this, message.message);
        return;
      case 'accepted': {
        const pending = this.#pending.get(message.chunk);
        if (pending === undefined) return;
        pending.accepted = true;
        if (pending.movedAt === 0) pending.movedAt = Date.now();
        return;
      }
      case 'ask':
        void this.#answer(message);
        return;
      case 'outcome':
        this.#takeOutcome(message, bytes);
        return;
      case 'ended': {
        this.#cpuSeconds = message.cpuSeconds;
        const pending = this.#pending.get(message.chunk);
        if (pending === undefined) return;
        this.#pending.delete(message.chunk);
        pending.begun = message.begun;
        if (pending.outcomes > 0) this.#ports.onChunkCost(this.#ports.now() - pending.firstSentAt - pending.busyMs);
        pending.listener.ended();
        onChange(this);
        return;
      }
      case 'leaving':
        if (this.#state !== 'ended') this.#state = 'leaving';
        onChange(this);
        return;
      case 'bye':
        this.#state = 'ended';
        this.#returnAll(`worker ${this.name} ended`, false);
        return;
      default:
        unreachable(message);
    }
  }

  #takeOutcome(message: Extract<ToCoordinator, { type: 'outcome' }>, bytes: Uint8Array): void {
    const pending = this.#pending.get(message.chunk);
    // Given up before: somebody else does it, or has done it.
    if (pending === undefined) return;
    const outcome = this.#unpack(pending.chunk, message, bytes);
    pending.accepted = true;
    pending.movedAt = Date.now();
    pending.outcomes = outcome.position + (outcome.kind === 'success' ? outcome.count : 1);
    if (outcome.kind === 'success') for (const ms of outcome.durationsMs) pending.busyMs += ms;
    if (outcome.kind === 'failure') pending.busyMs += outcome.outcome.durationMs;
    pending.listener.outcome(outcome);
    pending.listener.flushed();
  }

  #unpack(chunk: Chunk, message: Extract<ToCoordinator, { type: 'outcome' }>, bytes: Uint8Array): SubtaskOutcome {
    const { type: _, chunk: __, ...outcome } = message;
    if (outcome.kind !== 'success') return outcome;
    const { file, ...success } = outcome;
    const found = file === undefined ? bytes : this.#ports.readShared(file);
    if (found !== undefined) return { ...success, ...readSuccessBytes(found, success.count) };
    const failure = { kind: 'output' as const, message: `its results, ${file?.name}, are not in the shared folder (--shared)` };
    const { position } = success;
    return {
      kind: 'failure',
      position,
      key: keyAt(chunk, position),
      outcome: { failure, results: null, log: success.log, started: Date.now(), durationMs: 0, leaked: false },
    };
  }

  async #answer({ ask, chunk, task }: Extract<ToCoordinator, { type: 'ask' }>): Promise<void> {
    const results = await this.#pending.get(chunk)?.listener.readResults(task);
    this.#channel.send({ type: 'answer', ask, found: results !== undefined, results: results ?? null });
  }
}

/** How long a worker may take to end a cancelled chunk: the grace of its commands, and the way there and back. */
const CANCEL_MS = STOP_GRACE_MS + 1000;
