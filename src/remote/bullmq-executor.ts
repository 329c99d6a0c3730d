import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type AgentLayout,
  type Capacity,
  type ChunkHandle,
  type ChunkListener,
  type Executor,
  ExecutorStartError,
} from '../execute/executor.js';
import { type Mask, NO_MASK } from '../model/mask.js';
import { unreachable } from '../model/result.js';
import type { Fleet } from '../scaling/machine.js';
import type { Chunk } from '../worker/chunk.js';
import { fleetOf, readWorkerBeat } from './fleet.js';
import { BEAT_MS } from './patience.js';
import { sha256 } from './plan-identity.js';
import type { CoordinatorBeat, Hello, SharedFile, WorkerBeat } from './protocol.js';
import { refusedChunk } from './refused-chunk.js';
import type { Sealer } from './seal.js';
import { SentPrograms } from './sent-programs.js';
import type { Envelope, Sealed, Wire } from './wire.js';
import { WorkerLink } from './worker-link.js';

/** What becomes of a worker, as the coordinator sees it. */
export interface WorkerNews {
  readonly worker: string;
  readonly kind: 'joined' | 'left' | 'lost' | 'came-back' | 'refused' | 'stray';
  readonly agents: number;
  /** Why, for people. */
  readonly reason: string;
}

/** What the executor works with. */
export interface BullmqExecutorOptions {
  readonly wire: Wire;
  readonly sealer: Sealer;
  readonly hello: Hello;
  /** A worker that was silent for so long is given up, in milliseconds. */
  readonly silenceMs: number;
  /** How long the work waits where there is no worker. */
  readonly waitMs: number;
  /** For the run's secrets, which must not travel. */
  readonly mask: Mask;
  /** The folder that workers see as well, for large results. */
  readonly shared?: string | undefined;
  readonly onNews: (news: WorkerNews) => void;
  /** There was no worker for `waitMs`, and work is left. */
  readonly onNobody: (reason: string) => void;
}

/** Work that waits for a worker. */
interface WaitingChunk {
  readonly chunk: Chunk;
  readonly listener: ChunkListener;
  handle: ChunkHandle | undefined;
  cancelled: boolean;
}

/**
 * Runs chunks on workers of other machines. Each chunk goes to the worker with the most idle agents; workers join and leave
 * while work runs, and what a lost one had goes back to the scheduler. Redis may go and come back, with its data or without.
 */
export class BullmqExecutor implements Executor {
  readonly #options: BullmqExecutorOptions;
  /** Its own sessions, the newest last. A worker that gave one up is greeted by the next. */
  readonly #sessions: string[] = [];
  readonly #links = new Map<string, WorkerLink>();
  readonly #programs = new SentPrograms();
  readonly #announced = new Map<WorkerLink, 'joined' | 'gone'>();
  readonly #forgeries = new Set<string>();
  readonly #capacityListeners = new Set<() => void>();
  #capacityReason = '';
  /** How many workers were lost while they ran a subtask. */
  readonly #losses = new Map<string, number>();
  #waiting: WaitingChunk[] = [];
  #beat = 0;
  #beating: NodeJS.Timeout | undefined;
  #nobodySince: number | undefined;
  /** Of late chunks: what each cost beyond its subtasks, in milliseconds. */
  readonly #costs: number[] = [];

  constructor(options: BullmqExecutorOptions) {
    this.#options = options;
  }

  /** Looks for workers from now on. */
  async start(): Promise<void> {
    const { wire } = this.#options;
    this.#openSession();
    wire.onReconnected(() => this.#redisCameBack());
    await this.#look();
    this.#beating = setInterval(() => void this.#look(), BEAT_MS);
  }

  #openSession(): string {
    const session = randomBytes(9).toString('base64url');
    this.#sessions.push(session);
    this.#options.wire.receivePost(session, (envelope) => this.#takePost(envelope));
    return session;
  }

  /** Agents of all workers that take work. */
  get agents(): number {
    return [...this.#links.values()].reduce((sum, { agents }) => sum + agents, 0);
  }

  /** Processor time of all workers for this run, in seconds. */
  get cpuSeconds(): number {
    return [...this.#links.values()].reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
  }

  /** The workers that take work, as one machine. */
  get fleet(): Fleet {
    return fleetOf([...this.#links.values()].flatMap((link) => (link.agents > 0 ? [link.worker] : [])));
  }

  /** Resolves when there is a worker, with the agents of all; with 0 where none came in time. */
  async someWorker(): Promise<number> {
    const end = performance.now() + this.#options.waitMs;
    while (this.agents === 0 && performance.now() < end) await pause(LOOK_MS);
    return this.agents;
  }

  async open(_layout: AgentLayout): Promise<void> {
    if ((await this.someWorker()) === 0) throw new ExecutorStartError(this.nobody);
  }

  run(chunk: Chunk, _agent: number, listener: ChunkListener): ChunkHandle {
    const { items = [], previous = [] } = chunk;
    if (this.#options.mask !== NO_MASK && this.#options.mask.finds(JSON.stringify([items, previous]))) {
      return refusedChunk(chunk, listener, SECRET_ITEMS);
    }
    const link = this.#idleLink();
    if (link !== undefined && this.#waiting.length === 0) return link.run(chunk, listener);
    const waiting: WaitingChunk = { chunk, listener, handle: undefined, cancelled: false };
    this.#waiting.push(waiting);
    return this.#waitingHandle(waiting);
  }

  async close(): Promise<void> {
    const { wire } = this.#options;
    clearInterval(this.#beating);
    await Promise.all([...this.#links.values()].map((link) => link.close(LAST_WORDS_MS)));
    if (!wire.connected) return;
    const forgotten = Promise.all(this.#sessions.map((session) => wire.forget('coordinator', session)));
    await Promise.race([forgotten, pause(LAST_WORDS_MS)]).catch(() => {});
  }

  /** What a chunk costs beyond its subtasks, in milliseconds; undefined before any ended. */
  get chunkCostMs(): number | undefined {
    return this.#costs.length === 0 ? undefined : Math.max(0, Math.min(...this.#costs));
  }

  get capacity(): Capacity {
    const agents = () => this.agents;
    const reason = () => this.#capacityReason;
    const listeners = this.#capacityListeners;
    return {
      get agents() {
        return agents();
      },
      get reason() {
        return reason();
      },
      listen: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    };
  }

  #idleLink(): WorkerLink | undefined {
    let best: WorkerLink | undefined;
    for (const link of this.#links.values()) if (link.idle > (best?.idle ?? 0)) best = link;
    return best;
  }

  #waitingHandle(waiting: WaitingChunk): ChunkHandle {
    const { chunk, listener } = waiting;
    const withdraw = () => {
      if (!this.#waiting.includes(waiting)) return;
      this.#waiting = this.#waiting.filter((other) => other !== waiting);
      waiting.cancelled = true;
      // Not before who asked has its answer.
      setImmediate(() => listener.ended());
    };
    return {
      reclaim: () => {
        withdraw();
        return waiting.handle?.reclaim() ?? (waiting.cancelled ? 0 : chunk.count);
      },
      get claimed() {
        return waiting.handle?.claimed ?? chunk.count;
      },
      get startedAt() {
        return waiting.handle?.startedAt ?? 0;
      },
      cancel: () => {
        withdraw();
        waiting.handle?.cancel();
      },
    };
  }

  #startWaiting(): void {
    for (let link = this.#idleLink(); link !== undefined; link = this.#idleLink()) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      next.handle = link.run(next.chunk, next.listener);
    }
  }

  /** Shows that this coordinator is there, follows the workers, and sends again what is late. */
  async #look(): Promise<void> {
    const { wire, silenceMs } = this.#options;
    if (!wire.connected) return;
    await this.#show();
    const beats = await wire.beats('worker').catch(() => undefined);
    if (beats === undefined || !wire.connected) return;
    for (const [session, sealed] of beats) {
      const beat = this.#readBeat(session, sealed);
      if (beat === undefined) continue;
      const known = this.#links.get(session);
      if (known === undefined) this.#greet(beat, this.#sessions[0] ?? this.#openSession());
      // Everything of the session that it gave up is void, so it gets a session that it has not seen.
      else if (known.takeBeat(beat) === 'dropped') this.#greet(beat, this.#openSession());
    }
    for (const link of this.#links.values()) {
      if (link.silentMs > silenceMs) link.giveUp();
      link.sendAgain();
    }
    this.#lookForNobody();
  }

  async #show(): Promise<void> {
    const { wire, sealer, hello, silenceMs } = this.#options;
    this.#beat += 1;
    for (const session of this.#sessions) {
      const beat: CoordinatorBeat = { session, beat: this.#beat, run: hello.run };
      const text = JSON.stringify(beat);
      await wire.beat('coordinator', session, { text, seal: sealer.seal('beat', [text]) }, 2 * silenceMs).catch(() => {});
    }
  }

  #readBeat(session: string, sealed: Sealed): WorkerBeat | undefined {
    const { sealer, onNews } = this.#options;
    const beat = readWorkerBeat(sealer, session, sealed);
    if (beat !== undefined) return beat;
    if (!this.#forgeries.has(session)) {
      this.#forgeries.add(session);
      const reason = 'it says that it is there, without a seal that holds: is its WAVEPLAN_KEY another one?';
      onNews({ worker: session, kind: 'refused', agents: 0, reason });
    }
    return undefined;
  }

  #greet(beat: WorkerBeat, own: string): void {
    const { wire, sealer, hello, onNews } = this.#options;
    const link: WorkerLink = new WorkerLink(beat, {
      wire,
      sealer,
      own,
      hello,
      now: () => performance.now(),
      programOf: (chunk) => this.#programs.of(chunk),
      readShared: (file) => this.#readShared(file),
      onChange: (changed) => this.#changed(changed),
      onRefused: ({ name }, reason) => onNews({ worker: name, kind: 'refused', agents: 0, reason }),
      onStray: ({ name }, reason) => onNews({ worker: name, kind: 'stray', agents: 0, reason }),
      isLostTooOften: ({ program, first }, position) => {
        const subtask = `${program.ref}:${first + position}`;
        const losses = (this.#losses.get(subtask) ?? 0) + 1;
        this.#losses.set(subtask, losses);
        return losses >= MOST_LOSSES;
      },
      onChunkCost: (ms) => {
        this.#costs.push(ms);
        if (this.#costs.length > COSTS_KEPT) this.#costs.shift();
      },
    });
    this.#links.set(beat.session, link);
  }

  #readShared({ name, digest }: SharedFile): Uint8Array | undefined {
    const { shared } = this.#options;
    if (shared === undefined || !/^[0-9a-f]+\.ndjson$/.test(name)) return undefined;
    try {
      const bytes = readFileSync(join(shared, name));
      return sha256(bytes) === digest ? bytes : undefined;
    } catch {
      return undefined;
    }
  }

  #changed(link: WorkerLink): void {
    const { onNews } = this.#options;
    const there = link.agents > 0;
    const before = this.#announced.get(link);
    if (there && before !== 'joined') {
      this.#announced.set(link, 'joined');
      const kind = before === undefined ? 'joined' : 'came-back';
      onNews({ worker: link.name, kind, agents: link.agents, reason: link.worker.root });
      this.#tellCapacity(`worker ${link.name} ${kind === 'joined' ? 'joined' : 'came back'}`);
    }
    if (!there && before === 'joined') {
      this.#announced.set(link, 'gone');
      const lost = link.state === 'lost' || link.state === 'dropped';
      const reason = goneReason(link);
      onNews({ worker: link.name, kind: lost ? 'lost' : 'left', agents: 0, reason });
      this.#tellCapacity(`worker ${link.name} ${lost ? 'is lost' : 'left'}`);
    }
    this.#startWaiting();
  }

  #tellCapacity(reason: string): void {
    this.#capacityReason = reason;
    for (const listener of [...this.#capacityListeners]) listener();
  }

  #takePost(envelope: Envelope): void {
    const link = this.#links.get(envelope.from);
    // Sent to a session that the worker has given up since.
    if (link !== undefined && link.own !== envelope.to) return;
    if (link?.take(envelope) === true) return;
    if (this.#forgeries.has(envelope.from)) return;
    this.#forgeries.add(envelope.from);
    const reason = 'a message came in its name without a seal that holds';
    this.#options.onNews({ worker: link?.name ?? envelope.from, kind: 'refused', agents: 0, reason });
  }

  #redisCameBack(): void {
    for (const link of this.#links.values()) {
      link.excuseSilence();
      link.sendAgain(true);
    }
    void this.#look();
  }

  #lookForNobody(): void {
    const { waitMs, onNobody } = this.#options;
    const needed = this.#waiting.length > 0 || this.#capacityListeners.size > 0;
    if (this.agents > 0 || !needed) {
      this.#nobodySince = undefined;
      return;
    }
    this.#nobodySince ??= performance.now();
    if (performance.now() - this.#nobodySince > waitMs) onNobody(this.nobody);
  }

  /** That there is nobody, in words. */
  get nobody(): string {
    return `no worker took part for ${this.#options.waitMs / 1000} s`;
  }
}

function goneReason({ state }: WorkerLink): string {
  switch (state) {
    case 'lost':
      return 'nothing was heard of it';
    case 'dropped':
      return 'it gave up this run, which was silent for too long';
    case 'greeting':
    case 'ready':
    case 'leaving':
    case 'ended':
      return 'it ended';
    default:
      return unreachable(state);
  }
}

const SECRET_ITEMS =
  'its item has a secret in it, and secrets do not travel to other machines: read it from the environment there';
/** A subtask on which so many workers were lost is not tried again. */
const MOST_LOSSES = 3;
/** How often it is looked whether a worker came. */
const LOOK_MS = 50;
/** How long workers may take to hear that the run is over. */
const LAST_WORDS_MS = 2000;
/** Chunks whose cost is remembered. */
const COSTS_KEPT = 32;
