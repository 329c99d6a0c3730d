import { availableParallelism } from 'node:os';
import { medianOf } from '../../src/model/statistics.ts';
import type { RealThing } from './measure/real-run.ts';
import type { Costs, Work } from './model/costs.ts';
import { forecast } from './outlook.ts';

/** The model beside the real thing, for one kind of work and one number of workers. */
export interface Held {
  readonly work: string;
  readonly workers: number;
  /** Subtasks a second. */
  readonly predicted: number;
  readonly actual: readonly number[];
  /** Predicted over the median of the actual ones. */
  readonly ratio: number;
  /** What the model says is in use nearly all the time, or bounds it most. */
  readonly limit: string;
}

/** Agents of each worker. */
const AGENTS = 4;
const MOST_WORKERS = 4;

/** Runs kinds of work for real, on 1 to 4 workers that share this machine, and simulates the same. */
export async function holdAgainst(
  costs: Costs,
  real: RealThing,
  { rounds, seed, tell }: { readonly rounds: number; readonly seed: number; readonly tell: (held: Held) => void },
): Promise<readonly Held[]> {
  const turns = 50;
  const alone = await real.msOfTurns(turns);
  // What is asked for, and what of it the model is told: a timer is late, and a turn of computing takes what it takes.
  const kinds: readonly { readonly asked: Work; readonly told: (subtaskMs: number) => Work }[] = [
    simple({ name: 'no-op', subtasks: 100_000, cpuMs: 0, waitMs: 0 }),
    waiting({ name: 'wait 5 ms', subtasks: 1600, cpuMs: 0, waitMs: 5 }),
    waiting({ name: 'wait 200 ms', subtasks: 64, cpuMs: 0, waitMs: 200 }),
    computing({ name: `compute ${alone.toFixed(1)} ms`, subtasks: 120, cpuMs: turns / 10, waitMs: 0 }, alone),
  ];
  const all: Held[] = [];
  for (let workers = 1; workers <= MOST_WORKERS; workers++) {
    for (const { asked, told } of kinds) {
      const fleet = { workers, agentsPerWorker: AGENTS };
      const runs = [];
      for (let round = 0; round < rounds; round++) runs.push(await real.run(asked, fleet));
      const work = told(medianOf(runs.map(({ subtaskMs }) => subtaskMs)));
      const { run, limit } = forecast(costs, work, { ...fleet, chunksPerAgent: 1, sharedCores: availableParallelism() }, seed);
      const actual = runs.map(({ ms }) => (1000 * asked.subtasks) / ms);
      const held = {
        work: asked.name,
        workers,
        predicted: run.subtasksPerSecond,
        actual,
        ratio: run.subtasksPerSecond / medianOf(actual),
        limit,
      };
      all.push(held);
      tell(held);
    }
  }
  return all;
}

function simple(asked: Work) {
  return { asked, told: () => asked };
}

function waiting(asked: Work) {
  return { asked, told: (subtaskMs: number): Work => ({ ...asked, waitMs: Math.max(asked.waitMs, subtaskMs) }) };
}

function computing(asked: Work, aloneMs: number) {
  return { asked, told: (): Work => ({ ...asked, cpuMs: aloneMs }) };
}
