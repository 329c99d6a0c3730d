import { cpuMeter } from '../execute/cpu-time.js';
import { readHeadroom } from '../execute/headroom.js';
import type { SteeringPorts } from '../execute/ports.js';
import { ThreadStarts } from '../scaling/calibrated.js';
import { startsCommands, waveKey } from '../scaling/workload.js';
import { type CompiledPlan, isUnknownTo, predictWaveFor } from './compile-plan.js';

/** Subtasks of unknown duration that are measured before the number of agents is decided again. */
const PROBE_SUBTASKS_PER_CORE = 4;

/** Agents that a wave begins with where nobody has seen yet that more of them help. */
const FIRST_AGENTS_PER_CORE = 2;

/** From run to run the agents of a wave that grew with its throughput may grow by this, before that is looked at again. */
const NEXT_AGENTS = 2;

/** What the number of agents of a running plan is steered by. For one run: what it predicts counts the threads that it started. */
export function steeringOf(compiled: CompiledPlan): SteeringPorts {
  const { cores } = compiled.machine;
  const threadStarts = new ThreadStarts(compiled.calibration);
  return {
    cpuSeconds: cpuMeter({ commands: compiled.plan.tasks.some(startsCommands) }),
    headroom: () => readHeadroom(memoryPerAgent(compiled)),
    isUnknown: (task) => isUnknownTo(compiled, task),
    predict: (wave, room, counts, probes) =>
      threadStarts.next(room.threads) + predictWaveFor(compiled, wave, room.agents, counts, probes),
    probeSize: PROBE_SUBTASKS_PER_CORE * cores,
    cores,
    startAtMost: (wave) => {
      const tried = triedAgents(compiled, wave);
      return tried === undefined ? FIRST_AGENTS_PER_CORE * cores : NEXT_AGENTS * tried;
    },
  };
}

function triedAgents({ history, waves }: CompiledPlan, wave: number): number | undefined {
  return history?.triedAgents(waveKey(waves[wave - 1]?.nodes.map(({ task }) => task) ?? []));
}

/** What a module's function, or the pipes of a command, take beside its own thread, in bytes. */
const LIGHT_AGENT_BYTES = 8e6;

/** Memory that one more agent is given: the declared amount, the methodology's where memory bounds the work, else little. */
function memoryPerAgent({ plan, methodology, analysis }: CompiledPlan): number {
  const usual = analysis.decision.capacity.limit === 'memory' ? methodology.memoryPerAgentBytes : LIGHT_AGENT_BYTES;
  return plan.limits.memoryPerAgentBytes ?? usual;
}
