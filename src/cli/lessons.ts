import type { RunEvent, WaveMeasures } from '../model/run-event.js';
import type { RunSummary } from '../report/run-summary.js';
import { ThreadStarts } from '../scaling/calibrated.js';
import { fitInput } from '../scaling/decide.js';
import { predictWave, type WaveWork, type WorkCost, waveSeconds } from '../scaling/fit.js';
import type { HistoryRecord, TaskRecord, WaveRecord } from '../scaling/history.js';
import { type ObservedWork, workByItself } from '../scaling/saturation.js';
import { waveKey } from '../scaling/workload.js';
import { type CompiledPlan, scalingInput } from './compile-plan.js';
import { WaveCourse } from './wave-course.js';

/** What a run teaches for the next one: durations and CPU shares by task, and what predictions left unexplained by wave. */
export class Lessons {
  readonly #compiled: CompiledPlan;
  readonly #waves = new Map<number, WaveCourse>();
  readonly #counts = new Map<number, number>();
  readonly #threadStarts: ThreadStarts;

  constructor(compiled: CompiledPlan) {
    this.#compiled = compiled;
    this.#threadStarts = new ThreadStarts(compiled.calibration);
  }

  add(event: RunEvent): void {
    const { machine, plan } = this.#compiled;
    switch (event.type) {
      case 'wave-started':
        // What was changed before it began is in its own number.
        this.#waves.set(
          event.wave,
          new WaveCourse(event, this.#threadStarts.next(event.threads), { cores: machine.cores, type: plan.type }),
        );
        return;
      case 'wave-finished':
        this.#waves.get(event.wave)?.finished(event);
        return;
      case 'agents-changed':
        this.#waves.get(event.wave)?.changed(event);
        return;
      case 'subtasks-finished':
        this.#waves.get(event.wave)?.ended(event.at, event.durationsMs);
        return;
      case 'subtask-finished':
        if (event.resumed === undefined) this.#waves.get(event.checkpoint.wave)?.ended(event.at, [event.checkpoint.duration_ms]);
        return;
      case 'task-expanded':
        this.#counts.set(this.#compiled.graph.indexOf.get(event.task) ?? -1, event.subtasks);
        return;
    }
  }

  /** The records of all waves that ended. Failures end sooner than the work they stand for, so tasks with any teach nothing. */
  records(summary: RunSummary, machine: string, at: string): readonly HistoryRecord[] {
    return this.#compiled.waves.flatMap((wave) => {
      const course = this.#waves.get(wave.number);
      if (course?.end?.measured === undefined) return [];
      const { cpuSeconds, busySeconds } = course.end.measured;
      const { subtasks } = course.started;
      // As for processor time, its threads were there by then.
      const wallSeconds = (course.end.at - course.started.at) / 1000;
      const observed = { subtasks, busySeconds, cpuSeconds, wallSeconds };
      const settled = wave.nodes.length === 1 && course.usefulAgents !== undefined ? course.sinceChange : undefined;
      const work = workByItself(settledPart(observed, settled), this.#compiled.plan.type, this.#compiled.machine.cores);
      // What sharing the machine added to the durations is taken off each task's alike.
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
      const useful = course.usefulAgents;
      const record: WaveRecord = {
        kind: 'wave',
        key: waveKey(wave.nodes.map(({ task }) => task)),
        machine,
        at,
        extra_seconds: this.#unexplained(course, course.end.measured, {
          subtasks,
          ...work,
          ...spreadOf(tasks),
        }),
        agents: course.agents,
        ...(gained(course, tasks) && { grew: true }),
        ...(useful !== undefined && { useful_agents: useful }),
      };
      return [...tasks, record];
    });
  }

  /**
   * What the wave took beyond what the model gives it, in seconds. Where its agents were changed, only what the number that it
   * ended with takes is of use: the way there is not gone again.
   */
  #unexplained(course: WaveCourse, measured: WaveMeasures, work: WaveWork): number {
    const { wave, durationMs } = course.end ?? { wave: 0, durationMs: 0 };
    const input = scalingInput(this.#compiled, this.#counts);
    const fit = fitInput(input);
    const cost: WorkCost = input.waves[wave - 1]?.cost ?? { ...input.overhead, dispatchSeconds: 0 };
    const explained = (part: WaveWork) => predictWave(course.agents, { ...part, cost }, fit, this.#compiled.machine);
    const whole = explained(work);
    if (!course.hasChanged) return durationMs / 1000 - whole.seconds - course.startSeconds;
    const { firstBeginSeconds: first = 0 } = measured;
    const last = course.sinceChange;
    if (last !== undefined && course.usefulAgents === course.agents) {
      // Its throughput is all that more agents would have as well.
      return course.lateStartSeconds + first + (work.subtasks * last.wallSeconds) / last.subtasks - whole.seconds;
    }
    if (whole.bottleneck === 'agents') {
      // What agents did beside their subtasks; waiting at the barrier follows from how those lay on them. Until the first subtask
      // began, those waited with which the wave began, and all will that it begins with next.
      const later = course.agentSeconds - course.started.agents * first - measured.busySeconds - measured.idleSeconds;
      const between = (work.subtasks * (cost.turnaroundSeconds ?? 0)) / course.agents;
      const beside = first + later / course.agents;
      return course.lateStartSeconds + beside - between - waveSeconds(course.agents, work.subtasks, cost);
    }
    return last === undefined ? 0 : last.wallSeconds - explained({ ...work, subtasks: last.subtasks }).seconds;
  }
}

/**
 * Whether more agents helped: by throughput, or because subtasks took the same whether few or many of them ran, as they do
 * when none waits for another.
 */
function gained(course: WaveCourse, tasks: readonly TaskRecord[]): boolean {
  if (course.usefulAgents !== undefined) return false;
  if (course.grew) return true;
  const multiplied = course.agents >= 4 * course.started.agents;
  return multiplied && tasks.every((task) => task.quartile_range_ms <= EVEN * task.median_ms);
}

/**
 * Of a wave's work, what was done on the number of agents that it settled on: on others, more subtasks waited for each other, or fewer.
 * Processor time is that of all.
 */
function settledPart(whole: ObservedWork, settled: Omit<ObservedWork, 'cpuSeconds'> | undefined): ObservedWork {
  if (settled === undefined || settled.busySeconds === 0) return whole;
  return { ...settled, cpuSeconds: (whole.cpuSeconds * settled.subtasks) / whole.subtasks };
}

/** Durations are the same when their middle half lies within this share of the median. */
const EVEN = 0.1;

/** How different the lengths of a wave's subtasks were. Seconds. */
function spreadOf(tasks: readonly TaskRecord[]): Pick<WaveWork, 'longest' | 'usual'> {
  const subtasks = tasks.reduce((sum, task) => sum + task.subtasks, 0);
  return {
    longest: tasks.reduce((longest, task) => Math.max(longest, task.max_ms / 1000), 0),
    usual: tasks.reduce((sum, task) => sum + (task.subtasks * task.median_ms) / 1000, 0) / Math.max(1, subtasks),
  };
}
