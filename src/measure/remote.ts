import type { Journal } from '../checkpoint/journal.js';
import type { Executor } from '../execute/executor.js';
import { medianOf } from '../model/statistics.js';
import type { TaskDefinition } from '../plan/valid-plan.js';
import type { RemoteCost } from '../scaling/calibration.js';
import type { WorkKind } from '../scaling/workload.js';
import { NoopEngine } from './engine.js';
import { waveCost } from './figures.js';
import { type Measurement, sizesUpTo } from './measurements.js';
import type { Point } from './regression.js';

/** Workers to measure. */
export interface RemoteRig {
  readonly executor: Executor;
  /** Of all workers. */
  readonly agents: number;
  readonly workers: number;
  /** Tasks that do nothing, as the workers have them. */
  readonly tasks: Readonly<Record<WorkKind, TaskDefinition>>;
}

/** Samples of what work on other machines costs. Seconds. */
export interface RemoteSamples {
  readonly waves: Point[];
  readonly turnaround: number[];
  readonly dispatch: number[];
}

/** Agents of the widest wave. */
const WIDEST = 64;
/** Subtasks that one agent runs in a row, each on a way of its own. */
const IN_A_ROW = 8;
/** The wave that shows how fast subtasks go there and back where there are many. */
const BUSY = 20_000;

/** The engine that hands work to workers. */
export function remoteEngine({ executor, tasks }: RemoteRig, folder: string, journal: Journal): NoopEngine {
  return new NoopEngine({ type: 'general', cores: 1, folder, journal, elsewhere: { executor, tasks } });
}

/** What a wave, a way there and back, and a subtask among many cost on workers. Module subtasks: commands cost there what they cost here. */
export function remoteMeasurements(engine: NoopEngine, { agents }: RemoteRig, samples: RemoteSamples): readonly Measurement[] {
  const kind = 'modules';
  const waves = sizesUpTo(Math.min(WIDEST, agents)).map(
    (n): Measurement => ({
      id: `wave-remote-${n}`,
      name: `wave of ${n} module ${n === 1 ? 'subtask' : 'subtasks'} on workers, ${n} ${n === 1 ? 'agent' : 'agents'}`,
      sample: async () => (await engine.wave({ kind, subtasks: n, agents: n })).seconds,
      keep: (seconds) => samples.waves.push(...seconds.map((y) => ({ x: n, y }))),
    }),
  );
  return [
    {
      id: 'turnaround-remote',
      name: 'way of one subtask to a worker and back',
      sample: async () => {
        const { seconds, busySeconds } = await engine.wave({ kind, subtasks: IN_A_ROW, agents: 1, mostInChunk: 1 });
        return Math.max(0, seconds - busySeconds) / IN_A_ROW;
      },
      keep: (seconds) => samples.turnaround.push(...seconds),
    },
    ...waves,
    {
      id: 'busy-remote',
      name: `one of ${BUSY} module subtasks on workers`,
      sample: async () => (await engine.wave({ kind, subtasks: BUSY, agents })).seconds / BUSY,
      keep: (seconds) => samples.dispatch.push(...seconds),
    },
  ];
}

/** What the samples come to; undefined while there are too few. */
export function remoteCostOf(
  { waves, turnaround, dispatch }: RemoteSamples,
  { agents, workers }: Pick<RemoteRig, 'agents' | 'workers'>,
  measured: string,
): RemoteCost | undefined {
  const wave = waveCost(waves);
  if (wave === undefined || turnaround.length === 0 || dispatch.length === 0) return undefined;
  return { ...wave, measured, workers, agents, turnaroundSeconds: medianOf(turnaround), dispatchSeconds: medianOf(dispatch) };
}
