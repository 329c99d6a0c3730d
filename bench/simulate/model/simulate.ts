import { type Costs, costOf, type Fleet, type SizeOfChunk, type Work } from './costs.ts';
import { EventQueue } from './event-queue.ts';
import { makeMachines } from './machines.ts';
import { Outstanding } from './outstanding.ts';
import type { Thread } from './threads.ts';

/** A run as it is to be simulated. */
export interface Setup {
  readonly costs: Costs;
  readonly work: Work;
  readonly fleet: Fleet;
  readonly sizeOfChunk: SizeOfChunk;
  /** Numbers from 0 up to 1; the same ones give the same run. */
  readonly random: () => number;
}

/** What came of a simulated run. Shares are of the run's time, from 0 to 1. */
export interface Simulated {
  readonly ms: number;
  readonly subtasks: number;
  readonly chunks: number;
  readonly batches: number;
  readonly events: number;
  readonly subtasksPerSecond: number;
  readonly coordinatorUse: number;
  readonly redisUse: number;
  /** Of the mean agent, and of the mean worker's main thread. */
  readonly agentUse: number;
  readonly workerUse: number;
  /** Of the cores that all of it shares; undefined where every thread has its own. */
  readonly coreUse: number | undefined;
  readonly redisPeakBytes: number;
  /** Before the first chunk, and after the last batch. */
  readonly redisIdleBytes: number;
  readonly redisLeftBytes: number;
}

/**
 * The way of a chunk, each step an event, each thread first come, first served:
 *
 *   dispatch        coordinator  a chunk for an agent that may have one more
 *   chunkAtRedis    Redis        the job is added, and found by its worker
 *   chunkAtWorker   worker       taken up, and gone from Redis
 *   chunkAtAgent    agent        its subtasks, one after the other
 *   chunkDone       worker       joins what its worker collects, which is sent as a batch unless another is being posted
 *   batchAtRedis    Redis        the batch is appended to the coordinator's stream, and found by it
 *   batchLeaves
 *   batchPosted     worker       told so: what was collected meanwhile is the next batch
 *   batchAtHome     coordinator  outcomes are journalled and told
 *   batchTaken                   gone from Redis; its agents may have more
 */
const EVENTS = {
  chunkAtRedis: 0,
  chunkAtWorker: 1,
  chunkAtAgent: 2,
  chunkDone: 3,
  batchAtRedis: 4,
  batchLeaves: 5,
  batchPosted: 6,
  batchAtHome: 7,
  batchTaken: 8,
  coresTurn: 9,
  coresWaited: 10,
} as const;

/** Nobody: the end of a list of chunks. */
const NONE = -1;

/** Simulates a run to its end. The state is that of the chunks on their way, however many subtasks there are. */
export function simulate({ costs, work, fleet, sizeOfChunk, random }: Setup): Simulated {
  const events = new EventQueue();
  const codes = { turn: EVENTS.coresTurn, waited: EVENTS.coresWaited };
  const { coordinator, redis, workers, agents, shared } = makeMachines(events, fleet, codes);
  const redisIdleBytes = costs.memory.idle + costs.memory.perWorker * fleet.workers;
  const redisMemory = new Outstanding(redisIdleBytes);
  const places = agents.length * fleet.chunksPerAgent;
  const agentOf = (place: number) => Math.floor(place / fleet.chunksPerAgent);
  const workerOf = (place: number) => Math.floor(agentOf(place) / fleet.agentsPerWorker);
  /** A place holds one chunk at a time: how many subtasks it has, and which chunk follows it in its batch. */
  const sizes = new Int32Array(places);
  const followers = new Int32Array(places).fill(NONE);
  /** The chunks that each worker collects. */
  const collected = new Int32Array(fleet.workers).fill(NONE);
  /** 1 for each worker that is not done with its last batch. */
  const posting = new Uint8Array(fleet.workers);
  let [waiting, over, chunks, batches, processed] = [work.subtasks, 0, 0, 0, 0];

  const draw = (samples: readonly number[]) => samples[Math.floor(random() * samples.length)] ?? 0;
  const hop = () => draw(costs.networkMs);
  const inBatch = (first: number) => {
    let sum = 0;
    for (let place = first; place !== NONE; place = followers[place] ?? NONE) sum += sizes[place] ?? 0;
    return sum;
  };

  const dispatch = (now: number, place: number) => {
    if (waiting === 0) return;
    const subtasks = Math.min(waiting, sizeOfChunk(waiting, agents.length));
    waiting -= subtasks;
    chunks += 1;
    sizes[place] = subtasks;
    const cpuMs = costOf(costs.coordinator.chunk, subtasks);
    coordinator.add(now, { cpuMs, waitMs: 0, delayMs: hop(), kind: EVENTS.chunkAtRedis, payload: place });
  };

  const post = (now: number, worker: number) => {
    const first = collected[worker] ?? NONE;
    collected[worker] = NONE;
    posting[worker] = 1;
    batches += 1;
    const cpuMs = costOf(costs.worker.batch, inBatch(first));
    at(workers, worker).add(now, { cpuMs, waitMs: 0, delayMs: hop(), kind: EVENTS.batchAtRedis, payload: first });
  };

  const take = (now: number, kind: number, payload: number): void => {
    switch (kind) {
      case EVENTS.chunkAtRedis: {
        redisMemory.add(costOf(costs.memory.chunk, sizes[payload] ?? 0));
        const cpuMs = costOf(costs.redis.chunk, sizes[payload] ?? 0);
        redis.add(now, { cpuMs, waitMs: 0, delayMs: hop() + draw(costs.pickUpMs), kind: EVENTS.chunkAtWorker, payload });
        return;
      }
      case EVENTS.chunkAtWorker: {
        const cpuMs = costOf(costs.worker.chunk, sizes[payload] ?? 0);
        at(workers, workerOf(payload)).add(now, { cpuMs, waitMs: 0, delayMs: 0, kind: EVENTS.chunkAtAgent, payload });
        return;
      }
      case EVENTS.chunkAtAgent: {
        redisMemory.remove(costOf(costs.memory.chunk, sizes[payload] ?? 0));
        const subtasks = sizes[payload] ?? 0;
        const cpuMs = costOf(costs.agent, subtasks) + subtasks * work.cpuMs;
        const waitMs = subtasks * work.waitMs;
        at(agents, agentOf(payload)).add(now, { cpuMs, waitMs, delayMs: 0, kind: EVENTS.chunkDone, payload });
        return;
      }
      case EVENTS.chunkDone: {
        const worker = workerOf(payload);
        followers[payload] = collected[worker] ?? NONE;
        collected[worker] = payload;
        if (posting[worker] === 0) post(now, worker);
        return;
      }
      case EVENTS.batchAtRedis: {
        const subtasks = inBatch(payload);
        redisMemory.add(costOf(costs.memory.batch, subtasks));
        const cpuMs = costOf(costs.redis.batch, subtasks);
        redis.add(now, { cpuMs, waitMs: 0, delayMs: 0, kind: EVENTS.batchLeaves, payload });
        return;
      }
      case EVENTS.batchLeaves:
        events.add(now + hop(), EVENTS.batchPosted, workerOf(payload));
        events.add(now + hop(), EVENTS.batchAtHome, payload);
        return;
      case EVENTS.batchPosted:
        posting[payload] = 0;
        if (collected[payload] !== NONE) post(now, payload);
        return;
      case EVENTS.batchAtHome: {
        const cpuMs = costOf(costs.coordinator.batch, inBatch(payload));
        coordinator.add(now, { cpuMs, waitMs: 0, delayMs: 0, kind: EVENTS.batchTaken, payload });
        return;
      }
      case EVENTS.batchTaken: {
        redisMemory.remove(costOf(costs.memory.batch, inBatch(payload)));
        for (let place = payload; place !== NONE; ) {
          const follower = followers[place] ?? NONE;
          over += sizes[place] ?? 0;
          dispatch(now, place);
          place = follower;
        }
        return;
      }
      case EVENTS.coresTurn:
        shared?.turn(now);
        return;
      case EVENTS.coresWaited:
        shared?.waited(now, payload);
        return;
      default:
        throw new Error(`Internal error: no such event: ${kind}`);
    }
  };

  // Each agent gets its first chunk before any gets its second.
  for (let turn = 0; turn < fleet.chunksPerAgent; turn++)
    for (let agent = 0; agent < agents.length; agent++) dispatch(0, agent * fleet.chunksPerAgent + turn);
  let ms = 0;
  while (over < work.subtasks && events.next()) {
    processed += 1;
    ms = events.time;
    take(ms, events.kind, events.payload);
  }
  const use = (threads: readonly Thread[]) => threads.reduce((sum, { busyMs }) => sum + busyMs, 0) / (threads.length * ms);
  return {
    ms,
    subtasks: over,
    chunks,
    batches,
    events: processed,
    subtasksPerSecond: (1000 * over) / ms,
    coordinatorUse: use([coordinator]),
    redisUse: use([redis]),
    agentUse: use(agents),
    workerUse: use(workers),
    coreUse: shared === undefined ? undefined : shared.usedMs / ((fleet.sharedCores ?? 1) * ms),
    redisPeakBytes: redisMemory.peak,
    redisIdleBytes,
    redisLeftBytes: redisMemory.bytes,
  };
}

function at(threads: readonly Thread[], place: number): Thread {
  const thread = threads[place];
  if (thread === undefined) throw new Error('Internal error: no such thread');
  return thread;
}
