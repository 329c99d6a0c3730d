import type { AgentLayout, Capacity, ChunkHandle, ChunkListener, Executor } from '../execute/executor.js';
import type { TaskDefinition } from '../plan/valid-plan.js';
import type { Chunk } from '../worker/chunk.js';

/**
 * Runs the subtasks of some tasks on other machines, and of the others here. A layout with no threads asks for no other machine.
 */
export class RoutingExecutor implements Executor {
  readonly #here: Executor;
  readonly #elsewhere: Executor;
  readonly #goesElsewhere: (task: TaskDefinition) => boolean;

  constructor(here: Executor, elsewhere: Executor, goesElsewhere: (task: TaskDefinition) => boolean) {
    this.#here = here;
    this.#elsewhere = elsewhere;
    this.#goesElsewhere = goesElsewhere;
  }

  get capacity(): Capacity | undefined {
    return this.#elsewhere.capacity;
  }

  async open(layout: AgentLayout): Promise<void> {
    if (layout.elsewhere !== true) {
      await this.#here.open(layout);
      return;
    }
    await this.#here.open({ agents: layout.agents, threads: 0 });
    await this.#elsewhere.open(layout);
  }

  run(chunk: Chunk, agent: number, listener: ChunkListener): ChunkHandle {
    const executor = this.#goesElsewhere(chunk.program.task) ? this.#elsewhere : this.#here;
    return executor.run(chunk, agent, listener);
  }

  async close(): Promise<void> {
    await this.#here.close();
    await this.#elsewhere.close();
  }
}

/**
 * Whether a task's subtasks may run on another machine. What acts on files stays with the checkout that was backed up, which is the
 * coordinator's, and so does what stands under `finally`.
 */
export function mayGoElsewhere({ work }: TaskDefinition): boolean {
  return work.kind !== 'builtin' || !(work.action.startsWith('files/') || work.action === 'data/read');
}
