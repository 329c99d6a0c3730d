import { type Costs, costOf, type Fleet, type Sizing, type Work } from './costs.ts';
import { EventQueue } from './event-queue.ts';
import { makeMachines } from './machines.ts';
import { Outstanding } from './outstanding.ts';
import type { Thread } from './threads.ts';

/** A run as it is to be simulated. */
export interface Setup {
  readonly costs: Costs;
  readonly work: Work;
  readonly fleet: Fleet;
  readonly sizing: Sizing;
  /** Numbers from 0 up to 1; the same ones give the same run. */
  readonly random: () => number;
}

/** What came of a simulated run. Shares are of the run's time, from 0 to 1. */
export interface Simulated {
  readonly ms: number;
  readonly subtasks: number;
  readonly chunks: number;
  /** In both directions. */
  readonly envelopes: number;
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
 *   dispatch          coordinator  a chunk for an agent that may have one more
 *   chunkAtRedis      Redis        the job is added, and found by its worker
 *   chunkAtWorker     worker       taken up, and gone from Redis
 *   chunkAtAgent      agent        its subtasks, one after the other; that it was taken up is told, when there is time for that
 *   chunkDone         worker       is told at once, with all that was gathered, unless another envelope is being posted
 *   envelopeAtRedis   Redis        appended to the coordinator's stream, and found by it
 *   envelopeLeaves
 *   envelopePosted    worker       told so: what was gathered meanwhile is the next envelope
 *   envelopeAtHome    coordinator  outcomes are journalled and told
 *   envelopeTaken                  gone from Redis; its agents may have more
 *   gathered          worker       what is not urgent has waited long enough
 *   acknowledge       coordinator  so has what it took in: an envelope to the worker
 *   ackAtRedis        Redis
 *   ackAtWorker       worker
 */
const EVENTS = {
  chunkAtRedis: 0,
  chunkAtWorker: 1,
  chunkAtAgent: 2,
  chunkDone: 3,
  envelopeAtRedis: 4,
  envelopeLeaves: 5,
  envelopePosted: 6,
  envelopeAtHome: 7,
  envelopeTaken: 8,
  gathered: 9,
  acknowledge: 10,
  ackAtRedis: 11,
  ackAtWorker: 12,
  nothing: 13,
  coresTurn: 14,
  coresWaited: 15,
} as const;

/** Nobody: the end of a list of chunks. */
const NONE = -1;

/** Simulates a run to its end. The state is that of the chunks on their way, however many subtasks there are. */
export function simulate({ costs, work, fleet, sizing, random }: Setup): Simulated {
  const events = new EventQueue();
  const codes = { turn: EVENTS.coresTurn, waited: EVENTS.coresWaited };
  const { coordinator, redis, workers, agents, shared } = makeMachines(events, fleet, codes);
  const redisIdleBytes = costs.memory.idle + costs.memory.perWorker * fleet.workers;
  const redisMemory = new Outstanding(redisIdleBytes);
  const places = agents.length * fleet.chunksPerAgent;
  const agentOf = (place: number) => Math.floor(place / fleet.chunksPerAgent);
  const workerOf = (place: number) => Math.floor(agentOf(place) / fleet.agentsPerWorker);
  /** A place holds one chunk at a time: how many subtasks it has, when it was sent, and which chunk follows it in its envelope. */
  const sizes = new Int32Array(places);
  const sentAt = new Float64Array(places);
  const followers = new Int32Array(places).fill(NONE);
  /** 1 for each agent that had no chunk yet, and for each place whose chunk is its agent's first. */
  const coldAgents = new Uint8Array(agents.length).fill(1);
  const first = new Uint8Array(places);
  /** Of each worker: the chunks whose end is to be told; whether it posts; whether it must post again; when it would anyway. */
  const ended = new Int32Array(fleet.workers).fill(NONE);
  const posting = new Uint8Array(fleet.workers);
  const urgent = new Uint8Array(fleet.workers);
  const gatheredAt = new Float64Array(fleet.workers).fill(Number.POSITIVE_INFINITY);
  /** 1 for each worker that the coordinator has something to acknowledge to. */
  const unacknowledged = new Uint8Array(fleet.workers);
  let [waiting, over, chunks, envelopes, processed] = [work.subtasks, 0, 0, 0, 0];

  const draw = (samples: readonly number[]) => samples[Math.floor(random() * samples.length)] ?? 0;
  const hop = () => draw(costs.networkMs);
  /** An envelope is named by its first chunk, one without chunks by its worker. */
  const emptyOf = (worker: number) => -2 - worker;
  const senderOf = (envelope: number) => (envelope < NONE ? -2 - envelope : workerOf(envelope));
  const subtasksIn = (envelope: number) => {
    let sum = 0;
    for (let place = envelope; place > NONE; place = followers[place] ?? NONE) sum += sizes[place] ?? 0;
    return sum;
  };

  const dispatch = (now: number, place: number) => {
    if (waiting === 0) return;
    const subtasks = Math.min(waiting, sizing.next(waiting, agents.length));
    waiting -= subtasks;
    chunks += 1;
    sizes[place] = subtasks;
    sentAt[place] = now;
    const cpuMs = costOf(costs.coordinator.chunk, subtasks);
    coordinator.add(now, { cpuMs, waitMs: 0, delayMs: hop(), kind: EVENTS.chunkAtRedis, payload: place });
  };

  const post = (now: number, worker: number) => {
    const chunk = ended[worker] ?? NONE;
    const payload = chunk === NONE ? emptyOf(worker) : chunk;
    ended[worker] = NONE;
    posting[worker] = 1;
    urgent[worker] = 0;
    gatheredAt[worker] = Number.POSITIVE_INFINITY;
    envelopes += 1;
    const cpuMs = costOf(costs.worker.envelope, subtasksIn(payload));
    at(workers, worker).add(now, { cpuMs, waitMs: 0, delayMs: hop(), kind: EVENTS.envelopeAtRedis, payload });
  };

  const postSoon = (now: number, worker: number) => {
    if (posting[worker] === 0) post(now, worker);
    else urgent[worker] = 1;
  };

  const cameBack = (now: number, place: number) => {
    const subtasks = sizes[place] ?? 0;
    const busyMs = subtasks * (work.cpuMs + work.waitMs) + (first[place] ?? 0) * costs.coldMs;
    over += subtasks;
    sizing.cameBack(subtasks, busyMs, now - (sentAt[place] ?? 0) - busyMs);
    dispatch(now, place);
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
        const worker = workerOf(payload);
        if (gatheredAt[worker] === Number.POSITIVE_INFINITY) {
          gatheredAt[worker] = now + costs.gatherMs;
          events.add(now + costs.gatherMs, EVENTS.gathered, worker);
        }
        const subtasks = sizes[payload] ?? 0;
        const agent = agentOf(payload);
        first[payload] = coldAgents[agent] ?? 0;
        coldAgents[agent] = 0;
        const cpuMs = costOf(costs.agent, subtasks) + subtasks * work.cpuMs + (first[payload] ?? 0) * costs.coldMs;
        const waitMs = subtasks * work.waitMs;
        at(agents, agent).add(now, { cpuMs, waitMs, delayMs: 0, kind: EVENTS.chunkDone, payload });
        return;
      }
      case EVENTS.chunkDone: {
        const worker = workerOf(payload);
        followers[payload] = ended[worker] ?? NONE;
        ended[worker] = payload;
        postSoon(now, worker);
        return;
      }
      case EVENTS.gathered:
        if (now !== gatheredAt[payload]) return;
        gatheredAt[payload] = Number.POSITIVE_INFINITY;
        postSoon(now, payload);
        return;
      case EVENTS.envelopeAtRedis: {
        const subtasks = subtasksIn(payload);
        redisMemory.add(costOf(costs.memory.envelope, subtasks));
        const cpuMs = costOf(costs.redis.envelope, subtasks);
        redis.add(now, { cpuMs, waitMs: 0, delayMs: 0, kind: EVENTS.envelopeLeaves, payload });
        return;
      }
      case EVENTS.envelopeLeaves:
        events.add(now + hop(), EVENTS.envelopePosted, senderOf(payload));
        events.add(now + hop(), EVENTS.envelopeAtHome, payload);
        return;
      case EVENTS.envelopePosted:
        posting[payload] = 0;
        if (urgent[payload] === 1) post(now, payload);
        return;
      case EVENTS.envelopeAtHome: {
        const cpuMs = costOf(costs.coordinator.envelope, subtasksIn(payload));
        coordinator.add(now, { cpuMs, waitMs: 0, delayMs: 0, kind: EVENTS.envelopeTaken, payload });
        return;
      }
      case EVENTS.envelopeTaken: {
        redisMemory.remove(costOf(costs.memory.envelope, subtasksIn(payload)));
        const worker = senderOf(payload);
        if (unacknowledged[worker] === 0) events.add(now + costs.acknowledgeMs, EVENTS.acknowledge, worker);
        unacknowledged[worker] = 1;
        for (let place = payload; place > NONE; ) {
          const follower = followers[place] ?? NONE;
          cameBack(now, place);
          place = follower;
        }
        return;
      }
      case EVENTS.acknowledge: {
        unacknowledged[payload] = 0;
        envelopes += 1;
        const cpuMs = costOf(costs.coordinator.envelope, 0);
        coordinator.add(now, { cpuMs, waitMs: 0, delayMs: hop(), kind: EVENTS.ackAtRedis, payload });
        return;
      }
      case EVENTS.ackAtRedis:
        redis.add(now, { cpuMs: costOf(costs.redis.envelope, 0), waitMs: 0, delayMs: hop(), kind: EVENTS.ackAtWorker, payload });
        return;
      case EVENTS.ackAtWorker: {
        const cpuMs = costOf(costs.worker.envelope, 0);
        at(workers, payload).add(now, { cpuMs, waitMs: 0, delayMs: 0, kind: EVENTS.nothing, payload });
        return;
      }
      case EVENTS.nothing:
        return;
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
    for (let agent = 0; agent < agents.length; agent++) dispatch(costs.startMs, agent * fleet.chunksPerAgent + turn);
  let ms = 0;
  while (over < work.subtasks && events.next()) {
    processed += 1;
    ms = events.time;
    take(ms, events.kind, events.payload);
  }
  const use = (threads: readonly Thread[]) =>
    threads.reduce((sum, thread) => sum + thread.busyUntil(ms), 0) / (threads.length * ms);
  return {
    ms,
    subtasks: over,
    chunks,
    envelopes,
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
