import type { Overhead } from '../model/scaling-decision.js';
import type { Calibration, RemoteCost } from './calibration.js';
import type { WorkCost } from './fit.js';
import type { WorkKind } from './workload.js';

/** A regression over noise may come out at or below nothing; an agent still costs this much, in seconds. */
const LEAST_OVERHEAD_SECONDS = 1e-6;

/** The overhead of a kind of work as measured, and where it comes from. */
export function measuredOverhead({ method, measured, modules, commands }: Calibration, kind: WorkKind): Overhead {
  const cost = kind === 'modules' ? modules : commands;
  const how = method === 'bench' ? 'waveplan bench' : 'a quick calibration';
  return {
    secondsPerAgent: Math.max(LEAST_OVERHEAD_SECONDS, cost.secondsPerAgent),
    secondsPerWave: Math.max(0, cost.secondsPerWave),
    source: 'measured',
    origin: `${how} on ${measured.slice(0, 16).replace('T', ' ')} UTC, for ${kind}`,
  };
}

/** The overhead of agents on other machines as measured, and where it comes from. */
export function remoteOverhead({ measured, workers, secondsPerAgent, secondsPerWave }: RemoteCost): Overhead {
  const on = workers === 1 ? 'a worker' : `${workers} workers`;
  return {
    secondsPerAgent: Math.max(LEAST_OVERHEAD_SECONDS, secondsPerAgent),
    secondsPerWave: Math.max(0, secondsPerWave),
    source: 'measured',
    origin: `waveplan bench --redis on ${measured.slice(0, 16).replace('T', ' ')} UTC, with ${on}`,
  };
}

/**
 * What each kind of work costs on other machines. A single subtask's way there and back is what an agent waits between two
 * chunks; of the many that a chunk holds, each waits for its share of it.
 */
export function remoteWorkCosts(
  { commands, barrierSeconds }: Calibration,
  { secondsPerWave, secondsPerAgent, dispatchSeconds }: RemoteCost,
): Readonly<Record<WorkKind, WorkCost>> {
  const common = {
    secondsPerWave: Math.max(0, secondsPerWave) + barrierSeconds,
    secondsPerAgent: Math.max(LEAST_OVERHEAD_SECONDS, secondsPerAgent),
    dispatchSeconds,
  };
  // To start a command costs there what it costs here.
  return {
    modules: common,
    commands: { ...common, secondsPerAgent: common.secondsPerAgent + Math.max(0, commands.secondsPerAgent) },
  };
}

/** What each kind of work costs. The barrier belongs to every wave. */
export function workCosts({
  modules,
  commands,
  dispatchSeconds,
  turnaroundSeconds,
  barrierSeconds,
}: Calibration): Readonly<Record<WorkKind, WorkCost>> {
  const cost = (kind: WorkKind): WorkCost => {
    const wave = kind === 'modules' ? modules : commands;
    return {
      secondsPerWave: Math.max(0, wave.secondsPerWave) + barrierSeconds,
      secondsPerAgent: Math.max(LEAST_OVERHEAD_SECONDS, wave.secondsPerAgent),
      dispatchSeconds: dispatchSeconds[kind],
      ...(turnaroundSeconds && { turnaroundSeconds: turnaroundSeconds[kind] }),
    };
  };
  return { modules: cost('modules'), commands: cost('commands') };
}

/** What starting a pool of so many threads takes, in seconds. */
export function startSeconds({ threadStart }: Calibration, threads: number): number {
  return threads <= 0 ? 0 : threadStart.first + threadStart.each * (threads - 1);
}

/** What starting threads costs from wave to wave: threads stay, so only those that are new are paid for. */
export class ThreadStarts {
  readonly #calibration: Calibration | undefined;
  #started = 0;

  constructor(calibration: Calibration | undefined) {
    this.#calibration = calibration;
  }

  /** Seconds for a wave on so many threads. */
  next(threads: number): number {
    if (this.#calibration === undefined || threads <= this.#started) return 0;
    const before = startSeconds(this.#calibration, this.#started);
    this.#started = threads;
    return startSeconds(this.#calibration, threads) - before;
  }
}
