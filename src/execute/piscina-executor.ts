import { Piscina } from 'piscina';
import type { TimeLine } from '../model/clock.js';
import type { Chunk } from '../worker/chunk.js';
import { singleChunk } from './chunks.js';
import { type AgentLayout, type ChunkHandle, type ChunkListener, type Executor, ExecutorStartError } from './executor.js';
import { HostLink, type HostListener, isCommand, type LostSubtask, type StartHost } from './host-link.js';

/** How long Piscina may take to end its threads before it is told to hurry. */
const CLOSE_MS = 5000;

/**
 * Runs chunks on worker threads of a Piscina pool. Each thread runs one Piscina task, its host,
 * for the whole run; agent k lives on host k modulo the number of threads. A host that was lost is
 * replaced when its next chunk comes. Commands never share a thread with modules: a module that takes its thread
 * would delay their ends, and whoever ends that thread would end them.
 */
export class PiscinaExecutor implements Executor {
  readonly #pool: Piscina;
  readonly #timeLine: TimeLine;
  readonly #hostListener: HostListener;
  readonly #retired = new Set<HostLink>();
  readonly #loners = new Map<number, ChunkHandle>();
  #threads = 0;
  /** Why the system made no thread; empty where it did. */
  #refused = '';
  /** By the kind of work that they host, and those that host none yet. */
  readonly #hosts: Record<'command' | 'module' | 'spare', HostLink[]> = { command: [], module: [], spare: [] };
  #alone: Promise<void> = Promise.resolve();

  /**
   * @param maxThreads the most threads that any layout of the run will ask for.
   * @param onStray told of errors that no subtask owns any more.
   */
  constructor(maxThreads: number, timeLine: TimeLine, onStray: (message: string) => void = () => {}) {
    this.#timeLine = timeLine;
    this.#hostListener = { stray: onStray, lost: (subtask) => this.#runAlone(subtask) };
    this.#pool = new Piscina({
      filename: new URL('../worker/host.cjs', import.meta.url).href,
      minThreads: 0,
      // Twice the hosts of both kinds: a replaced one keeps its thread until its last subtask ended, and one may run alone.
      maxThreads: 4 * maxThreads + 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      // More than one, and aborting a task would end its neighbours too.
      concurrentTasksPerWorker: 1,
      // A thread that ends would close every descriptor that it opened by number, and sockets over output pipes have closed theirs:
      // by then the number may be that of another file, such as the journal.
      trackUnmanagedFds: false,
      // With atomics a thread sleeps between tasks without turning its event loop.
      atomics: 'disabled',
      closeTimeout: CLOSE_MS,
    });
    // A thread that dies without a task, and a close that takes too long. A task that waits for such a thread would wait for ever.
    this.#pool.on('error', (error) => {
      if (isSystemError(error)) this.#refused = error.message;
      for (const host of this.#all()) host.abandonStart();
    });
  }

  async open(layout: AgentLayout): Promise<void> {
    const { command, module, spare } = this.#hosts;
    const used = Math.max(command.length, module.length);
    // Hosts are started as their agents get work, so the lists may have holes.
    for (const hosts of [command, module]) for (const host of hosts.splice(layout.threads).flat()) this.#retire(host);
    for (const host of spare.splice(Math.max(0, layout.threads - used))) this.#retire(host);
    this.prepare(layout);
    const came = await Promise.all(this.#all().map((host) => host.ready()));
    if (came.includes(false))
      throw new ExecutorStartError(`a worker thread did not start${this.#refused && `: ${this.#refused}`}`);
  }

  prepare({ threads }: AgentLayout): void {
    const { command, module, spare } = this.#hosts;
    this.#threads = threads;
    while (Math.max(command.length, module.length) + spare.length < threads) spare.push(this.#startHost());
  }

  run(chunk: Chunk, agent: number, listener: ChunkListener): ChunkHandle {
    const handle = this.#hostOf(agent, isCommand(chunk) ? 'command' : 'module').run(chunk, listener);
    const loners = this.#loners;
    return {
      reclaim: () => handle.reclaim(),
      get claimed() {
        return handle.claimed;
      },
      get startedAt() {
        return handle.startedAt;
      },
      cancel: () => (loners.get(chunk.id) ?? handle).cancel(),
    };
  }

  /**
   * Repeats a subtask whose thread ended while it hosted others too, on a thread that hosts nothing else, one such
   * subtask after the other. The one that ended the thread does it again and has itself to blame; the others finish.
   */
  #runAlone({ chunk, position, listener }: LostSubtask): Promise<void> {
    const alone = this.#alone.then(async () => {
      const host = this.#startHost();
      await new Promise<void>((ended) => {
        const handle = host.run(singleChunk(chunk, position, chunk.id), {
          ...listener,
          outcome: (outcome) => listener.outcome({ ...outcome, position }),
          ended: () => ended(),
        });
        this.#loners.set(chunk.id, handle);
      });
      this.#loners.delete(chunk.id);
      await host.close();
    });
    this.#alone = alone;
    return alone;
  }

  hold(ms: number): void {
    for (const host of this.#all()) host.hold(ms);
  }

  forget(programs: readonly number[]): void {
    for (const host of this.#all()) host.forget(programs);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all(), ...this.#retired].map((host) => host.close()));
    await this.#pool.close({ force: true });
  }

  #all(): readonly HostLink[] {
    return Object.values(this.#hosts).flat();
  }

  #hostOf(agent: number, kind: 'command' | 'module'): HostLink {
    if (this.#threads === 0) throw new Error('Internal error: no host is open');
    const hosts = this.#hosts[kind];
    const position = agent % this.#threads;
    const host = hosts[position];
    if (host?.usable === true) return host;
    const fresh = this.#hosts.spare.pop() ?? this.#startHost();
    hosts[position] = fresh;
    return fresh;
  }

  #startHost(): HostLink {
    const start: StartHost = async (message, signal) => {
      try {
        return await this.#pool.run(message, { transferList: [message.port], signal });
      } catch (error) {
        if (isSystemError(error)) {
          this.#refused = error.message;
          ignoreAbort();
        }
        throw error;
      }
    };
    return new HostLink(start, this.#timeLine, this.#hostListener);
  }

  #retire(host: HostLink): void {
    this.#retired.add(host);
    void host.close().then(() => this.#retired.delete(host));
  }
}

function isSystemError(error: unknown): error is Error {
  return (
    error instanceof Error &&
    'code' in error &&
    (error.code === 'EAGAIN' || error.code === 'ENOMEM' || error.code === 'ERR_WORKER_INIT_FAILED')
  );
}

/**
 * Where the system makes no thread, Piscina throws and keeps the task in its queue; when the task is aborted, its promise rejects
 * with nobody listening.
 */
function ignoreAbort(): void {
  const ignore = (reason: unknown) => {
    if (!(reason instanceof Error && reason.name === 'AbortError')) throw reason;
  };
  process.on('unhandledRejection', ignore);
  setImmediate(() => process.off('unhandledRejection', ignore));
}
