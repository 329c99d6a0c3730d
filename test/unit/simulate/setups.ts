import fc from 'fast-check';
import type { Costs, Fleet, Work } from '../../../bench/simulate/model/costs.js';
import { type Simulated, simulate } from '../../../bench/simulate/model/simulate.js';
import { randomOf } from '../../../plans/make/repository.js';

/** Costs in the order of magnitude of real ones; tests replace what they are about. */
export const COSTS: Costs = {
  coordinator: { chunk: { each: 0.1, perSubtask: 0.0005 }, envelope: { each: 0.1, perSubtask: 0.001 } },
  redis: { chunk: { each: 0.08, perSubtask: 0.0001 }, envelope: { each: 0.05, perSubtask: 0.0001 } },
  worker: { chunk: { each: 0.2, perSubtask: 0.0003 }, envelope: { each: 0.1, perSubtask: 0.0003 } },
  agent: { each: 0.05, perSubtask: 0.002 },
  coldMs: 0,
  startMs: 0,
  networkMs: [0.1],
  pickUpMs: [0.3],
  gatherMs: 20,
  acknowledgeMs: 50,
  memory: {
    idle: 1_000_000,
    perWorker: 100_000,
    chunk: { each: 1000, perSubtask: 20 },
    envelope: { each: 300, perSubtask: 200 },
  },
};

/** A run of subtasks that only wait, on machines of their own, in chunks of one size. */
export interface Sketch {
  readonly costs?: Partial<Costs>;
  readonly work?: Partial<Work>;
  readonly fleet?: Partial<Fleet>;
  readonly chunk?: number;
  readonly seed?: number;
}

/** What `simulated` simulates. */
export function setupOf({ costs = {}, work = {}, fleet = {} }: Sketch) {
  return {
    costs: { ...COSTS, ...costs },
    work: { name: 'test', subtasks: 1000, cpuMs: 0, waitMs: 5, ...work },
    fleet: { workers: 2, agentsPerWorker: 2, chunksPerAgent: 2, sharedCores: undefined, ...fleet },
  };
}

/** Simulates a sketch. */
export function simulated(sketch: Sketch): Simulated {
  const { chunk = 4, seed = 1 } = sketch;
  return simulate({ ...setupOf(sketch), sizing: { next: () => chunk, cameBack: () => {} }, random: randomOf(seed) });
}

const ms = fc.double({ min: 0.001, max: 5, noNaN: true });
const message = fc.record({ each: ms, perSubtask: fc.double({ min: 0, max: 0.5, noNaN: true }) });
const both = fc.record({ chunk: message, envelope: message });

/** Any costs, work and fleet of a size that is simulated at once. */
export const anySketch: fc.Arbitrary<Required<Omit<Sketch, 'seed'>>> = fc.record({
  costs: fc.record({
    coordinator: both,
    redis: both,
    worker: both,
    agent: message,
    gatherMs: fc.constantFrom(1, 20),
    acknowledgeMs: fc.constantFrom(1, 50),
    coldMs: fc.constantFrom(0, 10),
    startMs: fc.constantFrom(0, 100),
    networkMs: fc.array(ms, { minLength: 1, maxLength: 3 }),
    pickUpMs: fc.array(ms, { minLength: 1, maxLength: 3 }),
  }),
  work: fc.record({ subtasks: fc.integer({ min: 1, max: 400 }), cpuMs: ms, waitMs: fc.constantFrom(0, 1, 30) }),
  fleet: fc.record({
    workers: fc.integer({ min: 1, max: 6 }),
    agentsPerWorker: fc.integer({ min: 1, max: 4 }),
    chunksPerAgent: fc.integer({ min: 1, max: 3 }),
    sharedCores: fc.constantFrom(undefined, 1, 2, 4),
  }),
  chunk: fc.integer({ min: 1, max: 20 }),
});
