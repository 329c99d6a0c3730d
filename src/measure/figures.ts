import { medianOf, representatives, withoutOutliers } from '../model/statistics.js';
import type { Calibration, MachineFingerprint, WaveCost } from '../scaling/calibration.js';
import type { WorkKind } from '../scaling/workload.js';
import { fitCost, type Point } from './regression.js';

/** Samples of everything that a calibration is made of. Seconds. */
export interface FigureSamples {
  /** Waves of x no-op subtasks on x agents of a warm pool. */
  readonly waves: Readonly<Record<WorkKind, Point[]>>;
  /** Starting a pool of x threads. */
  readonly threadStarts: Point[];
  /** For one subtask of a wave that keeps many agents busy. */
  readonly dispatch: Readonly<Record<WorkKind, number[]>>;
  /** For one subtask of a wave on one agent, beyond its own duration. */
  readonly turnaround: Readonly<Record<WorkKind, number[]>>;
  readonly barriers: number[];
  /** One small synced write each, in the state folder; empty where there is none. */
  readonly syncedWrites: number[];
}

/** Samples of nothing yet. */
export function noSamples(): FigureSamples {
  return {
    waves: { modules: [], commands: [] },
    threadStarts: [],
    dispatch: { modules: [], commands: [] },
    turnaround: { modules: [], commands: [] },
    barriers: [],
    syncedWrites: [],
  };
}

/** Samples of one size that the regression takes: as many of the quick small waves as of the slow wide ones. */
const MOST_PER_SIZE = 32;

/** The calibration that samples come to; `undefined` while a figure has too few of them to be stated. */
export function calibrationOf(
  samples: FigureSamples,
  about: Pick<Calibration, 'method' | 'measured'> & { readonly machine: MachineFingerprint },
): Calibration | undefined {
  const modules = waveCost(samples.waves.modules);
  const commands = waveCost(samples.waves.commands);
  const threadStart = threadCost(samples.threadStarts);
  const { dispatch, turnaround, barriers, syncedWrites } = samples;
  if (modules === undefined || commands === undefined || threadStart === undefined) return undefined;
  const singles = [dispatch.modules, dispatch.commands, turnaround.modules, turnaround.commands, barriers];
  if (singles.some((list) => list.length === 0)) return undefined;
  return {
    version: 1,
    method: about.method,
    measured: about.measured,
    machine: about.machine,
    modules,
    commands,
    threadStart,
    dispatchSeconds: { modules: medianOf(dispatch.modules), commands: medianOf(dispatch.commands) },
    turnaroundSeconds: { modules: medianOf(turnaround.modules), commands: medianOf(turnaround.commands) },
    barrierSeconds: medianOf(barriers),
    ...(syncedWrites.length === 0 ? {} : { iops: 1 / medianOf(syncedWrites) }),
  };
}

/** The line through waves of x no-op subtasks on x agents; undefined while there are too few. */
export function waveCost(points: readonly Point[]): WaveCost | undefined {
  const line = fitCost(evenly(points));
  return line && { secondsPerWave: line.intercept, secondsPerAgent: line.slope, low: line.low, high: line.high };
}

/** From medians: few starts are measured, and a single late one must not count as the cost of a thread. */
function threadCost(points: readonly Point[]): { readonly first: number; readonly each: number } | undefined {
  const medians = [...bySize(points)].map(([x, ys]): Point => ({ x, y: medianOf(ys) })).sort((a, b) => a.x - b.x);
  const [least, ...more] = medians;
  if (least === undefined || more.length === 0) return undefined;
  const line = fitCost(medians);
  if (line !== undefined) return { first: line.intercept + line.slope, each: line.slope };
  const [next = least] = more;
  const each = Math.max(0, (next.y - least.y) / (next.x - least.x));
  return { first: least.y - each * (least.x - 1), each };
}

function evenly(points: readonly Point[]): readonly Point[] {
  return [...bySize(points)].flatMap(([x, ys]) => representatives(withoutOutliers(ys), MOST_PER_SIZE).map((y) => ({ x, y })));
}

function bySize(points: readonly Point[]): ReadonlyMap<number, number[]> {
  const groups = new Map<number, number[]>();
  for (const { x, y } of points) groups.set(x, [...(groups.get(x) ?? []), y]);
  return groups;
}
