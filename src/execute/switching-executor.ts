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
  #making: Promise<Executor> | undefined;
  #closed = false;
  #current: Executor;

  constructor(inline: Executor, makePool: () => Promise<Executor>) {
    this.#inline = inline;
    this.#makePool = makePool;
    this.#current = inline;
  }

  async open(layout: AgentLayout): Promise<void> {
    const next = layout.threads > 0 ? await this.#poolMade() : this.#inline;
    await next.open(layout);
    this.#current = next;
  }

  prepare(layout: AgentLayout): void {
    if (layout.threads === 0) return;
    this.#poolMade().then(
      (pool) => {
        if (!this.#closed) pool.prepare?.(layout);
      },
      // `open` will tell.
      () => {},
    );
  }

  #poolMade(): Promise<Executor> {
    this.#making ??= this.#makePool().then((pool) => {
      this.#pool = pool;
      return pool;
    });
    return this.#making;
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
    this.#closed = true;
    await this.#inline.close();
    // It may just be being made.
    await this.#making?.then(
      (pool) => pool.close(),
      () => {},
    );
  }
}
