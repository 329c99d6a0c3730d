import type { RunEvent } from '../model/run-event.js';
import type { RunSummary } from '../report/run-summary.js';
import { ThreadStarts } from '../scaling/calibrated.js';
import { fitInput } from '../scaling/decide.js';
import { predictWave, type WaveWork } from '../scaling/fit.js';
import type { HistoryRecord, TaskRecord, WaveRecord } from '../scaling/history.js';
import { workByItself } from '../scaling/saturation.js';
import { waveKey } from '../scaling/workload.js';
import { type CompiledPlan, scalingInput } from './compile-plan.js';

type WaveStarted = Extract<RunEvent, { type: 'wave-started' }>;
type WaveFinished = Extract<RunEvent, { type: 'wave-finished' }>;

/** What a run teaches for the next one: durations and CPU shares by task, and what predictions left unexplained by wave. */
export class Lessons {
  readonly #compiled: CompiledPlan;
  readonly #started = new Map<number, WaveStarted>();
  readonly #finished = new Map<number, WaveFinished>();
  /** Subtasks of a wave that ended by now. */
  readonly #ended = new Map<number, number>();
  /** The last change of a wave's number of agents. */
  readonly #changed = new Map<number, AgentsChange>();
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
      this.#changed.set(event.wave, { at: event.at, agents: event.to, ended: this.#ended.get(event.wave) ?? 0 });
      if (event.settled === true) this.#useful.set(event.wave, event.to);
    } else if (event.type === 'subtask-finished')
      this.#ended.set(event.checkpoint.wave, (this.#ended.get(event.checkpoint.wave) ?? 0) + 1);
    else if (event.type === 'task-expanded') this.#counts.set(this.#compiled.graph.indexOf.get(event.task) ?? -1, event.subtasks);
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
      const tasks = wave.nodes.flatMap(({ task }): TaskRecord[] => {
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
      if (tasks.length < wave.nodes.length) return tasks;
      const useful = this.#useful.get(wave.number);
      const record: WaveRecord = {
        kind: 'wave',
        key: waveKey(wave.nodes.map(({ task }) => task)),
        machine,
        at,
        extra_seconds: this.#unexplained(finished, { subtasks, ...work, ...spreadOf(tasks) }),
        agents: this.#lastAgents(wave.number),
        ...(useful !== undefined && { useful_agents: useful }),
      };
      return [...tasks, record];
    });
  }

  #lastAgents(wave: number): number {
    return this.#changed.get(wave)?.agents ?? this.#started.get(wave)?.agents ?? 1;
  }

  /**
   * What the wave took beyond what the model gives it, in seconds: from the last change of its agents on, since what went
   * before was the way there and is not gone again.
   */
  #unexplained({ wave, at, durationMs }: WaveFinished, work: WaveWork): number {
    const changed = this.#changed.get(wave);
    const startedAt = this.#started.get(wave)?.at ?? at;
    if (changed === undefined || changed.at <= startedAt)
      return durationMs / 1000 - this.#explained(wave, work) - (this.#startSeconds.get(wave) ?? 0);
    const left = Math.max(0, work.subtasks - changed.ended);
    return (at - changed.at) / 1000 - this.#explained(wave, { ...work, subtasks: left });
  }

  /** The seconds that the model gives such work on the agents that the wave ended with, once they are there. */
  #explained(wave: number, work: WaveWork): number {
    const input = scalingInput(this.#compiled, this.#counts);
    const cost = input.waves[wave - 1]?.cost;
    return predictWave(this.#lastAgents(wave), { ...work, ...(cost && { cost }) }, fitInput(input), this.#compiled.machine)
      .seconds;
  }
}

/** A change of a wave's number of agents, in milliseconds on the run's time line. */
interface AgentsChange {
  readonly at: number;
  readonly agents: number;
  /** Subtasks of the wave that had ended before. */
  readonly ended: number;
}

/** How different the lengths of a wave's subtasks were. Seconds. */
function spreadOf(tasks: readonly TaskRecord[]): Pick<WaveWork, 'longest' | 'usual'> {
  const subtasks = tasks.reduce((sum, task) => sum + task.subtasks, 0);
  return {
    longest: tasks.reduce((longest, task) => Math.max(longest, task.max_ms / 1000), 0),
    usual: tasks.reduce((sum, task) => sum + (task.subtasks * task.median_ms) / 1000, 0) / Math.max(1, subtasks),
  };
}
