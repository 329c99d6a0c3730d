/** Counts the agents that have work at one moment. Its size follows the agents, not the subtasks. */
export class AgentsAtWork {
  /** Subtasks that each busy agent was handed. */
  readonly #load = new Map<string, number>();
  readonly #seenInWave = new Set<string>();
  #running = 0;
  #peak = 0;
  #mostInWave = 0;

  /** An agent was handed so many subtasks. */
  started(agent: string, subtasks = 1): void {
    this.#load.set(agent, (this.#load.get(agent) ?? 0) + subtasks);
    this.#running += subtasks;
    this.#peak = Math.max(this.#peak, this.#load.size);
  }

  /** So many of an agent's subtasks are over, or were taken back. */
  ended(agent: string | undefined, subtasks = 1): void {
    const load = agent === undefined ? undefined : this.#load.get(agent);
    if (agent === undefined || load === undefined) return;
    this.#running -= Math.min(load, subtasks);
    if (load > subtasks) this.#load.set(agent, load - subtasks);
    else this.#load.delete(agent);
  }

  /** An outcome names its agent, also where no start was recorded (a report made from checkpoints). */
  reported(agent: string): void {
    this.#seenInWave.add(agent);
    this.#mostInWave = Math.max(this.#mostInWave, this.#seenInWave.size);
  }

  /** The peak that somebody saw who was told of the starts. */
  observed(peak: number): void {
    if (Number.isSafeInteger(peak)) this.#peak = Math.max(this.#peak, peak);
  }

  waveStarted(): void {
    this.#seenInWave.clear();
  }

  /** Agents that have work. */
  get now(): number {
    return this.#load.size;
  }

  get running(): number {
    return this.#running;
  }

  get peak(): { readonly agents: number; readonly source: 'observed' | 'wave' } {
    return this.#peak > 0 ? { agents: this.#peak, source: 'observed' } : { agents: this.#mostInWave, source: 'wave' };
  }
}
