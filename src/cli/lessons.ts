import type { RunEvent } from '../model/run-event.js';
import type { RunSummary } from '../report/run-summary.js';
import { ThreadStarts } from '../scaling/calibrated.js';
import { fitInput } from '../scaling/decide.js';
import { predictWave, type WaveWork } from '../scaling/fit.js';
import type { HistoryRecord } from '../scaling/history.js';
import { workByItself } from '../scaling/saturation.js';
import { waveKey } from '../scaling/workload.js';
import { type CompiledPlan, scalingInput } from './compile-plan.js';

type WaveStarted = Extract<RunEvent, { type: 'wave-started' }>;
type WaveFinished = Extract<RunEvent, { type: 'wave-finished' }>;

/** From this share of a wave's time on, a change of its agents is late. */
const LATE = 0.25;

/** What a run teaches for the next one: durations and CPU shares by task, and what predictions left unexplained by wave. */
export class Lessons {
  readonly #compiled: CompiledPlan;
  readonly #started = new Map<number, WaveStarted>();
  readonly #finished = new Map<number, WaveFinished>();
  /** The last change of a wave's number of agents. */
  readonly #changed = new Map<number, { readonly at: number; readonly agents: number }>();
  readonly #counts = new Map<number, number>();
  readonly #useful = new Map<number, number>();
  readonly #threadStarts: ThreadStarts;
  readonly #startSeconds = new Map<number, number>();

  constructor(compiled: CompiledPlan) {
    this.#compiled = compiled;
    this.#threadStarts = new ThreadStarts(compiled.calibration);
  }

  add(event: RunEvent): void {
    if (event.type === 'wave-started') {
      this.#started.set(event.wave, event);
      this.#startSeconds.set(event.wave, this.#threadStarts.next(event.threads));
    } else if (event.type === 'wave-finished') this.#finished.set(event.wave, event);
    else if (event.type === 'agents-changed') {
      this.#changed.set(event.wave, { at: event.at, agents: event.to });
      if (event.settled === true) this.#useful.set(event.wave, event.to);
    } else if (event.type === 'task-expanded')
      this.#counts.set(this.#compiled.graph.indexOf.get(event.task) ?? -1, event.subtasks);
  }

  /** The records of all waves that ended. Failures end sooner than the work they stand for, so tasks with any teach nothing. */
  records(summary: RunSummary, machine: string, at: string): readonly HistoryRecord[] {
    return this.#compiled.waves.flatMap((wave) => {
      const finished = this.#finished.get(wave.number);
      if (finished?.measured === undefined) return [];
      const { cpuSeconds, busySeconds } = finished.measured;
      const wallSeconds = finished.durationMs / 1000;
      const subtasks = this.#started.get(wave.number)?.subtasks ?? 0;
      const work = workByItself(
        { subtasks, busySeconds, cpuSeconds, wallSeconds },
        this.#compiled.plan.type,
        this.#compiled.machine.cores,
      );
      // What sharing the cores added to the durations is taken off each task's alike.
      const alone = busySeconds > 0 ? (work.seconds * subtasks) / busySeconds : 1;
      const tasks = wave.nodes.flatMap(({ task }): HistoryRecord[] => {
        const known = summary.tasks.find(({ id }) => id === task.id);
        if (known === undefined || known.success === 0 || known.failed > 0 || known.meanMs === undefined) return [];
        return [
          {
            kind: 'task',
            key: task.hash,
            machine,
            at,
            task: task.id,
            subtasks: known.success,
            mean_ms: known.meanMs * alone,
            median_ms: (known.medianMs ?? known.meanMs) * alone,
            quartile_range_ms: (known.quartileRangeMs ?? 0) * alone,
            cpu_share: work.cpuShare,
            max_ms: (known.maxMs ?? known.meanMs) * alone,
          },
        ];
      });
      const useful = this.#useful.get(wave.number);
      // A climb ends with numbers that were not yet settled: the time that it took explains nothing.
      const late = this.#changedLate(wave.number, wallSeconds);
      if (tasks.length < wave.nodes.length || (late && useful === undefined)) return tasks;
      const extra = late ? 0 : wallSeconds - this.#explained(wave.number, { subtasks, ...work, longest: longestOf(tasks) });
      const key = waveKey(wave.nodes.map(({ task }) => task));
      return [
        ...tasks,
        { kind: 'wave', key, machine, at, extra_seconds: extra, ...(useful !== undefined && { useful_agents: useful }) },
      ];
    });
  }

  /** Whether a wave ran on other agents than its last ones for too long to teach anything of those. */
  #changedLate(wave: number, wallSeconds: number): boolean {
    const changed = this.#changed.get(wave);
    const started = this.#started.get(wave);
    return changed !== undefined && started !== undefined && (changed.at - started.at) / 1000 > LATE * wallSeconds;
  }

  /** The seconds that the model gives a wave of such work on the agents that it had. */
  #explained(wave: number, work: WaveWork): number {
    const input = scalingInput(this.#compiled, this.#counts);
    const cost = input.waves[wave - 1]?.cost;
    const agents = this.#changed.get(wave)?.agents ?? this.#started.get(wave)?.agents ?? 1;
    const { seconds } = predictWave(agents, { ...work, ...(cost && { cost }) }, fitInput(input), this.#compiled.machine);
    return seconds + (this.#startSeconds.get(wave) ?? 0);
  }
}

function longestOf(records: readonly HistoryRecord[]): number {
  return records.reduce((longest, record) => (record.kind === 'task' ? Math.max(longest, record.max_ms / 1000) : longest), 0);
}
