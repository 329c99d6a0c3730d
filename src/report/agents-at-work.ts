/** Counts the agents that have work at one moment. Its size follows the subtasks in flight. */
export class AgentsAtWork {
  readonly #agentOf = new Map<string, string>();
  readonly #load = new Map<string, number>();
  readonly #seenInWave = new Set<string>();
  #peak = 0;
  #mostInWave = 0;

  started(subtask: string, agent: string): void {
    this.ended(subtask);
    this.#agentOf.set(subtask, agent);
    this.#load.set(agent, (this.#load.get(agent) ?? 0) + 1);
    this.#peak = Math.max(this.#peak, this.#load.size);
  }

  ended(subtask: string): void {
    const agent = this.#agentOf.get(subtask);
    if (agent === undefined) return;
    this.#agentOf.delete(subtask);
    const left = (this.#load.get(agent) ?? 0) - 1;
    if (left > 0) this.#load.set(agent, left);
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

  get running(): number {
    return this.#agentOf.size;
  }

  get peak(): { readonly agents: number; readonly source: 'observed' | 'wave' } {
    return this.#peak > 0 ? { agents: this.#peak, source: 'observed' } : { agents: this.#mostInWave, source: 'wave' };
  }
}
