import { setTimeout as sleep } from 'node:timers/promises';
import type { Network } from './namespaces.ts';
import type { Program } from './programs.ts';
import type { RedisServer } from './redis-server.ts';

/** How long either side may be silent before it is given up. */
export const SILENCE_MS = 3000;

/** What a fault can reach. */
export interface Field {
  readonly redis: RedisServer;
  readonly network: Network;
  readonly workers: readonly Program[];
  readonly coordinator: Program;
  /** Goes on with the run, on the workers or on threads of this machine. */
  readonly resume: (where: 'bullmq' | 'threads') => Program;
}

/** Something that goes wrong in the middle of a run. */
export interface Fault {
  readonly name: string;
  /** Lets it go wrong and mends what can be mended; the coordinator whose end is the run's. */
  readonly strike: (field: Field) => Promise<Program>;
}

/** How long something is away that comes back: long enough for the others to have given it up. */
const AWAY_MS = 2 * SILENCE_MS;

export const FAULTS: readonly Fault[] = [
  {
    name: 'a worker killed',
    strike: async ({ workers, coordinator }) => {
      await workers[0]?.kill();
      return coordinator;
    },
  },
  {
    name: 'Redis killed, and started again without its data',
    strike: async ({ redis, coordinator }) => {
      await redis.kill();
      await sleep(500);
      await redis.startAgain();
      return coordinator;
    },
  },
  {
    name: "a worker's network cut, and healed",
    strike: async ({ network, coordinator }) => {
      network.cut(0);
      await sleep(AWAY_MS);
      network.heal(0);
      return coordinator;
    },
  },
  {
    name: 'a worker paused',
    strike: async ({ workers, coordinator }) => {
      workers[0]?.signal('SIGSTOP');
      await sleep(AWAY_MS);
      workers[0]?.signal('SIGCONT');
      return coordinator;
    },
  },
  {
    name: 'the coordinator killed, and resumed on the workers',
    strike: async ({ coordinator, resume }) => {
      await coordinator.kill();
      return resume('bullmq');
    },
  },
  {
    name: 'the coordinator killed, and resumed here',
    strike: async ({ coordinator, resume }) => {
      await coordinator.kill();
      return resume('threads');
    },
  },
];
