import type { TaskNode, Wave } from '../graph/task-graph.js';
import type { ScalingDecision } from '../model/scaling-decision.js';
import { Dispatcher } from './dispatcher.js';
import { followCapacity } from './follow-capacity.js';
import { firstAgents, makeReadyFor } from './make-ready.js';
import { DONE, type RunWavesOptions, type RunWavesPorts, type SteeringPorts, type WavesEnd } from './ports.js';
import type { StopReason } from './run-control.js';
import type { ExpandedTask, NotBegun, RunState } from './run-state.js';
import { endOfCheck, failuresEnd, waveCheck } from './wave-check.js';
import { WavePilot } from './wave-pilot.js';

/** Runs waves one after the other: the next begins when the last subtask of the one before is over and checked. */
export class WavesRunner {
  readonly #options: RunWavesOptions;
  readonly #ports: RunWavesPorts;
  readonly #state: RunState;

  constructor(options: RunWavesOptions, ports: RunWavesPorts, state: RunState) {
    this.#options = options;
    this.#ports = ports;
    this.#state = state;
  }

  async run(): Promise<WavesEnd> {
    const { control } = this.#ports;
    for (const wave of this.#options.waves) {
      const stopped = control.stopReason ?? (await this.#wave(wave)) ?? control.stopReason;
      if (stopped !== undefined) return stopped;
    }
    return failuresEnd(this.#state.failures) ?? DONE;
  }

  async #wave(wave: Wave): Promise<StopReason | undefined> {
    const { clock, emit, decide, executor, layout, control, steering } = this.#ports;
    const { counts, probes } = this.#state;
    const begun = clock.now();
    const tasks: ExpandedTask[] = [];
    const notBegun: { readonly node: TaskNode; readonly why: NotBegun }[] = [];
    for (const node of wave.nodes) {
      const begun = this.#state.begin(node, this.#ports.expectedMs?.(node.task) ?? 0);
      if (begun.ok) tasks.push(begun.value);
      else notBegun.push({ node, why: begun.error });
    }
    const failedToBegin = notBegun.filter(({ why }) => why.kind === 'failed').length;
    const subtasks = tasks.reduce((sum, { work }) => sum + work.count, 0);
    const decision = decide(counts, probes);
    if (tasks.some(({ expanded }) => expanded)) emit({ type: 'decision-taken', at: clock.now(), wave: wave.number, decision });
    const open = subtasks - tasks.reduce((sum, { work }) => sum + (work.finished?.count ?? 0), 0);
    const target = this.#admit(wave.number, decision, Math.max(1, Math.min(decision.decided.agents, open)));
    const agents = firstAgents(wave.number, decision, target, this.#ports);
    const room = layout(
      agents,
      tasks.map(({ work }) => work.task),
    );
    if (open > 0) await executor.open(room);
    // What it took to start threads says nothing of the subtasks.
    const cpuBefore = steering?.cpuSeconds() ?? 0;
    emit({
      type: 'wave-started',
      at: clock.now(),
      wave: wave.number,
      name: wave.name,
      agents,
      threads: room.threads,
      subtasks: subtasks + notBegun.length,
      ...(steering && { predictedSeconds: steering.predict(wave.number, room, counts, probes) }),
    });
    for (const { node, why } of notBegun) this.#state.tellNotBegun(node, why);
    let pilot: WavePilot | undefined;
    const dispatcher = new Dispatcher(agents, {
      ...this.#state.dispatcherPorts(),
      onAttemptEnded: (position) => pilot?.attemptEnded(position),
    });
    for (const task of tasks) this.#state.dispatch(dispatcher, task);
    if (steering !== undefined && decision.mode === 'AUTOMATIC_SCALING')
      pilot = this.#pilot(wave.number, dispatcher, tasks, decision, steering, target);
    const wanted = () => Math.max(1, Math.min(decide(counts, probes).decided.agents, dispatcher.unfinished));
    const unfollow = room.elsewhere === true ? followCapacity(dispatcher, this.#ports, { wave: wave.number, wanted }) : undefined;
    const started = clock.now();
    makeReadyFor(this.#options.waves[wave.number], decision, { options: this.#options, ports: this.#ports, state: this.#state });
    const { complete } = await dispatcher.run();
    unfollow?.();
    const ended = clock.now();
    pilot?.end();
    const { tallies } = dispatcher;
    for (const [position, { work }] of tasks.entries()) {
      const tally = tallies[position];
      if (tally !== undefined) this.#state.taskOver(work.task, tally);
    }
    if (!complete) return control.stopReason;
    const expected = failedToBegin + tallies.reduce((sum, tally) => sum + tally.succeeded + tally.failed, 0);
    const check = await waveCheck(this.#ports, this.#options, wave.number, { expected, isolated: dispatcher.isolated });
    const measured = steering && {
      cpuSeconds: steering.cpuSeconds() - cpuBefore,
      busySeconds: tallies.reduce((sum, tally) => sum + tally.busyMs, 0) / 1000,
      idleSeconds: dispatcher.idleSeconds(started, ended),
      checkSeconds: (clock.now() - ended) / 1000,
      leadSeconds: dispatcher.leadSeconds(started),
      firstBeginSeconds: dispatcher.firstBeginSeconds(started),
    };
    emit({
      type: 'wave-finished',
      at: clock.now(),
      wave: wave.number,
      durationMs: clock.now() - begun,
      check,
      ...(measured && { measured }),
    });
    return endOfCheck(wave.number, check, this.#options.failure);
  }

  /** As many of the decided agents as free memory and open files allow right now; a user's own number is obeyed. */
  #admit(wave: number, { mode }: ScalingDecision, agents: number): number {
    const { steering, emit, clock } = this.#ports;
    if (steering === undefined || mode === 'USER_OVERRIDE' || agents === 1) return agents;
    const room = steering.headroom();
    if (room.agents >= agents) return agents;
    const to = Math.max(1, room.agents);
    emit({
      type: 'agents-changed',
      at: clock.now(),
      wave,
      from: agents,
      to,
      reason: `no more than that at once: ${room.reason}`,
    });
    return to;
  }

  /** Follows the wave's work, unless the user has said how many agents are to run. */
  #pilot(
    wave: number,
    dispatcher: Dispatcher,
    tasks: readonly ExpandedTask[],
    decision: ScalingDecision,
    steering: SteeringPorts,
    target: number,
  ): WavePilot {
    const { decide, emit, clock, executor, layout, control } = this.#ports;
    const { counts, probes: known } = this.#state;
    const expected = tasks.map(({ node: { index, task } }) => {
      const seconds = known.get(index)?.seconds;
      return seconds === undefined ? steering.expected(task) : { usual: seconds, longest: seconds };
    });
    const computes = tasks.every(({ node }) => steering.computes(node.task));
    return new WavePilot(
      dispatcher,
      {
        wave,
        expected,
        target,
        most: mostOf(decision),
        probeSize: steering.probeSize,
        cores: steering.cores,
        type: decision.type,
        computes,
      },
      {
        clock,
        executor,
        emit,
        layout: (agents) =>
          layout(
            agents,
            tasks.map(({ work }) => work.task),
          ),
        cpuSeconds: steering.cpuSeconds,
        headroom: steering.headroom,
        isStopping: () => control.state !== 'running',
        decide: (probes) => {
          for (const { position, seconds, cpuShare } of probes) {
            const node = tasks[position]?.node;
            if (node !== undefined) known.set(node.index, { seconds, cpuShare });
          }
          const taken = decide(counts, known);
          emit({ type: 'decision-taken', at: clock.now(), wave, decision: taken });
          return { agents: Math.max(1, Math.min(taken.decided.agents, dispatcher.unfinished)), most: mostOf(taken) };
        },
      },
    );
  }
}

/** The most agents that may run by a decision. */
function mostOf({ formula, capacity }: ScalingDecision): number {
  return Math.max(1, Math.min(formula.agents, capacity.agents));
}
