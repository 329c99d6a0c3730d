import { Piscina } from 'piscina';
import type { TimeLine } from '../model/clock.js';
import type { Chunk } from '../worker/chunk.js';
import { singleChunk } from './chunks.js';
import { type AgentLayout, type ChunkHandle, type ChunkListener, type Executor, ExecutorStartError } from './executor.js';
import { HostLink, type HostListener, type LostSubtask, type StartHost } from './host-link.js';

/** How long Piscina may take to end its threads before it is told to hurry. */
const CLOSE_MS = 5000;

/**
 * Runs chunks on worker threads of a Piscina pool. Each thread runs one Piscina task, its host,
 * for the whole run; agent k lives on host k modulo the number of threads. A host that was lost is
 * replaced when its next chunk comes.
 */
export class PiscinaExecutor implements Executor {
  readonly #pool: Piscina;
  readonly #timeLine: TimeLine;
  readonly #hostListener: HostListener;
  readonly #retired = new Set<HostLink>();
  readonly #loners = new Map<number, ChunkHandle>();
  #hosts: HostLink[] = [];
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
      // More than the hosts: a replaced one keeps its thread until its last subtask ended, and one may run alone.
      maxThreads: 2 * maxThreads + 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      // More than one, and aborting a task would end its neighbours too.
      concurrentTasksPerWorker: 1,
      // With atomics a thread sleeps between tasks without turning its event loop.
      atomics: 'disabled',
      closeTimeout: CLOSE_MS,
    });
    // A thread that dies without a task, and a close that takes too long, are told as events; both are answered elsewhere.
    this.#pool.on('error', () => {});
  }

  async open(layout: AgentLayout): Promise<void> {
    const surplus = this.#hosts.splice(layout.threads);
    for (const host of surplus) this.#retire(host);
    this.prepare(layout);
    const came = await Promise.all(this.#hosts.map((host) => host.ready()));
    if (came.includes(false)) throw new ExecutorStartError('a worker thread did not start');
  }

  prepare({ threads }: AgentLayout): void {
    while (this.#hosts.length < threads) this.#hosts.push(this.#startHost());
  }

  run(chunk: Chunk, agent: number, listener: ChunkListener): ChunkHandle {
    const handle = this.#hostOf(agent).run(chunk, listener);
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
    for (const host of this.#hosts) host.hold(ms);
  }

  forget(programs: readonly number[]): void {
    for (const host of this.#hosts) host.forget(programs);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#hosts, ...this.#retired].map((host) => host.close()));
    await this.#pool.close({ force: true });
  }

  #hostOf(agent: number): HostLink {
    const position = agent % this.#hosts.length;
    const host = this.#hosts[position];
    if (host === undefined) throw new Error('Internal error: no host is open');
    if (host.usable) return host;
    const fresh = this.#startHost();
    this.#hosts[position] = fresh;
    return fresh;
  }

  #startHost(): HostLink {
    const start: StartHost = (message, signal) => this.#pool.run(message, { transferList: [message.port], signal });
    return new HostLink(start, this.#timeLine, this.#hostListener);
  }

  #retire(host: HostLink): void {
    this.#retired.add(host);
    void host.close().then(() => this.#retired.delete(host));
  }
}
