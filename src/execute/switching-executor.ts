import type { ActionOutcome, SubtaskRequest } from '../actions/action.js';
import type { AgentLayout, Executor, ReadResults } from './executor.js';

/**
 * Runs subtasks inline while a layout asks for no threads, and on a pool, which is made when it is first needed, while
 * it asks for some. Work that runs when the layout changes ends where it began.
 */
export class SwitchingExecutor implements Executor {
  readonly #inline: Executor;
  readonly #makePool: () => Executor;
  readonly #running = new Map<number, Executor>();
  #pool: Executor | undefined;
  #current: Executor;

  constructor(inline: Executor, makePool: () => Executor) {
    this.#inline = inline;
    this.#makePool = makePool;
    this.#current = inline;
  }

  async open(layout: AgentLayout): Promise<void> {
    if (layout.threads > 0) this.#pool ??= this.#makePool();
    const next = layout.threads > 0 && this.#pool !== undefined ? this.#pool : this.#inline;
    await next.open(layout);
    this.#current = next;
  }

  async execute(request: SubtaskRequest, agent: number, readResults: ReadResults): Promise<ActionOutcome> {
    const executor = this.#current;
    this.#running.set(request.id, executor);
    const outcome = await executor.execute(request, agent, readResults);
    this.#running.delete(request.id);
    return outcome;
  }

  cancel(id: number): void {
    this.#running.get(id)?.cancel(id);
  }

  async close(): Promise<void> {
    await this.#inline.close();
    await this.#pool?.close();
  }
}
