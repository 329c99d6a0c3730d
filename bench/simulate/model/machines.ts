import type { Fleet } from './costs.ts';
import type { EventQueue } from './event-queue.ts';
import { type CoreEvents, LoneThread, SharedCores, type Thread } from './threads.ts';

/** The threads of a distributed run. */
export interface Machines {
  readonly coordinator: Thread;
  readonly redis: Thread;
  /** The main thread of each worker. */
  readonly workers: readonly Thread[];
  /** Those of worker w are at w × agents per worker, and on. */
  readonly agents: readonly Thread[];
  /** Undefined where every thread has a core of its own. */
  readonly shared: SharedCores | undefined;
}

/** Makes the threads, each on a core of its own or all on those that the fleet shares. */
export function makeMachines(events: EventQueue, fleet: Fleet, codes: CoreEvents): Machines {
  const { workers, agentsPerWorker, sharedCores } = fleet;
  const shared = sharedCores === undefined ? undefined : new SharedCores(events, sharedCores, codes);
  const thread = () => shared?.thread() ?? new LoneThread(events);
  const several = (count: number) => Array.from({ length: count }, thread);
  return {
    coordinator: thread(),
    redis: thread(),
    workers: several(workers),
    agents: several(workers * agentsPerWorker),
    shared,
  };
}
