import { setMaxListeners } from 'node:events';
import { arch, cpus, platform, release } from 'node:os';
import { Bench } from 'tinybench';
import type { Journal } from '../checkpoint/journal.js';
import { type EnvironmentProblem, errnoOf, systemProblem } from '../checkpoint/problem.js';
import { ExecutorStartError } from '../execute/executor.js';
import { err, ok, type Result } from '../model/result.js';
import type { TaskType } from '../model/scaling-decision.js';
import { spreadOf } from '../model/statistics.js';
import { fingerprintOf, type MachineProfile } from '../scaling/machine.js';
import type { BenchReport, BenchRow } from './bench-report.js';
import { DiskProbe, DiskProbeError } from './disk.js';
import { NoopEngine, NoopFailedError } from './engine.js';
import { calibrationOf, noSamples } from './figures.js';
import { type Measurement, mostOwnThreads, sharedMeasurements, threadMeasurements, WIDEST } from './measurements.js';
import { type RemoteRig, type RemoteSamples, remoteCostOf, remoteEngine, remoteMeasurements } from './remote.js';

/** What a bench takes. */
export interface BenchOptions {
  readonly machine: MachineProfile;
  /** waveplan's own version. */
  readonly waveplan: string;
  /** Must exist. */
  readonly stateDir: string;
  /** About how long it may take: each measurement gets its share, but never fewer samples than a figure needs. */
  readonly durationMs: number;
  /** Told at the start and after each measurement. */
  readonly onProgress: (progress: BenchProgress) => void;
  /** Ends the bench early; nothing is reported then. */
  readonly signal?: AbortSignal;
  /** Workers to measure as well. */
  readonly remote?: RemoteRig | undefined;
}

/** How far a bench is. */
export interface BenchProgress {
  readonly done: number;
  readonly total: number;
  /** What was measured last; absent at the start. */
  readonly row: BenchRow | undefined;
}

/** Samples of each measurement at least, also of the slow ones: in a bench of some seconds enough to compare it with another. */
const LEAST_SAMPLES = { short: 3, full: 8 };
const FULL_MS = 5000;

/**
 * Measures what the engine itself costs on this machine, with tinybench. The error is what kept the machine from being
 * measured. What is written meanwhile is removed at the end.
 */
export async function runBench(options: BenchOptions): Promise<Result<BenchReport, EnvironmentProblem>> {
  try {
    return await measureAll(options);
  } catch (error) {
    const expected = error instanceof ExecutorStartError || error instanceof NoopFailedError || error instanceof DiskProbeError;
    if (expected) return err({ message: `cannot measure: ${error.message}`, hint: 'put that right, then run the bench again' });
    if (errnoOf(error) !== undefined) return err(systemProblem(`measure in ${options.stateDir}`, error));
    throw error;
  }
}

async function measureAll(options: BenchOptions): Promise<Result<BenchReport, EnvironmentProblem>> {
  const { machine, waveplan, stateDir, durationMs } = options;
  const measured = new Date().toISOString();
  const disk = await DiskProbe.create(stateDir);
  const engines: NoopEngine[] = [];
  try {
    const journal = await disk.journal();
    const open = async (type: TaskType, agents: number): Promise<NoopEngine> => {
      const engine = new NoopEngine({ type, cores: machine.cores, folder: disk.folder, journal });
      engines.push(engine);
      await engine.warm(agents);
      return engine;
    };
    const samples = noSamples();
    const shared = await open('general', WIDEST.modules);
    let threads: Promise<NoopEngine> | undefined;
    const later = () => {
      threads ??= open('computation', mostOwnThreads(machine));
      return threads;
    };
    const remote = options.remote && remotePhase(options.remote, disk.folder, journal);
    const phases = [
      sharedMeasurements({ disk, shared }, samples),
      threadMeasurements({ machine, threads: later }, samples),
      ...(remote === undefined ? [] : [remote.measurements]),
    ];
    const rows = await takeAll(phases, options);
    await journal.close();
    if (options.signal?.aborted === true) return err({ message: 'the bench was stopped', hint: 'nothing was reported' });
    const here = calibrationOf(samples, { method: 'bench', measured, machine: fingerprintOf(machine, waveplan) });
    if (here === undefined) throw new Error('Internal error: a figure was not measured');
    const elsewhere = remote?.cost(measured);
    const calibration = elsewhere === undefined ? here : { ...here, remote: elsewhere };
    const { v8, uv } = process.versions;
    return ok({
      version: 1,
      measured,
      durationMs,
      machine: { ...machine, cpu: cpus()[0]?.model.trim() ?? 'unknown', arch: arch() },
      versions: { waveplan, node: process.version, v8, uv, system: `${platform()} ${release()}` },
      rows,
      calibration,
    });
  } finally {
    for (const engine of engines) await engine.close();
    await disk.remove();
  }
}

function remotePhase(rig: RemoteRig, folder: string, journal: Journal) {
  const samples: RemoteSamples = { waves: [], turnaround: [], dispatch: [] };
  return {
    measurements: remoteMeasurements(remoteEngine(rig, folder, journal), rig, samples),
    cost: (measured: string) => remoteCostOf(samples, rig, measured),
  };
}

/** One phase after the other, because tinybench tries all measurements that it has before it takes the first. */
async function takeAll(
  phases: readonly (readonly Measurement[])[],
  { durationMs, signal, onProgress }: BenchOptions,
): Promise<readonly BenchRow[]> {
  // Each measurement listens to it, which Node would take for a leak.
  if (signal !== undefined) setMaxListeners(0, signal);
  const total = phases.reduce((sum, phase) => sum + phase.length, 0);
  const time = durationMs / total;
  const rows: BenchRow[] = [];
  onProgress({ done: 0, total, row: undefined });
  for (const phase of phases) {
    const bench = new Bench({
      time,
      iterations: durationMs < FULL_MS ? LEAST_SAMPLES.short : LEAST_SAMPLES.full,
      warmupTime: Math.min(20, time / 10),
      warmupIterations: 1,
      retainSamples: true,
      throws: true,
      ...(signal === undefined ? {} : { signal }),
    });
    const byId = new Map(phase.map((measurement) => [measurement.id, measurement]));
    for (const { id, sample } of phase) bench.add(id, () => timed(sample), { async: true });
    bench.addEventListener('cycle', ({ task }) => {
      const measurement = byId.get(task.name);
      if (measurement === undefined || task.result.state !== 'completed') return;
      const row = rowOf(measurement, task.result.latency.samples ?? []);
      rows.push(row);
      onProgress({ done: rows.length, total, row });
    });
    await bench.run();
  }
  return rows;
}

function rowOf({ id, name, keep }: Measurement, milliseconds: readonly number[]): BenchRow {
  keep?.(milliseconds.map((ms) => ms / 1000));
  return { id, name, ...spreadOf(milliseconds), samples: milliseconds.map((ms) => Math.round(ms * 1e6) / 1e6) };
}

/** A sample in tinybench's own terms: the figure, and what taking it cost of the time there is. Milliseconds. */
async function timed(sample: () => Promise<number>) {
  const begun = performance.now();
  const seconds = await sample();
  return { overriddenDuration: seconds * 1000, overriddenIterationCost: performance.now() - begun };
}
