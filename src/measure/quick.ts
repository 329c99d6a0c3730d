import { statSync } from 'node:fs';
import { errnoOf } from '../checkpoint/problem.js';
import { ExecutorStartError } from '../execute/executor.js';
import type { Calibration, MachineFingerprint } from '../scaling/calibration.js';
import { addressSpaceLeft } from '../scaling/machine.js';
import type { WorkKind } from '../scaling/workload.js';
import { type SampleStep, sampleWithin } from './budget.js';
import { DiskProbe, DiskProbeError } from './disk.js';
import { NoopEngine, NoopFailedError } from './engine.js';
import { calibrationOf, type FigureSamples, noSamples } from './figures.js';
import { sizesUpTo } from './measurements.js';

/** What a quick calibration takes. */
export interface QuickOptions {
  /** The machine that is measured, from `fingerprintOf`. */
  readonly machine: MachineFingerprint;
  /** Where `iops` and the barrier are measured; without it, or where it is not there yet, `iops` is left out. */
  readonly stateDir?: string | undefined;
  /** Milliseconds of wall time; 300 by default. */
  readonly budgetMs?: number;
}

/** Kept for ending threads and removing files. */
const CLEAN_UP_MS = 25;
/** More rounds are for a bench; whoever waits for a plan need not wait for them. */
const ROUNDS = 5;
/** The widest wave: wide enough to tell the cost of an agent from that of a wave. */
const WIDEST = { modules: 32, commands: 8 } as const;
/** Threads that the agents of a wave share: one for each core, as in a run, but the start of dozens would take all the time. */
const MOST_THREADS = 8;
/** Subtasks and agents of the wave that shows how fast subtasks can be handed out. */
const BUSY = { modules: { subtasks: 96, agents: 16 }, commands: { subtasks: 8, agents: 4 } } as const;
/** Subtasks that one agent runs in a row. */
const IN_A_ROW = { modules: 16, commands: 2 } as const;
/** Address space that a thread may reserve; where less is left, starting one can end the process. */
const THREAD_ADDRESS_BYTES = 1.5 * 2 ** 30;

/**
 * Measures the coordination overhead of this machine within a budget of wall time, by the engine itself. Agents share
 * threads, one for each core, as `layoutAgents` places all work but computation. Where time runs short there are fewer
 * samples; where a figure has none at the end, or threads or files cannot be had, the answer is `undefined`, never a guess.
 * Nothing stays on disk. Never rejects but for a bug.
 */
export async function quickCalibration({ machine, stateDir, budgetMs = 300 }: QuickOptions): Promise<Calibration | undefined> {
  const deadline = performance.now() + budgetMs;
  const samples = noSamples();
  const threads = Math.min(machine.cores, MOST_THREADS);
  const room = addressSpaceLeft();
  if (room !== undefined && room < (threads + 1) * THREAD_ADDRESS_BYTES) return undefined;
  const work = measure(samples, { threads, stateDir, until: deadline - CLEAN_UP_MS });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, deadline - performance.now());
  });
  // What is still running then ends by itself a little later.
  await Promise.race([work, late]);
  clearTimeout(timer);
  return calibrationOf(samples, { method: 'quick', measured: new Date().toISOString(), machine });
}

interface Course {
  /** That agents share in the waves. */
  readonly threads: number;
  readonly stateDir: string | undefined;
  readonly until: number;
}

async function measure(samples: FigureSamples, { threads, stateDir, until }: Course): Promise<void> {
  let disk: DiskProbe | undefined;
  let engine: NoopEngine | undefined;
  try {
    const inState = stateDir !== undefined && isFolder(stateDir);
    disk = await DiskProbe.create(inState ? stateDir : undefined);
    const journal = await disk.journal();
    engine = new NoopEngine({ type: 'general', cores: threads, folder: disk.folder, journal });
    const now = () => performance.now();
    // Two sizes, to tell the first thread from the next, of the waves' own pool: time is short.
    const { first, all } = await engine.warmInTwo(WIDEST.modules);
    samples.threadStarts.push({ x: 1, y: first });
    samples.threadStarts.push(threads === 1 ? { x: 2, y: 2 * first } : { x: threads, y: all });
    if (now() >= until) return;
    await warmUp(engine, threads);
    await sampleWithin(stepsOf(engine, disk, inState, samples), { until, rounds: ROUNDS, now });
    await journal.close();
  } catch (error) {
    // No thread, no process, no room on the disk: there is nothing to measure, and the run will say so where it matters.
    const expected = error instanceof ExecutorStartError || error instanceof NoopFailedError || error instanceof DiskProbeError;
    if (!expected && errnoOf(error) === undefined) throw error;
  } finally {
    await engine?.close();
    await disk?.remove().catch(() => {});
  }
}

/** Threads load the module and the coordinator's code becomes fast before anything counts. */
async function warmUp(engine: NoopEngine, threads: number): Promise<void> {
  await engine.wave({ kind: 'modules', subtasks: 8 * threads, agents: 2 * threads });
  await engine.wave({ kind: 'commands', subtasks: threads, agents: threads });
}

/** In the order of need: the widest waves make the bounds tighter, but there is a calibration without them. */
function stepsOf(engine: NoopEngine, disk: DiskProbe, inState: boolean, samples: FigureSamples): readonly SampleStep[] {
  const kinds = ['modules', 'commands'] as const;
  const wave = (kind: WorkKind, n: number) =>
    step(async () => {
      const { seconds } = await engine.wave({ kind, subtasks: n, agents: n });
      samples.waves[kind].push({ x: n, y: seconds });
    });
  const needed = kinds.flatMap((kind) => [
    ...[1, WIDEST[kind] / 2].map((n) => wave(kind, n)),
    step(async () => {
      const { seconds, busySeconds } = await engine.wave({ kind, subtasks: IN_A_ROW[kind], agents: 1 });
      samples.turnaround[kind].push(Math.max(0, seconds - busySeconds) / IN_A_ROW[kind]);
    }),
    step(async () => {
      const { seconds } = await engine.wave({ kind, ...BUSY[kind] });
      samples.dispatch[kind].push(seconds / BUSY[kind].subtasks);
    }),
  ]);
  const barrier = step(async () => samples.barriers.push(await disk.barrier()));
  const writes = step(async () => samples.syncedWrites.push(...(await disk.syncedWrites(4))));
  const wider = kinds.flatMap((kind) => [...sizesUpTo(WIDEST[kind] / 4).slice(1), WIDEST[kind]].map((n) => wave(kind, n)));
  return [...needed, barrier, ...(inState ? [writes] : []), ...wider];
}

function step(take: () => Promise<unknown>): SampleStep {
  return {
    run: async () => {
      await take();
    },
  };
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
