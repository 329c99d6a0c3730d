import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventQueue } from '../../../bench/simulate/model/event-queue.js';
import { LoneThread, SharedCores, type Thread } from '../../../bench/simulate/model/threads.js';
import { randomOf } from '../../../plans/make/repository.js';

const [ARRIVAL, DONE, TURN, WAITED] = [0, 1, 2, 3];

interface Arrival {
  readonly at: number;
  readonly thread: number;
  readonly cpuMs: number;
  readonly waitMs?: number;
}

/** When each of the errands ended; with cores that the threads share, or a core for each. */
function ends(arrivals: readonly Arrival[], threads: number, cores: number | undefined) {
  const events = new EventQueue();
  const shared = cores === undefined ? undefined : new SharedCores(events, cores, { turn: TURN, waited: WAITED });
  const all: readonly Thread[] = Array.from({ length: threads }, () => shared?.thread() ?? new LoneThread(events));
  const ended: number[] = [];
  arrivals.forEach(({ at }, i) => {
    events.add(at, ARRIVAL, i);
  });
  while (events.next()) {
    const { time, kind, payload } = events;
    const arrival = arrivals[payload];
    if (kind === ARRIVAL && arrival !== undefined) {
      const { thread, cpuMs, waitMs = 0 } = arrival;
      all[thread]?.add(time, { cpuMs, waitMs, delayMs: 0, kind: DONE, payload });
    } else if (kind === DONE) ended[payload] = time;
    else if (kind === TURN) shared?.turn(time);
    else shared?.waited(time, payload);
  }
  return { ended, busyMs: all.map((thread) => thread.busyUntil(events.time)), usedMs: shared?.usedMs };
}

const time = fc.integer({ min: 1, max: 50 });
/** No two at the same time: who of them is first is nobody's business. */
const anyArrivals = fc.uniqueArray(fc.record({ at: time, thread: fc.integer({ min: 0, max: 3 }), cpuMs: time, waitMs: time }), {
  maxLength: 30,
  selector: ({ at }) => at,
});

describe('a thread', () => {
  it('does one errand at a time, in the order in which they came', () => {
    const { ended, busyMs } = ends(
      [
        { at: 0, thread: 0, cpuMs: 10 },
        { at: 5, thread: 0, cpuMs: 10 },
        { at: 50, thread: 0, cpuMs: 1, waitMs: 4 },
      ],
      1,
      undefined,
    );
    expect(ended).toEqual([10, 20, 55]);
    expect(busyMs).toEqual([25]);
  });

  it('waits, before a fixed service, as long as Pollaczek and Khinchine say of random arrivals', () => {
    const random = randomOf(1);
    const [service, utilisation, count] = [1, 0.7, 200_000];
    let at = 0;
    const arrivals = Array.from({ length: count }, () => {
      at += (-Math.log(1 - random()) * service) / utilisation;
      return { at, thread: 0, cpuMs: service };
    });
    const { ended } = ends(arrivals, 1, undefined);
    const waited = arrivals.reduce((sum, arrival, i) => sum + (ended[i] ?? 0) - arrival.at - service, 0) / count;
    const expected = (service * utilisation) / (2 * (1 - utilisation));
    expect(Math.abs(waited / expected - 1)).toBeLessThan(0.03);
  });
});

describe('shared cores', () => {
  it('are shared evenly by those that compute, and not by those that wait', () => {
    const two = [0, 1].map((thread) => ({ at: 0, thread, cpuMs: 10 }));
    expect(ends(two, 2, 1).ended).toEqual([20, 20]);
    expect(ends([...two, { at: 0, thread: 2, cpuMs: 10 }], 3, 2).ended).toEqual([15, 15, 15]);
    const [computing, waiting] = ends(
      [
        { at: 0, thread: 0, cpuMs: 10 },
        { at: 0, thread: 1, cpuMs: 1, waitMs: 100 },
      ],
      2,
      1,
    ).ended;
    expect(computing).toBeCloseTo(11);
    expect(waiting).toBeCloseTo(102);
  });

  it('are as good as a core for each thread where there are as many', () => {
    fc.assert(
      fc.property(anyArrivals, (arrivals) => {
        const [lone, sharing] = [ends(arrivals, 4, undefined), ends(arrivals, 4, 4)];
        sharing.ended.forEach((end, i) => {
          expect(end).toBeCloseTo(lone.ended[i] ?? Number.NaN, 4);
        });
        expect(sharing.ended.length).toBe(lone.ended.length);
      }),
    );
  });

  it('give out all the time that was asked for and no more than there is, and nobody waits while a core is free', () => {
    fc.assert(
      fc.property(anyArrivals, fc.integer({ min: 1, max: 4 }), (arrivals, cores) => {
        const { ended, usedMs } = ends(arrivals, 4, cores);
        const asked = arrivals.reduce((sum, { cpuMs }) => sum + cpuMs, 0);
        expect(ended.filter((end) => end !== undefined).length).toBe(arrivals.length);
        expect(usedMs).toBeCloseTo(asked, 3);
        const span = Math.max(0, ...ended);
        expect(asked).toBeLessThanOrEqual(cores * span + 1e-3);
        const waits = arrivals.reduce((sum, { waitMs }) => sum + waitMs, 0);
        expect(span).toBeLessThanOrEqual(50 + asked + waits + 1e-3);
      }),
    );
  });
});
