import type { Overhead, TaskType } from '../model/scaling-decision.js';
import type { MachineProfile } from './machine.js';
import { SATURATED } from './saturation.js';
import { sharedThroughput } from './shared-cores.js';

/** One wave's work. */
export interface WaveWork {
  readonly subtasks: number;
  /** How many such waves follow one another; 1 where absent. */
  readonly times?: number;
  /** Of one subtask, on average. */
  readonly seconds: number;
  /** Of the longest subtask, where it was measured. Seconds. */
  readonly longest?: number;
  /** Of the middle one of all subtasks, where it was measured. Seconds. */
  readonly usual?: number;
  /** Share of a subtask's time in which it keeps a core busy, from 0 to 1, where it was measured; else its type's. */
  readonly cpuShare?: number;
  /** What its kind of work costs, where it was measured; else the input's overhead. */
  readonly cost?: WorkCost;
  /** The number of agents beyond which this wave's throughput did not grow. */
  readonly usefulAgents?: number;
  /** Time that earlier runs of this very wave took beyond their prediction. */
  readonly extraSeconds?: number;
}

/** The coordination of one kind of work. Seconds. */
export interface WorkCost {
  readonly secondsPerWave: number;
  readonly secondsPerAgent: number;
  /** The coordinator's own time for a subtask. */
  readonly dispatchSeconds: number;
  /** What an agent waits between two subtasks: the way to its thread and back. */
  readonly turnaroundSeconds?: number;
}

/** What the prediction of a count's time takes. */
export interface FitInput {
  readonly waves: readonly WaveWork[];
  readonly overhead: Overhead;
  readonly ratePerMinute: number | undefined;
  /** Share of a subtask's time in which it keeps a core busy, from 0 to 1. */
  readonly cpuShare: number;
  /** Whether one agent works in the coordinator's own thread: nothing is started then, and no message goes anywhere. */
  readonly inline?: boolean;
  /** What starting so many agents costs once in a run, in seconds; nothing where it was not measured. */
  readonly startSeconds?: (agents: number) => number;
}

/**
 * The CPU share that work of a type is taken to have until it was measured: all of it where the name says so, none
 * elsewhere. A guess in between would let the number of cores decide over work that only waits.
 */
export const USUAL_CPU_SHARE: Readonly<Record<TaskType, number>> = {
  computation: 1,
  code_analysis: 1,
  file_operations: 0,
  general: 0,
  database_operations: 0,
  network_operations: 0,
  api_calls: 0,
};

/** What keeps a wave from ending sooner. */
export type Bottleneck = 'agents' | 'cores' | 'rate' | 'dispatch';

/**
 * The time that a wave is predicted to take on `agents`, in seconds, by the methodology:
 * max(ceil(n_w/n)·d, n_w·d·cpuShare/cores, n_w/rate) + a + b·n, where d and its processor time have what lies between
 * two subtasks; between the first two of these lies a knee, for which see `sharedThroughput`. Of the n agents, only as many as
 * the wave has subtasks are started, so only those are paid for. The coordinator hands subtasks out one after another, so that
 * a wave takes at least its subtasks times that, and what earlier runs took beyond all this is added.
 */
export function predictWave(
  agents: number,
  wave: WaveWork,
  input: FitInput,
  machine: MachineProfile,
): { readonly seconds: number; readonly bottleneck: Bottleneck } {
  const { subtasks, seconds, cpuShare = input.cpuShare, extraSeconds = 0 } = wave;
  const useful = Math.min(agents, wave.usefulAgents ?? agents);
  const cost: WorkCost = wave.cost ?? { ...input.overhead, dispatchSeconds: 0 };
  const inline = agents === 1 && input.inline === true;
  const turnaround = inline ? cost.dispatchSeconds : (cost.turnaroundSeconds ?? 0);
  const bounds: readonly (readonly [Bottleneck, number])[] = [
    ['agents', Math.ceil(subtasks / useful) * (seconds + turnaround)],
    ['agents', unevenSeconds(useful, wave, turnaround)],
    // What an agent does between two subtasks it does on a core.
    ['cores', (subtasks * (seconds * cpuShare + turnaround)) / machine.cores],
    kneeBound(useful, wave, turnaround, machine),
    ['rate', input.ratePerMinute === undefined ? 0 : subtasks / (input.ratePerMinute / 60)],
    ['dispatch', subtasks * cost.dispatchSeconds],
  ];
  const [bottleneck, work] = bounds.reduce((most, bound) => (bound[1] > most[1] ? bound : most));
  const total = work + waveSeconds(agents, subtasks, cost) + extraSeconds;
  return { seconds: Math.max(0, total), bottleneck };
}

/**
 * What work takes that both waits and computes, where that was measured: agents wait for a core now and then before the cores are
 * always busy. At least as long as the bounds of the methodology, which it comes to where work only waits or only computes.
 */
function kneeBound(
  agents: number,
  { subtasks, seconds, cpuShare = 0 }: WaveWork,
  turnaround: number,
  { cores }: MachineProfile,
): readonly [Bottleneck, number] {
  if (!sharesCores({ cpuShare })) return ['agents', 0];
  const demand = { waiting: seconds * (1 - cpuShare), computing: seconds * cpuShare + turnaround };
  const throughput = sharedThroughput(agents, demand, cores);
  return [throughput * demand.computing >= SATURATED * cores ? 'cores' : 'agents', subtasks / throughput];
}

/** Whether subtasks were seen to wait as well as to compute. */
function sharesCores({ cpuShare = 0 }: Pick<WaveWork, 'cpuShare'>): boolean {
  return cpuShare > 0 && cpuShare < 1;
}

/** What coordinating a wave takes by itself, in seconds: a + b·n. */
export function waveSeconds(agents: number, subtasks: number, cost: WorkCost): number {
  return cost.secondsPerWave + cost.secondsPerAgent * Math.min(agents, subtasks);
}

/**
 * What subtasks of different lengths take, handed out in turn. Where the middle one is known, all are taken to be as long as
 * that or as the longest, in the shares that make the average, the long ones evenly spread; how those come to lie on the
 * agents is played through. Without it, at most work/n + (1 − 1/n)·longest (R. L. Graham, "Bounds on Multiprocessing Timing
 * Anomalies", SIAM J. Appl. Math. 17, 1969).
 */
function unevenSeconds(agents: number, work: WaveWork, turnaround: number): number {
  const { subtasks, seconds, longest = 0, usual } = work;
  if (!isUneven(work) || subtasks <= agents) return Math.min(longest, subtasks * seconds);
  if (usual === undefined || usual >= seconds || agents > PLAYED / 2)
    return (subtasks * (seconds + turnaround)) / agents + (1 - 1 / agents) * longest;
  const played = Math.min(subtasks, PLAYED);
  const before = ((subtasks - played) * (seconds + turnaround)) / agents;
  const longOnes = Math.max(1, Math.round((played * (seconds - usual)) / (longest - usual)));
  return before + playedSeconds(agents, { subtasks: played, usual: usual + turnaround, longest: longest + turnaround, longOnes });
}

/**
 * List scheduling of two lengths of work, the long ones evenly spread: when the last is done. Each begins no sooner than the one
 * before it, so that those of one length end in the order in which they begin: two rows of ends, and the next agent to be free is
 * at the head of one of them.
 */
function playedSeconds(
  agents: number,
  work: { readonly subtasks: number; readonly usual: number; readonly longest: number; readonly longOnes: number },
): number {
  const { subtasks, usual, longest, longOnes } = work;
  const usualEnds: number[] = new Array(agents).fill(0);
  const longEnds: number[] = [];
  let [nextUsual, nextLong, end] = [0, 0, 0];
  for (let i = 0; i < subtasks; i++) {
    const usualEnd = usualEnds[nextUsual] ?? Number.POSITIVE_INFINITY;
    const longEnd = longEnds[nextLong] ?? Number.POSITIVE_INFINITY;
    if (usualEnd <= longEnd) nextUsual += 1;
    else nextLong += 1;
    const free = Math.min(usualEnd, longEnd);
    const isLong = Math.floor(((i + 0.5) * longOnes) / subtasks) !== Math.floor(((i - 0.5) * longOnes) / subtasks);
    const done = free + (isLong ? longest : usual);
    (isLong ? longEnds : usualEnds).push(done);
    end = Math.max(end, done);
  }
  return end;
}

/** The last so many subtasks are played through; what goes before them keeps all agents busy. */
const PLAYED = 1024;

/** Whether subtasks are of so different lengths that what agents come to follows from how those lie in time. */
export function isUneven({ seconds, longest = 0 }: Pick<WaveWork, 'seconds' | 'longest'>): boolean {
  return longest > UNEVEN * seconds;
}

/** Below this ratio of the longest subtask to the average one, lengths count as even: chance alone makes some longer. */
const UNEVEN = 4;

/** The predicted time of all waves, one after another, in seconds, with the start of the agents. */
export function predictSeconds(agents: number, input: FitInput, machine: MachineProfile): number {
  const start = agents === 1 && input.inline === true ? 0 : (input.startSeconds?.(agents) ?? 0);
  return input.waves.reduce((sum, wave) => sum + (wave.times ?? 1) * predictWave(agents, wave, input, machine).seconds, start);
}

/**
 * The smallest count up to `ceiling` whose predicted time is within `tolerance` of the best; where a rate is what
 * holds the widest wave up, the smallest that keeps it busy, since a limit that is paid for is there to be used.
 * Exact for any ceiling where subtasks are of one length and either wait or compute: between two counts at which some wave
 * saves a round, more agents only cost more.
 */
export function fitAgents(
  ceiling: number,
  tolerance: number,
  input: FitInput,
  machine: MachineProfile,
): { readonly agents: number; readonly seconds: number } {
  const predicted = candidates(ceiling, input.waves).map((agents) => ({
    agents,
    seconds: predictSeconds(agents, input, machine),
  }));
  const best = predicted.reduce((least, { seconds }) => Math.min(least, seconds), Number.POSITIVE_INFINITY);
  const within = predicted.filter(({ seconds }) => seconds <= best * (1 + tolerance));
  const widest = widestWave(input.waves);
  const busy = within.find(({ agents }) => predictWave(agents, widest, input, machine).bottleneck === 'rate');
  const fit = busy ?? within[0];
  if (fit === undefined) throw new Error('Internal error: no count fits');
  return fit;
}

/** The wave with the most subtasks. */
export function widestWave(waves: readonly WaveWork[]): WaveWork {
  return waves.reduce((most, wave) => (wave.subtasks > most.subtasks ? wave : most), { subtasks: 0, seconds: 0 });
}

/** Counts of which each is so many times the one before. */
const FURTHER = 1.1;

/**
 * The counts at which a wave's rounds become fewer, ceil(n_w/k) for every k: about twice the root of n_w for each width. Work of
 * several lengths has no rounds, and where cores are shared each agent more brings a little: of those counts, some at even distances.
 */
function candidates(ceiling: number, waves: readonly WaveWork[]): number[] {
  const counts = new Set([1]);
  for (const subtasks of new Set(waves.map((wave) => wave.subtasks))) {
    for (let rounds = Math.ceil(subtasks / ceiling); rounds >= 1 && rounds <= subtasks; ) {
      const agents = Math.ceil(subtasks / rounds);
      counts.add(Math.min(agents, ceiling));
      // The least number of rounds that fewer agents need.
      rounds = agents <= 1 ? subtasks + 1 : Math.ceil(subtasks / (agents - 1));
    }
  }
  if (waves.some((wave) => isUneven(wave) || sharesCores(wave)))
    for (let agents = 1; agents <= ceiling; agents = Math.ceil(agents * FURTHER)) counts.add(agents);
  return [...counts].sort((a, b) => a - b);
}
