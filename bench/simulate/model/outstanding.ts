/** What is in Redis at a time, and the most that ever was; in bytes. */
export class Outstanding {
  #bytes: number;
  #peak: number;

  constructor(idle: number) {
    this.#bytes = idle;
    this.#peak = idle;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.#peak) this.#peak = this.#bytes;
  }

  remove(bytes: number): void {
    this.#bytes -= bytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get peak(): number {
    return this.#peak;
  }
}
