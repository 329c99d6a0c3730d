import { cpuSecondsWithChildren, totalCpuSeconds } from '../execute/cpu-time.js';
import { readHeadroom } from '../execute/headroom.js';
import type { SteeringPorts } from '../execute/ports.js';
import { startsCommand } from '../plan/valid-plan.js';
import { ThreadStarts } from '../scaling/calibrated.js';
import { waveKey } from '../scaling/workload.js';
import { type CompiledPlan, expectedWorkOf, predictWaveFor } from './compile-plan.js';

/** Subtasks of unknown duration that are measured before the number of agents is decided again. */
const PROBE_SUBTASKS_PER_CORE = 4;
/** However many cores there are. */
const PROBE_SUBTASKS = 256;

/** Agents that a wave begins with where nobody has seen yet that more of them help. */
const FIRST_AGENTS_PER_CORE = 2;

/** Share of its time that a subtask takes of a core, from which on it is taken to compute and nothing else. */
const COMPUTING = 0.85;

/**
 * What the number of agents of a running plan is steered by. For one run: what it predicts counts the threads that it started.
 * @param elsewhere where the agents are on other machines: what these know of themselves.
 */
export function steeringOf(compiled: CompiledPlan, elsewhere?: { readonly cpuSeconds: () => number }): SteeringPorts {
  const { cores } = compiled.machine;
  const commands = compiled.graph.nodes.some(({ task }) => startsCommand(task.work));
  const threadStarts = new ThreadStarts(compiled.calibration);
  return {
    cpuSeconds: elsewhere?.cpuSeconds ?? (commands ? cpuSecondsWithChildren : totalCpuSeconds),
    // Workers say themselves how many agents they have.
    headroom: elsewhere === undefined ? () => readHeadroom(memoryPerAgent(compiled)) : () => BOUNDLESS,
    expected: (task) => expectedWorkOf(compiled, task),
    computes: (task) => (compiled.history?.task(task.hash)?.cpuShare ?? 0) >= COMPUTING,
    predict: (wave, room, counts, probes) =>
      (elsewhere === undefined ? threadStarts.next(room.threads) : 0) +
      predictWaveFor(compiled, wave, room.agents, counts, probes),
    probeSize: Math.min(PROBE_SUBTASKS, PROBE_SUBTASKS_PER_CORE * cores),
    cores,
    startAtMost: (wave) => provenAgents(compiled, wave) ?? FIRST_AGENTS_PER_CORE * cores,
  };
}

const BOUNDLESS = { agents: Number.POSITIVE_INFINITY, reason: '' };

function provenAgents({ history, waves }: CompiledPlan, wave: number): number | undefined {
  return history?.provenAgents(waveKey(waves[wave - 1]?.nodes.map(({ task }) => task) ?? []));
}

/** What a module's function, or the pipes of a command, take beside its own thread, in bytes. */
const LIGHT_AGENT_BYTES = 8e6;

/** Memory that one more agent is given: the declared amount, the methodology's where memory bounds the work, else little. */
function memoryPerAgent({ plan, methodology, analysis }: CompiledPlan): number {
  const usual = analysis.decision.capacity.limit === 'memory' ? methodology.memoryPerAgentBytes : LIGHT_AGENT_BYTES;
  return plan.limits.memoryPerAgentBytes ?? usual;
}
