/** Room at first; it doubles when it is full. */
const ROOM = 1024;

/**
 * Events by time. An event is a number or two, not an object: there are tens of millions in a simulation, and few at a time.
 * A heap of four children a node, which is half as deep as a binary one.
 */
export class EventQueue {
  #times = new Float64Array(ROOM);
  #kinds = new Uint8Array(ROOM);
  #payloads = new Int32Array(ROOM);
  #size = 0;
  /** Of the event that `next` took. */
  time = 0;
  kind = 0;
  payload = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds an event. Events of the same time come in an order that only what was added before determines. */
  add(time: number, kind: number, payload: number): void {
    if (this.#size === this.#times.length) this.#grow();
    let place = this.#size++;
    while (place > 0) {
      const parent = (place - 1) >> 2;
      if (this.#timeAt(parent) <= time) break;
      this.#copy(parent, place);
      place = parent;
    }
    this.#put(place, time, kind, payload);
  }

  /** Takes the earliest event into `time`, `kind` and `payload`; false where there is none. */
  next(): boolean {
    if (this.#size === 0) return false;
    this.time = this.#timeAt(0);
    this.kind = this.#kinds[0] ?? 0;
    this.payload = this.#payloads[0] ?? 0;
    const last = --this.#size;
    const time = this.#timeAt(last);
    let place = 0;
    for (;;) {
      const child = this.#earliestChild(place);
      if (child === undefined || this.#timeAt(child) >= time) break;
      this.#copy(child, place);
      place = child;
    }
    this.#put(place, time, this.#kinds[last] ?? 0, this.#payloads[last] ?? 0);
    return true;
  }

  #earliestChild(place: number): number | undefined {
    const first = 4 * place + 1;
    if (first >= this.#size) return undefined;
    const end = Math.min(first + 4, this.#size);
    let earliest = first;
    for (let child = first + 1; child < end; child++) if (this.#timeAt(child) < this.#timeAt(earliest)) earliest = child;
    return earliest;
  }

  #timeAt(place: number): number {
    return this.#times[place] ?? Number.POSITIVE_INFINITY;
  }

  #copy(from: number, to: number): void {
    this.#put(to, this.#timeAt(from), this.#kinds[from] ?? 0, this.#payloads[from] ?? 0);
  }

  #put(place: number, time: number, kind: number, payload: number): void {
    this.#times[place] = time;
    this.#kinds[place] = kind;
    this.#payloads[place] = payload;
  }

  #grow(): void {
    const grown = <T extends Float64Array | Uint8Array | Int32Array>(to: T, from: T): T => {
      to.set(from);
      return to;
    };
    this.#times = grown(new Float64Array(2 * this.#size), this.#times);
    this.#kinds = grown(new Uint8Array(2 * this.#size), this.#kinds);
    this.#payloads = grown(new Int32Array(2 * this.#size), this.#payloads);
  }
}
