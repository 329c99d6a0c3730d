import type { TaskGraph, Wave } from '../graph/task-graph.js';
import type { Clock } from '../model/clock.js';
import type { RunEvent } from '../model/run-event.js';
import type { ScalingDecision } from '../model/scaling-decision.js';
import type { PoolLimits, TaskDefinition } from '../plan/valid-plan.js';
import type { ExpectedWork } from '../scaling/other-work.js';
import type { RunSurroundings } from '../worker/prepare.js';
import type { RecordKeeper } from './dispatcher-ports.js';
import type { AgentLayout, Executor } from './executor.js';
import type { FailureHandling } from './failure-passes.js';
import type { FinishedSubtasks } from './finished.js';
import type { Headroom } from './headroom.js';
import type { RunControl, StopReason } from './run-control.js';
import type { WaveTally } from './wave-check.js';

/** What a run of the waves is made of. */
export interface RunWavesOptions {
  readonly graph: TaskGraph;
  readonly waves: readonly Wave[];
  /** wave: a barrier between depths; eager: a subtask starts when what it needs is done. */
  readonly sync: 'wave' | 'eager';
  readonly finally: readonly TaskDefinition[];
  /** The decision as the plan took it, which knew of fan-outs that have not expanded yet. */
  readonly planned?: ScalingDecision;
  readonly surroundings: RunSurroundings;
  /** `limits.rate`: starts of subtasks per minute, over all waves. */
  readonly ratePerMinute: number | undefined;
  /** By name; absent: none. */
  readonly pools?: Readonly<Record<string, PoolLimits>>;
  /** Share of a wave's subtasks above which its check is FAILED (0.1 in the methodology). */
  readonly majorShare: number;
  /** How failures are answered beyond the tasks' own retries; absent: not at all. */
  readonly failure?: FailureHandling;
  /** What an earlier part of the run finished. */
  readonly finished?: FinishedSubtasks;
}

/** Where a run of the waves touches the world. */
export interface RunWavesPorts {
  readonly executor: Executor;
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly control: RunControl;
  readonly emit: (event: RunEvent) => void;
  /** Whoever keeps what is emitted; absent: it takes no time. */
  readonly records?: RecordKeeper;
  /** The decision for all that is known now: subtasks, and what was measured, by position of their task in the graph. */
  readonly decide: (subtasks: ReadonlyMap<number, number>, probes: ReadonlyMap<number, MeasuredWork>) => ScalingDecision;
  /** Room for agents that run such tasks. */
  readonly layout: (agents: number, tasks: readonly TaskDefinition[]) => AgentLayout;
  /** Absent: the number of agents stays as decided. */
  readonly steering?: SteeringPorts;
  /** Makes sure that the wave's checkpoints are on disk and reads them back. */
  readonly verifyWave: (wave: number) => Promise<WaveTally>;
  /** What a subtask is expected to take, in milliseconds; undefined where nobody knows. */
  readonly expectedMs?: (task: TaskDefinition) => number | undefined;
  /** The most subtasks that are handed to an agent at once; absent: as many as the dispatcher likes. */
  readonly mostInChunk?: number;
  /** What a chunk should take, in milliseconds: more where it goes a long way; 20 by default. */
  readonly chunkMs?: (() => number) | undefined;
}

/** What was measured of a task's subtasks while they ran. */
export interface MeasuredWork {
  readonly seconds: number;
  /** From 0 to 1. */
  readonly cpuShare: number;
}

/** What it takes to predict a wave, to measure it, and to change its number of agents while it runs. */
export interface SteeringPorts {
  /** Processor time so far, in seconds. */
  readonly cpuSeconds: () => number;
  readonly headroom: () => Headroom;
  /** What subtasks of a task are expected to take; undefined where nothing is known. */
  readonly expected: (task: TaskDefinition) => ExpectedWork | undefined;
  /** Whether a task's subtasks are known to compute all the time. */
  readonly computes: (task: TaskDefinition) => boolean;
  /** The seconds that a wave is predicted to take, asked once for each wave. */
  readonly predict: (
    wave: number,
    room: AgentLayout,
    subtasks: ReadonlyMap<number, number>,
    probes: ReadonlyMap<number, MeasuredWork>,
  ) => number;
  /** Subtasks of a task that make a probe. */
  readonly probeSize: number;
  readonly cores: number;
  /** The most agents that a wave begins with: few where earlier runs did not show that more help. */
  readonly startAtMost?: (wave: number) => number;
}

/** How the waves ended. */
export type WavesEnd = { readonly status: 'done'; readonly reason: string } | StopReason;

/** The end of a run in which nothing is left to do. */
export const DONE: WavesEnd = { status: 'done', reason: 'every wave is complete' };
