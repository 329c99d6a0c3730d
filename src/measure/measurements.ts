import type { MachineProfile } from '../scaling/machine.js';
import type { WorkKind } from '../scaling/workload.js';
import type { DiskProbe } from './disk.js';
import { type NoopEngine, timeThreadStart } from './engine.js';
import type { FigureSamples } from './figures.js';

/** Something that a bench measures again and again. */
export interface Measurement {
  /** Stable, to compare reports by. */
  readonly id: string;
  /** What it is, for people. */
  readonly name: string;
  /** Takes one sample. Seconds. */
  readonly sample: () => Promise<number>;
  /** Puts all samples where a calibration looks for them; absent where it takes none. Seconds. */
  readonly keep?: (seconds: readonly number[]) => void;
}

/** What most measurements are taken on: as small a process as that of a run, because starting a command copies its page tables. */
export interface SharedRig {
  readonly disk: DiskProbe;
  /** Agents share a thread for each core, as for all work but computation. */
  readonly shared: NoopEngine;
}

/** What the measurements of many threads are taken on. */
export interface ThreadsRig {
  readonly machine: MachineProfile;
  /** Each agent has a thread, as for computation; started when it is first asked for. */
  readonly threads: () => Promise<NoopEngine>;
}

/** Widest waves on shared threads. */
export const WIDEST: Readonly<Record<WorkKind, number>> = { modules: 64, commands: 32 };
/** Threads started at once at most: beyond that more only take longer. */
const MOST_THREADS = 8;
/** The wave that shows how fast subtasks can be handed out. */
const BUSY = { modules: { subtasks: 512, agents: 32 }, commands: { subtasks: 32, agents: 8 } } as const;
/** Subtasks that one agent runs in a row. */
const IN_A_ROW = { modules: 32, commands: 4 } as const;

const ONE: Readonly<Record<WorkKind, string>> = { modules: 'module subtask', commands: 'command subtask' };
const MANY: Readonly<Record<WorkKind, string>> = { modules: 'module subtasks', commands: 'commands' };

/** Agents that have a thread each at most: four for each core, as `layoutAgents` places computation. */
export function mostOwnThreads(machine: MachineProfile): number {
  return Math.min(4 * machine.cores, MOST_THREADS);
}

/** The first measurements of a bench. */
export function sharedMeasurements(rig: SharedRig, samples: FigureSamples): readonly Measurement[] {
  return [
    commandStart(rig),
    ...(['commands', 'modules'] as const).flatMap((kind) => [
      turnaround(rig, kind, samples),
      ...sharedWaves(rig, kind, samples),
      busy(rig, kind, samples),
    ]),
    ...onDisk(rig, samples),
  ];
}

/** Those that follow. */
export function threadMeasurements(rig: ThreadsRig, samples: FigureSamples): readonly Measurement[] {
  return [...threadStarts(rig, samples), ...ownThreadWaves(rig)];
}

function threadStarts({ machine }: ThreadsRig, samples: FigureSamples): readonly Measurement[] {
  return sizesUpTo(mostOwnThreads(machine)).map((t) => ({
    id: `thread-start-${t}`,
    name: t === 1 ? 'start of a worker thread' : `start of ${t} worker threads at once`,
    sample: () => timeThreadStart(t),
    keep: (seconds) => samples.threadStarts.push(...seconds.map((y) => ({ x: t, y }))),
  }));
}

function turnaround({ shared }: SharedRig, kind: WorkKind, samples: FigureSamples): Measurement {
  const subtasks = IN_A_ROW[kind];
  return {
    id: `dispatch-${kind}`,
    name: `dispatch of one ${ONE[kind]}, beyond its own duration`,
    sample: async () => {
      const { seconds, busySeconds } = await shared.wave({ kind, subtasks, agents: 1 });
      return Math.max(0, seconds - busySeconds) / subtasks;
    },
    keep: (seconds) => samples.turnaround[kind].push(...seconds),
  };
}

function commandStart({ shared }: SharedRig): Measurement {
  const subtasks = IN_A_ROW.commands;
  return {
    id: 'command-start',
    name: 'start and end of a shell command',
    sample: async () => (await shared.wave({ kind: 'commands', subtasks, agents: 1 })).busySeconds / subtasks,
  };
}

function onDisk({ disk }: SharedRig, samples: FigureSamples): readonly Measurement[] {
  return [
    { id: 'checkpoint-append', name: 'checkpoint appended, one of 512', sample: () => disk.append() },
    {
      id: 'barrier',
      name: 'barrier: 64 checkpoints synced and read back',
      sample: () => disk.barrier(),
      keep: (seconds) => samples.barriers.push(...seconds),
    },
    {
      id: 'synced-write',
      name: 'small write, synced',
      sample: async () => (await disk.syncedWrites(1))[0] ?? 0,
      keep: (seconds) => samples.syncedWrites.push(...seconds),
    },
  ];
}

function sharedWaves({ shared }: SharedRig, kind: WorkKind, samples: FigureSamples): readonly Measurement[] {
  return sizesUpTo(WIDEST[kind]).map((n) => ({
    id: `wave-${kind}-${n}`,
    name: `wave of ${n} ${n === 1 ? ONE[kind] : MANY[kind]}, ${agents(n)}`,
    sample: async () => (await shared.wave({ kind, subtasks: n, agents: n })).seconds,
    keep: (seconds) => samples.waves[kind].push(...seconds.map((y) => ({ x: n, y }))),
  }));
}

function ownThreadWaves({ machine, threads }: ThreadsRig): readonly Measurement[] {
  return sizesUpTo(mostOwnThreads(machine)).map((n) => ({
    id: `wave-threads-${n}`,
    name: `wave of ${n} ${n === 1 ? ONE.modules : MANY.modules}, ${agents(n)} with a thread each`,
    sample: async () => (await (await threads()).wave({ kind: 'modules', subtasks: n, agents: n })).seconds,
  }));
}

function busy({ shared }: SharedRig, kind: WorkKind, samples: FigureSamples): Measurement {
  const { subtasks, agents: count } = BUSY[kind];
  return {
    id: `busy-${kind}`,
    name: `one of ${subtasks} ${MANY[kind]}, ${agents(count)}`,
    sample: async () => (await shared.wave({ kind, subtasks, agents: count })).seconds / subtasks,
    keep: (seconds) => samples.dispatch[kind].push(...seconds),
  };
}

/** 1, 2, 4, … up to the widest. */
export function sizesUpTo(widest: number): readonly number[] {
  return Array.from({ length: Math.floor(Math.log2(widest)) + 1 }, (_, i) => 2 ** i);
}

function agents(n: number): string {
  return n === 1 ? '1 agent' : `${n} agents`;
}
