import { ownJson } from '../model/json.js';
import type { Fleet } from '../scaling/machine.js';
import type { WorkerBeat } from './protocol.js';
import type { Sealer } from './seal.js';
import type { Sealed, Wire } from './wire.js';

/** The workers as one machine. Several on one host share its cores and its memory. */
export function fleetOf(workers: readonly WorkerBeat[]): Fleet {
  const hosts = new Map(workers.map((worker) => [worker.host, worker]));
  const sum = (of: (host: WorkerBeat) => number) => [...hosts.values()].reduce((total, host) => total + of(host), 0);
  return {
    cores: sum(({ cores }) => cores),
    memoryBytes: sum(({ memoryBytes }) => memoryBytes),
    workers: { agents: workers.reduce((total, { agents }) => total + agents, 0), count: workers.length },
  };
}

/** What a session's beat says; undefined where its seal does not hold, or it is another one's. */
export function readWorkerBeat(sealer: Sealer, session: string, { text, seal }: Sealed): WorkerBeat | undefined {
  if (!sealer.holds('beat', [text], seal)) return undefined;
  const beat = ownJson(text) as WorkerBeat;
  return beat.session === session ? beat : undefined;
}

/** The workers that show themselves and have the key. */
export async function workersThere(wire: Wire, sealer: Sealer): Promise<readonly WorkerBeat[]> {
  const beats = await wire.beats('worker');
  return [...beats].flatMap(([session, sealed]) => readWorkerBeat(sealer, session, sealed) ?? []);
}

/** The same, when there are some; none where none came in time. */
export async function awaitWorkers(
  wire: Wire,
  sealer: Sealer,
  { waitMs, onWait }: { readonly waitMs: number; readonly onWait: () => void },
): Promise<readonly WorkerBeat[]> {
  const end = performance.now() + waitMs;
  for (let first = true; ; first = false) {
    const workers = await workersThere(wire, sealer);
    if (workers.length > 0 || performance.now() >= end) return workers;
    if (first) onWait();
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** How often it is looked whether a worker came. */
const LOOK_MS = 100;
