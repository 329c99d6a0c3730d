import type { Chunk } from '../worker/chunk.js';
import type { AgentLayout, ChunkHandle, ChunkListener, Executor } from './executor.js';

/**
 * Runs subtasks inline while a layout asks for no threads, and on a pool, which is made when it is first needed, while
 * it asks for some. Work that runs when the layout changes ends where it began.
 */
export class SwitchingExecutor implements Executor {
  readonly #inline: Executor;
  readonly #makePool: () => Promise<Executor>;
  #pool: Executor | undefined;
  #current: Executor;

  constructor(inline: Executor, makePool: () => Promise<Executor>) {
    this.#inline = inline;
    this.#makePool = makePool;
    this.#current = inline;
  }

  async open(layout: AgentLayout): Promise<void> {
    if (layout.threads > 0) this.#pool ??= await this.#makePool();
    const next = layout.threads > 0 && this.#pool !== undefined ? this.#pool : this.#inline;
    await next.open(layout);
    this.#current = next;
  }

  run(chunk: Chunk, agent: number, listener: ChunkListener): ChunkHandle {
    return this.#current.run(chunk, agent, listener);
  }

  hold(ms: number): void {
    this.#current.hold?.(ms);
  }

  forget(programs: readonly number[]): void {
    this.#pool?.forget?.(programs);
  }

  async close(): Promise<void> {
    await this.#inline.close();
    await this.#pool?.close();
  }
}
