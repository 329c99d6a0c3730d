import type { Wave } from '../graph/task-graph.js';
import type { ScalingDecision } from '../model/scaling-decision.js';
import type { RunWavesOptions, RunWavesPorts } from './ports.js';
import type { RunState } from './run-state.js';

/** A run, before or between its waves. */
export interface RunParts {
  readonly options: RunWavesOptions;
  readonly ports: RunWavesPorts;
  readonly state: RunState;
}

/** How many agents a wave begins with: few for work whose growth with them nobody has seen; the pilot adds the others. */
export function firstAgents(
  wave: number,
  { mode }: ScalingDecision,
  target: number,
  { steering }: Pick<RunWavesPorts, 'steering'>,
): number {
  if (mode === 'USER_OVERRIDE') return target;
  return Math.max(1, Math.min(target, steering?.startAtMost?.(wave) ?? target));
}

/** Lets the threads start that a run needs first, while something else is done before it. */
export function makeReady(parts: RunParts): void {
  const { options, ports, state } = parts;
  const decision = options.planned ?? ports.decide(state.counts, state.probes);
  if (options.sync !== 'eager') makeReadyFor(options.waves[0], decision, parts);
  else prepare(ports, decision.decided.agents, options.waves);
}

/** The same for one wave, while the one before is at work by the decision of `now`. */
export function makeReadyFor(wave: Wave | undefined, now: ScalingDecision, { options, ports, state }: RunParts): void {
  // What may be up to date may need no thread.
  const nodes = wave?.nodes.filter(({ task }) => options.finished?.knows(task.id) !== true) ?? [];
  if (wave === undefined || nodes.length === 0) return;
  const subtasks = nodes.reduce((sum, { index, task }) => sum + (state.counts.get(index) ?? (task.foreach ? Infinity : 1)), 0);
  // What expands later counts as one subtask until then; the plan may have known of more.
  const { planned = now } = options;
  const decision = planned.decided.agents > now.decided.agents ? planned : now;
  prepare(ports, firstAgents(wave.number, decision, Math.min(decision.decided.agents, subtasks), ports), [{ nodes }]);
}

function prepare({ executor, layout }: RunWavesPorts, agents: number, waves: readonly Pick<Wave, 'nodes'>[]): void {
  const tasks = waves.flatMap(({ nodes }) => nodes.map(({ task }) => task));
  executor.prepare?.(layout(agents, tasks));
}
