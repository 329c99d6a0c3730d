import type { Chunk } from '../worker/chunk.js';
import type { AgentLayout, ChunkHandle, ChunkListener, Executor } from './executor.js';

/** Keeps the threads that were once started, with the modules that they loaded, also while there is less to do. */
export class WarmExecutor implements Executor {
  readonly #executor: Executor;
  #threads = 0;

  constructor(executor: Executor) {
    this.#executor = executor;
  }

  open({ agents, threads }: AgentLayout): Promise<void> {
    this.#threads = Math.max(this.#threads, threads);
    return this.#executor.open({ agents, threads: threads === 0 ? 0 : this.#threads });
  }

  prepare(layout: AgentLayout): void {
    this.#executor.prepare?.(layout);
  }

  run(chunk: Chunk, agent: number, listener: ChunkListener): ChunkHandle {
    return this.#executor.run(chunk, agent, listener);
  }

  hold(ms: number): void {
    this.#executor.hold?.(ms);
  }

  forget(programs: readonly number[]): void {
    this.#executor.forget?.(programs);
  }

  close(): Promise<void> {
    return this.#executor.close();
  }
}
