import { contentHash } from '../model/ids.js';

/** Where a record is, and how it ended. */
export interface RecordPlace {
  /** Number of the wave's file. */
  readonly wave: number;
  readonly offset: number;
  readonly bytes: number;
  readonly success: boolean;
  /** The failure is a time-out. */
  readonly timedOut?: boolean;
}

const SUCCESS = 1;
const FAILURE = 2;
const TIMED_OUT = 3;
const ASKED = 4;
const DROPPED = 8;

/** A part of the places may be used before the table grows. */
const LOAD = 0.7;
const FIRST_SIZE = 16;

/**
 * Keys (16 hexadecimal digits) with the place of the last record of each: open addressing in typed arrays, 25 bytes for
 * each place. A million keys take 50 MB at most; a `Map` of texts and objects would take six times that.
 */
export class KeyTable {
  #size = 0;
  #high = new Uint32Array(FIRST_SIZE);
  #low = new Uint32Array(FIRST_SIZE);
  #offset = new Float64Array(FIRST_SIZE);
  #bytes = new Uint32Array(FIRST_SIZE);
  #wave = new Uint32Array(FIRST_SIZE);
  /** 0: free; else SUCCESS, FAILURE or both bits of TIMED_OUT, with ASKED and DROPPED added. */
  #state = new Uint8Array(FIRST_SIZE);

  /** How many keys there are. */
  get size(): number {
    return this.#size;
  }

  /** Sets a key's place; returns the one that it had. */
  set(key: string, place: RecordPlace): RecordPlace | undefined {
    if (this.#size + 1 > this.#state.length * LOAD) this.#grow();
    const [high, low] = halves(key);
    const at = this.#find(high, low);
    const before = this.#at(at);
    if (this.#state[at] === 0) this.#size++;
    this.#put(at, high, low, place);
    return before;
  }

  get(key: string): RecordPlace | undefined {
    const [high, low] = halves(key);
    return this.#at(this.#find(high, low));
  }

  /** Forgets which keys were asked for. */
  beginAsking(): void {
    for (let at = 0; at < this.#state.length; at++) this.#state[at] = (this.#state[at] ?? 0) & ~ASKED;
  }

  /** `get`, which takes down that the key was asked for. */
  ask(key: string): RecordPlace | undefined {
    const [high, low] = halves(key);
    const at = this.#find(high, low);
    const place = this.#at(at);
    if (place !== undefined) this.#state[at] = (this.#state[at] ?? 0) | ASKED;
    return place;
  }

  /** Drops every key that was not asked for since `beginAsking`, and returns them. */
  dropRest(): readonly string[] {
    const dropped: string[] = [];
    for (let at = 0; at < this.#state.length; at++) {
      const state = this.#state[at] ?? 0;
      if (state === 0 || (state & (ASKED | DROPPED)) !== 0) continue;
      this.#state[at] = state | DROPPED;
      dropped.push(`${hexOf(this.#high[at] ?? 0)}${hexOf(this.#low[at] ?? 0)}`);
    }
    return dropped;
  }

  /** Takes a key out, as `dropRest` did. */
  drop(key: string): void {
    const [high, low] = halves(key);
    const at = this.#find(high, low);
    if (this.#state[at] !== 0) this.#state[at] = (this.#state[at] ?? 0) | DROPPED;
  }

  #at(at: number): RecordPlace | undefined {
    const state = this.#state[at] ?? 0;
    if (state === 0 || (state & DROPPED) !== 0) return undefined;
    const place = { wave: this.#wave[at] ?? 0, offset: this.#offset[at] ?? 0, bytes: this.#bytes[at] ?? 0 };
    if ((state & TIMED_OUT) === TIMED_OUT) return { ...place, success: false, timedOut: true };
    return { ...place, success: (state & SUCCESS) !== 0 };
  }

  #put(at: number, high: number, low: number, place: RecordPlace): void {
    this.#high[at] = high;
    this.#low[at] = low;
    this.#offset[at] = place.offset;
    this.#bytes[at] = place.bytes;
    this.#wave[at] = place.wave;
    this.#state[at] = place.success ? SUCCESS : place.timedOut === true ? TIMED_OUT : FAILURE;
  }

  /** The key's place, or the free one where it belongs. */
  #find(high: number, low: number): number {
    const mask = this.#state.length - 1;
    let at = low & mask;
    while (this.#state[at] !== 0 && (this.#high[at] !== high || this.#low[at] !== low)) at = (at + 1) & mask;
    return at;
  }

  #grow(): void {
    const [high, low, offset, bytes, wave, state] = [this.#high, this.#low, this.#offset, this.#bytes, this.#wave, this.#state];
    const size = 2 * state.length;
    this.#high = new Uint32Array(size);
    this.#low = new Uint32Array(size);
    this.#offset = new Float64Array(size);
    this.#bytes = new Uint32Array(size);
    this.#wave = new Uint32Array(size);
    this.#state = new Uint8Array(size);
    for (let i = 0; i < state.length; i++) {
      if (state[i] === 0) continue;
      const at = this.#find(high[i] ?? 0, low[i] ?? 0);
      this.#high[at] = high[i] ?? 0;
      this.#low[at] = low[i] ?? 0;
      this.#offset[at] = offset[i] ?? 0;
      this.#bytes[at] = bytes[i] ?? 0;
      this.#wave[at] = wave[i] ?? 0;
      this.#state[at] = state[i] ?? 0;
    }
  }
}

function hexOf(half: number): string {
  return half.toString(16).padStart(8, '0');
}

/** A key is a hash already; one of another form is made into one. */
function halves(key: string): readonly [number, number] {
  const hex = /^[0-9a-f]{16}$/.test(key) ? key : contentHash(key);
  return [Number.parseInt(hex.slice(0, 8), 16), Number.parseInt(hex.slice(8), 16)];
}
