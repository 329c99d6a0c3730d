import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { workByItself } from '../../../src/scaling/saturation.js';
import { sharedThroughput, waitingByItself } from '../../../src/scaling/shared-cores.js';

const demands = fc.record({
  waiting: fc.double({ min: 0.0001, max: 10, noNaN: true }),
  computing: fc.double({ min: 0.0001, max: 10, noNaN: true }),
});
const coreCounts = fc.integer({ min: 1, max: 64 });
const agentCounts = fc.integer({ min: 1, max: 500 });
const ABOUT = 1 + 1e-9;

describe('sharedThroughput', () => {
  it('is what the weights of the states come to', () => {
    // By hand: weights 1, 2.8, 2.94, 2.058, 0.7203 for 0 to 4 agents at two cores.
    const busy = (2.8 + 2 * (2.94 + 2.058 + 0.7203)) / (1 + 2.8 + 2.94 + 2.058 + 0.7203);
    expect(sharedThroughput(4, { waiting: 5, computing: 3.5 }, 2)).toBeCloseTo(busy / 3.5, 10);
  });

  it('is never above what agents or cores allow, and grows with both', () => {
    fc.assert(
      fc.property(demands, agentCounts, coreCounts, (demand, agents, cores) => {
        const now = sharedThroughput(agents, demand, cores);
        const { waiting, computing } = demand;
        expect(now).toBeLessThanOrEqual(Math.min(agents / (waiting + computing), cores / computing) * ABOUT);
        expect(sharedThroughput(agents + 1, demand, cores) * ABOUT).toBeGreaterThanOrEqual(now);
        expect(sharedThroughput(agents, demand, cores + 1) * ABOUT).toBeGreaterThanOrEqual(now);
      }),
    );
  });

  it('comes to the bounds far from the knee, and for any number of agents', () => {
    expect(sharedThroughput(2, { waiting: 1, computing: 1 }, 2)).toBe(1);
    expect(sharedThroughput(8, { waiting: 0, computing: 2 }, 2)).toBe(1);
    expect(sharedThroughput(1500, { waiting: 1, computing: 1 }, 2)).toBeCloseTo(2, 6);
    expect(sharedThroughput(1e6, { waiting: 1, computing: 1 }, 2)).toBe(2);
  });
});

describe('waitingByItself', () => {
  it('finds the waiting that made what was seen, where the cores had room', () => {
    fc.assert(
      fc.property(demands, agentCounts, coreCounts, (demand, agents, cores) => {
        const throughput = sharedThroughput(agents, demand, cores);
        fc.pre(throughput * demand.computing < 0.95 * cores);
        const found = waitingByItself(agents / throughput, demand.computing, agents, cores);
        expect(Math.abs(found - demand.waiting)).toBeLessThan(1e-3 * (agents / throughput));
      }),
    );
  });
});

describe('workByItself', () => {
  it('takes off what work waited for a core, and no more than that where cores were full', () => {
    const demand = { waiting: 0.005, computing: 0.0035 };
    const observedOn = (agents: number) => {
      const wallSeconds = 300 / sharedThroughput(agents, demand, 2);
      return { subtasks: 300, busySeconds: agents * wallSeconds, cpuSeconds: 300 * demand.computing, wallSeconds };
    };
    const found = workByItself(observedOn(4), 'general', 2);
    expect(found.seconds).toBeCloseTo(0.0085, 5);
    expect(found.cpuShare).toBeCloseTo(0.0035 / 0.0085, 3);
    const full = observedOn(40);
    expect(workByItself(full, 'general', 2).seconds).toBe(full.busySeconds / 300);
    expect(workByItself(full, 'computation', 2)).toEqual({ seconds: 0.0035, cpuShare: 1 });
  });

  it('leaves alone what took no processor time, and nothing', () => {
    expect(workByItself({ subtasks: 4, busySeconds: 2, cpuSeconds: 0, wallSeconds: 1 }, 'general', 2)).toEqual({
      seconds: 0.5,
      cpuShare: 0,
    });
    expect(workByItself({ subtasks: 0, busySeconds: 0, cpuSeconds: 1, wallSeconds: 1 }, 'general', 2).seconds).toBe(0);
  });
});
