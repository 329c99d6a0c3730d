import type { EventQueue } from './event-queue.ts';

/** What a thread does next: time on a core, time in which it only waits, and the event that follows. */
export interface Errand {
  readonly cpuMs: number;
  readonly waitMs: number;
  /** Between the errand's end and its event, in which the thread is free again. */
  readonly delayMs: number;
  readonly kind: number;
  readonly payload: number;
}

/** A thread does one errand at a time, first come, first served. */
export interface Thread {
  readonly add: (now: number, errand: Errand) => void;
  /** Time in which it had an errand, up to now; in milliseconds. */
  readonly busyUntil: (now: number) => number;
}

/** A thread with a core of its own: when an errand ends is known at once. */
export class LoneThread implements Thread {
  readonly #events: EventQueue;
  #freeAt = 0;
  #busyMs = 0;

  constructor(events: EventQueue) {
    this.#events = events;
  }

  add(now: number, { cpuMs, waitMs, delayMs, kind, payload }: Errand): void {
    const ms = cpuMs + waitMs;
    this.#busyMs += ms;
    this.#freeAt = Math.max(now, this.#freeAt) + ms;
    this.#events.add(this.#freeAt + delayMs, kind, payload);
  }

  busyUntil(now: number): number {
    return this.#busyMs - Math.max(0, this.#freeAt - now);
  }
}

/** What rounding may leave of an errand: a nanosecond. */
const ROUNDING_MS = 1e-6;

/** The events by which shared cores are told that time went by; handed back to `SharedCores.turn` and `SharedCores.waited`. */
export interface CoreEvents {
  readonly turn: number;
  readonly waited: number;
}

interface Sharing {
  readonly queue: Errand[];
  remainingMs: number;
  begunAt: number;
  busyMs: number;
}

/**
 * Cores that threads share: of n threads that have something to compute, each gets an equal part, at most a whole core, which
 * is what a fair scheduler comes to (egalitarian processor sharing).
 */
export class SharedCores {
  readonly #events: EventQueue;
  readonly #cores: number;
  readonly #codes: CoreEvents;
  readonly #threads: Sharing[] = [];
  readonly #running = new Set<number>();
  #at = 0;
  #turnAt = Number.POSITIVE_INFINITY;
  /** Time on a core, of all threads, in milliseconds. */
  usedMs = 0;

  constructor(events: EventQueue, cores: number, codes: CoreEvents) {
    this.#events = events;
    this.#cores = cores;
    this.#codes = codes;
  }

  /** A new thread on these cores. */
  thread(): Thread {
    const id = this.#threads.length;
    const sharing: Sharing = { queue: [], remainingMs: 0, begunAt: 0, busyMs: 0 };
    this.#threads.push(sharing);
    return {
      add: (now, errand) => {
        sharing.queue.push(errand);
        if (sharing.queue.length === 1) this.#begin(now, id);
      },
      busyUntil: (now) => sharing.busyMs + (sharing.queue.length > 0 ? now - sharing.begunAt : 0),
    };
  }

  /** The event `turn` has come. */
  turn(now: number): void {
    if (now !== this.#turnAt) return;
    this.#advance(now);
    for (const id of [...this.#running]) {
      const sharing = this.#threadAt(id);
      if (sharing.remainingMs > ROUNDING_MS) continue;
      this.#running.delete(id);
      const waitMs = sharing.queue[0]?.waitMs ?? 0;
      if (waitMs > 0) this.#events.add(now + waitMs, this.#codes.waited, id);
      else this.#end(now, id);
    }
    this.#planTurn(now);
  }

  /** The event `waited` has come, with its payload. */
  waited(now: number, id: number): void {
    this.#advance(now);
    this.#end(now, id);
    this.#planTurn(now);
  }

  #begin(now: number, id: number): void {
    this.#advance(now);
    this.#take(now, id);
    this.#planTurn(now);
  }

  #take(now: number, id: number): void {
    const sharing = this.#threadAt(id);
    const errand = sharing.queue[0];
    if (errand === undefined) return;
    sharing.begunAt = now;
    sharing.remainingMs = errand.cpuMs;
    this.#running.add(id);
  }

  #end(now: number, id: number): void {
    const sharing = this.#threadAt(id);
    const errand = sharing.queue.shift();
    if (errand === undefined) throw new Error('Internal error: a thread ended what it had not begun');
    sharing.busyMs += now - sharing.begunAt;
    this.#events.add(now + errand.delayMs, errand.kind, errand.payload);
    this.#take(now, id);
  }

  #advance(now: number): void {
    const share = Math.min(1, this.#cores / Math.max(1, this.#running.size));
    const each = (now - this.#at) * share;
    this.#at = now;
    if (each === 0) return;
    for (const id of this.#running) this.#threadAt(id).remainingMs -= each;
    this.usedMs += each * this.#running.size;
  }

  #planTurn(now: number): void {
    let least = Number.POSITIVE_INFINITY;
    for (const id of this.#running) least = Math.min(least, this.#threadAt(id).remainingMs);
    if (least === Number.POSITIVE_INFINITY) return;
    this.#turnAt = now + Math.max(0, least) * Math.max(1, this.#running.size / this.#cores);
    this.#events.add(this.#turnAt, this.#codes.turn, 0);
  }

  #threadAt(id: number): Sharing {
    const sharing = this.#threads[id];
    if (sharing === undefined) throw new Error('Internal error: no such thread');
    return sharing;
  }
}
