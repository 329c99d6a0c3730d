/** Sums up how long how many agents were there, for a wave whose number of agents changes. Agent milliseconds. */
export class AgentTime {
  #agents: number;
  #since: number;
  readonly #first: { readonly agents: number; readonly at: number };
  #sum = 0;

  constructor(agents: number, at: number) {
    this.#agents = agents;
    this.#since = at;
    this.#first = { agents, at };
  }

  /** Now. */
  get agents(): number {
    return this.#agents;
  }

  change(agents: number, at: number): void {
    this.#sum += this.#agents * Math.max(0, at - this.#since);
    this.#agents = agents;
    this.#since = at;
  }

  /**
   * Of a wave that took `durationMs` and ended at `at`. What it took before its agents were ready counts with the first
   * number of them.
   */
  total(durationMs: number, at: number): number {
    const early = Math.max(0, durationMs - Math.max(0, at - this.#first.at));
    return this.#sum + this.#agents * Math.max(0, at - this.#since) + this.#first.agents * early;
  }
}
