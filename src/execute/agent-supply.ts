/**
 * The agents of a wave: which of them are idle, and how many there may be. Agents are numbered from 0; when the number
 * shrinks, those above it end their work and are not used again until it grows.
 */
export class AgentSupply {
  /** As many as are asked for, and not more than the cap and the room. */
  #size: number;
  #wanted: number;
  #cap = Number.POSITIVE_INFINITY;
  #room = Number.POSITIVE_INFINITY;
  /** Handed out in turn, so that the agents of all threads get work. */
  #idle: number[];
  readonly #busy = new Set<number>();

  constructor(size: number) {
    this.#size = size;
    this.#wanted = size;
    this.#idle = Array.from({ length: size }, (_, agent) => agent);
  }

  get size(): number {
    return this.#size;
  }

  /** The most agents that failures leave; infinite where they set no bound. */
  get cap(): number {
    return this.#cap;
  }

  /** An idle agent, which is then busy; `undefined` when there is none. */
  take(): number | undefined {
    const agent = this.#idle.shift();
    if (agent !== undefined) this.#busy.add(agent);
    return agent;
  }

  get hasIdle(): boolean {
    return this.#idle.length > 0;
  }

  giveBack(agent: number): void {
    this.#busy.delete(agent);
    if (agent < this.#size) this.#idle.push(agent);
  }

  /** How many are asked for from now on. */
  resize(wanted: number): void {
    this.#wanted = wanted;
    this.#apply();
  }

  /** How many there may be at most from now on, whatever is asked for. */
  capAt(most: number): void {
    this.#cap = most;
    this.#apply();
  }

  /** For how many the executor has room from now on, whatever is asked for. */
  roomFor(agents: number): void {
    this.#room = agents;
    this.#apply();
  }

  #apply(): void {
    const size = Math.min(this.#wanted, this.#cap, this.#room);
    for (let agent = this.#size; agent < size; agent++) if (!this.#busy.has(agent)) this.#idle.push(agent);
    if (size < this.#size) this.#idle = this.#idle.filter((agent) => agent < size);
    this.#size = size;
  }
}
